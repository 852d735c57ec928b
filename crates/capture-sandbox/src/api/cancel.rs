//! `POST /v1/orders/{id}/cancel`: voids an order that was not captured.
//!
//! Safe to repeat by its order id alone; an `idempotencyKey` in the body is optional.

use std::time::SystemTime;

use bytes::Bytes;
use capture_core::wire::error::ApiError;
use capture_core::wire::{Response, json_reply};
use capture_core::{IdempotencyKey, OrderId};
use http::StatusCode;
use serde_json::{Value, json};

use crate::Operation;
use crate::api::replies as reply;
use crate::sandbox::{At, Sandbox};

impl Sandbox {
    /// The reply to a cancellation.
    pub(crate) fn cancel(&mut self, order: OrderId, body: &[u8], at: At<'_>) -> Response {
        let key = match read(body) {
            Ok(key) => key,
            Err(error) => return reply::invalid(self, &[error]),
        };
        let Some(key) = key else {
            return self.carry_out(at, |sandbox| sandbox.void(order, at.now));
        };
        let payload = Bytes::copy_from_slice(order.as_bytes());
        self.once(at, Operation::Cancel, key, &payload, |sandbox| sandbox.void(order, at.now))
    }

    fn void(&mut self, order: OrderId, now: SystemTime) -> Response {
        let Some(order) = self.orders.get_mut(order) else {
            return reply::problem(self, StatusCode::NOT_FOUND, "The order does not exist");
        };
        match order.cancel(now) {
            Ok(()) => json_reply(StatusCode::OK, &json!({})),
            Err(status) => {
                let title = format!("The order is {status} and cannot be cancelled");
                reply::problem(self, StatusCode::BAD_REQUEST, &title)
            }
        }
    }
}

/// The key in the body, if there is a body and a key in it.
fn read(body: &[u8]) -> Result<Option<IdempotencyKey>, ApiError> {
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
        return Err(ApiError::field("$", "The body is not a JSON object."));
    };
    let mut members = members.iter();
    let key = members.find(|(name, _)| name.eq_ignore_ascii_case("idempotencyKey"));
    match key {
        None | Some((_, Value::Null)) => Ok(None),
        Some((_, value)) => match value.as_str().and_then(|text| text.parse().ok()) {
            Some(key) => Ok(Some(key)),
            None => Err(ApiError::field("IdempotencyKey", "The field IdempotencyKey is invalid.")),
        },
    }
}
