//! What a request asks for, as far as it can be read without the state.

use bytes::Bytes;
use capture_core::wire;
use capture_core::wire::error::ApiError;
use capture_core::{Capture, IdempotencyKey, Invalid, OrderId};
use http::Request;

use crate::api::routes::{self, Miss};
use crate::world::Operation;

/// A request to an operation of the API.
#[derive(Debug)]
pub(crate) enum Call {
    Token,
    Evaluate,
    Capture(Result<Capture, Vec<ApiError>>),
    Order(Result<OrderId, Invalid>),
    Orders,
    Cancel(Result<OrderId, Invalid>),
}

impl Call {
    /// # Errors
    /// When the API has no such path, or the path does not have this method.
    pub(crate) fn read(request: &Request<Bytes>) -> Result<Self, Miss> {
        let (operation, id) = routes::operation(request.method(), request.uri().path())?;
        Ok(match operation {
            Operation::Token => Self::Token,
            Operation::Evaluate => Self::Evaluate,
            Operation::Capture => Self::Capture(wire::capture::read_request(request.body())),
            Operation::Order => Self::Order(id.parse()),
            Operation::Orders => Self::Orders,
            Operation::Cancel => Self::Cancel(id.parse()),
        })
    }

    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Token => Operation::Token,
            Self::Evaluate => Operation::Evaluate,
            Self::Capture(_) => Operation::Capture,
            Self::Order(_) => Operation::Order,
            Self::Orders => Operation::Orders,
            Self::Cancel(_) => Operation::Cancel,
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
