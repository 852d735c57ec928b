//! What a request asks for, as far as it can be read without the state.

use capture_core::wire;
use capture_core::wire::error::ApiError;
use capture_core::{Capture, IdempotencyKey, Invalid, OrderId};

use crate::Operation;

/// A request to a known operation.
pub(crate) enum Call {
    Token,
    Evaluate,
    Capture(Result<Capture, Vec<ApiError>>),
    Order(Result<OrderId, Invalid>),
    Orders,
    Cancel(Result<OrderId, Invalid>),
}

impl Call {
    pub(crate) fn read(operation: Operation, id: &str, body: &[u8]) -> Self {
        match operation {
            Operation::Token => Self::Token,
            Operation::Evaluate => Self::Evaluate,
            Operation::Capture => Self::Capture(wire::capture::read_request(body)),
            Operation::Order => Self::Order(id.parse()),
            Operation::Orders => Self::Orders,
            Operation::Cancel => Self::Cancel(id.parse()),
        }
    }

    pub(crate) fn order(&self) -> Option<OrderId> {
        match self {
            Self::Capture(Ok(capture)) => Some(capture.order_id()),
            Self::Order(Ok(order)) | Self::Cancel(Ok(order)) => Some(*order),
            _ => None,
        }
    }

    pub(crate) fn key(&self) -> Option<IdempotencyKey> {
        match self {
            Self::Capture(Ok(capture)) => Some(capture.idempotency_key()),
            _ => None,
        }
    }
}
