//! Executes a request at most once for each idempotency key, as the settings say.

use std::time::SystemTime;

use bytes::Bytes;
use capture_core::IdempotencyKey;
use capture_core::wire::Response;
use http::StatusCode;

use crate::api::replies;
use crate::world::{Idempotency, Kept, Known, Operation, World};

/// The times of a request, and what a script puts in the place of its execution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    /// When the request is executed, by the sandbox's clock.
    pub(crate) now: SystemTime,
    /// When its reply leaves.
    pub(crate) done: SystemTime,
    pub(crate) instead: Option<Instead<'a>>,
}

/// An answer that is given, and kept under the key, in place of the true one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instead<'a> {
    /// Whether the request is carried out all the same.
    pub(crate) effect: bool,
    pub(crate) answer: &'a Response,
}

/// Marks a reply that repeats the one kept under its idempotency key.
#[derive(Clone, Copy)]
pub(crate) struct Replayed;

/// Executes `run`, or repeats the answer that is kept under the key.
pub(super) fn once(
    world: &mut World,
    at: At<'_>,
    operation: Operation,
    key: IdempotencyKey,
    payload: &Bytes,
    run: impl FnOnce(&mut World) -> Response,
) -> Response {
    let idempotency = world.settings.idempotency;
    if idempotency == Idempotency::Ignored {
        return carry_out(world, at, run);
    }
    match world.keys.look_up(operation, key, payload, at.now) {
        Known::Nothing => {}
        Known::OtherPayload => {
            let title = "The idempotency key was used with another payload";
            return replies::problem(&mut world.draw, StatusCode::CONFLICT, title);
        }
        Known::Running => {
            let title = "A request with this idempotency key is in progress";
            return replies::problem(&mut world.draw, StatusCode::CONFLICT, title);
        }
        Known::Answered(mut response) => {
            response.extensions_mut().insert(Replayed);
            return response;
        }
    }
    let response = carry_out(world, at, run);
    let kept = Kept::new(idempotency, payload, response.clone(), at.now, at.done);
    world.keys.keep(operation, key, kept);
    response
}

/// Executes `run`, or gives the answer that a script puts in its place.
pub(super) fn carry_out(
    world: &mut World,
    at: At<'_>,
    run: impl FnOnce(&mut World) -> Response,
) -> Response {
    let Some(instead) = at.instead else {
        return run(world);
    };
    if instead.effect {
        let _truth = run(world);
    }
    instead.answer.clone()
}
