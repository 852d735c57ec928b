//! The true answer to a request: the checks that all operations share, then the operation.

use bytes::Bytes;
use capture_core::wire::Response;
use capture_core::wire::error::ApiError;
use http::{Request, StatusCode};

use crate::api::call::Call;
use crate::api::once::At;
use crate::api::{cancel, capture, evaluate, headers, order, orders, replies, token};
use crate::world::World;

pub(crate) fn answer(
    world: &mut World,
    call: Call,
    request: &Request<Bytes>,
    at: At<'_>,
) -> Response {
    let (headers, body) = (request.headers(), request.body());
    let (reads_body, needs_token) = match &call {
        Call::Token => (true, false),
        Call::Evaluate | Call::Capture(_) => (true, true),
        Call::Cancel(_) => (!body.is_empty(), true),
        Call::Order(_) | Call::Orders => (false, true),
    };
    let is_known = |token| world.tokens.is_valid(token, at.now);
    if needs_token && !headers::bearer(headers).is_some_and(is_known) {
        return replies::unauthorized();
    }
    if reads_body && !headers::is_json(headers) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return replies::problem(&mut world.draw, status, "Unsupported Media Type");
    }
    if !headers::accepts_json(headers) {
        return replies::empty(StatusCode::NOT_ACCEPTABLE);
    }
    if reads_body && world.is_full(at.now) {
        return replies::gateway(StatusCode::SERVICE_UNAVAILABLE);
    }
    match call {
        Call::Token => token::answer(world, body, at.now),
        Call::Evaluate => evaluate::answer(world, body, at),
        Call::Capture(Ok(capture)) => capture::answer(world, &capture, at),
        Call::Capture(Err(errors)) => replies::invalid(&mut world.draw, &errors),
        Call::Order(Ok(order)) => order::answer(world, order, at.now),
        Call::Orders => orders::answer(world, request.uri().query().unwrap_or_default(), at.now),
        Call::Cancel(Ok(order)) => cancel::answer(world, order, body, at),
        Call::Order(Err(_)) | Call::Cancel(Err(_)) => {
            let error = ApiError::field("Id", "The value is not valid.");
            replies::invalid(&mut world.draw, &[error])
        }
    }
}
