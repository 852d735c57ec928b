//! `POST /v1/capture`: takes the money of an order that waits for it, once.

use capture_core::wire::{self, Response};
use capture_core::{Capture, OrderStatus};
use http::StatusCode;

use crate::Operation;
use crate::api::replies as reply;
use crate::sandbox::{At, Sandbox};

impl Sandbox {
    /// The reply to a capture whose fields are valid.
    pub(crate) fn capture(&mut self, capture: &Capture, at: At<'_>) -> Response {
        let (key, payload) = (capture.idempotency_key(), wire::capture::body(capture));
        self.once(at, Operation::Capture, key, &payload, |sandbox| sandbox.execute(capture, at))
    }

    fn execute(&mut self, capture: &Capture, at: At<'_>) -> Response {
        let is_guarded = self.settings.guard;
        let Some(order) = self.orders.get_mut(capture.order_id()) else {
            return reply::problem(self, StatusCode::NOT_FOUND, "The order does not exist");
        };
        if order.money != capture.money() {
            return wire::capture::failed("The amount or currency differs from the authorised one");
        }
        match order.complete(at.now) {
            Ok(()) => {}
            Err(OrderStatus::Completed) if !is_guarded => {}
            Err(status) => {
                return wire::capture::failed(&format!(
                    "The order is {status}, not Capturerequired"
                ));
            }
        }
        self.ledger.record(capture, at.now);
        wire::capture::captured()
    }
}
