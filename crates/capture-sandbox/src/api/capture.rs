//! `POST /v1/capture`: captures the money of an order that waits for it, once.

use capture_core::wire::{self, Response};
use capture_core::{Capture, OrderStatus};
use http::StatusCode;

use crate::api::once::{At, once};
use crate::api::replies;
use crate::world::{Operation, World};

/// The reply to a capture whose fields are valid.
pub(super) fn answer(world: &mut World, capture: &Capture, at: At<'_>) -> Response {
    let (key, payload) = (capture.idempotency_key(), wire::capture::body(capture));
    once(world, at, Operation::Capture, key, &payload, |world| execute(world, capture, at))
}

fn execute(world: &mut World, capture: &Capture, at: At<'_>) -> Response {
    let Some(order) = world.orders.get_mut(capture.order_id()) else {
        let title = "The order does not exist";
        return replies::problem(&mut world.draw, StatusCode::NOT_FOUND, title);
    };
    if order.money != capture.money() {
        return wire::capture::failed("The amount or currency differs from the authorised one");
    }
    match order.complete(at.now) {
        Ok(()) => {}
        Err(OrderStatus::Completed) if !world.settings.guard => {}
        Err(status) => {
            return wire::capture::failed(&format!("The order is {status}, not Capturerequired"));
        }
    }
    world.ledger.record(capture, at.now);
    wire::capture::captured()
}
