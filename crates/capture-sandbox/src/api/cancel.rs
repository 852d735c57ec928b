//! `POST /v1/orders/{id}/cancel`: voids an order that was not captured.
//!
//! The order id alone makes it safe to repeat; an `idempotencyKey` in the body is optional.

use std::time::SystemTime;

use bytes::Bytes;
use capture_core::wire::error::ApiError;
use capture_core::wire::{Response, json_reply};
use capture_core::{IdempotencyKey, OrderId};
use http::StatusCode;
use serde_json::{Value, json};

use crate::api::once::{At, carry_out, once};
use crate::api::replies;
use crate::world::{Operation, World};

pub(super) fn answer(world: &mut World, order: OrderId, body: &[u8], at: At<'_>) -> Response {
    let key = match read(body) {
        Ok(key) => key,
        Err(error) => return replies::invalid(&mut world.draw, &[error]),
    };
    let Some(key) = key else {
        return carry_out(world, at, |world| cancel(world, order, at.now));
    };
    let payload = Bytes::copy_from_slice(order.as_bytes());
    once(world, at, Operation::Cancel, key, &payload, |world| cancel(world, order, at.now))
}

fn cancel(world: &mut World, order: OrderId, now: SystemTime) -> Response {
    let Some(order) = world.orders.get_mut(order) else {
        let title = "The order does not exist";
        return replies::problem(&mut world.draw, StatusCode::NOT_FOUND, title);
    };
    match order.cancel(now) {
        Ok(()) => json_reply(StatusCode::OK, &json!({})),
        Err(status) => {
            let title = format!("The order is {status} and cannot be cancelled");
            replies::problem(&mut world.draw, StatusCode::BAD_REQUEST, &title)
        }
    }
}

/// The key in the body, if there is one.
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
