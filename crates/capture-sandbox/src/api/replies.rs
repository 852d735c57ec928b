//! The replies that more than one operation gives, in the shapes that the service is known to write.

use bytes::Bytes;
use capture_core::wire::error::{self, ApiError};
use capture_core::wire::{Response, json_reply};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;

use crate::sandbox::Sandbox;

/// Marks a reply that was given before, to the same idempotency key.
#[derive(Clone, Copy)]
pub(crate) struct Replayed;

/// A JSON body that was written before.
pub(crate) fn json(status: StatusCode, body: Bytes) -> Response {
    const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
    let mut response = empty(status);
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    *response.body_mut() = body;
    response
}

/// No body at all.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// What the bearer check writes: 401 without a body.
pub(crate) fn unauthorized() -> Response {
    let mut response = empty(StatusCode::UNAUTHORIZED);
    let scheme = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    response
}

/// A known path by another method: 405 without a body.
pub(crate) fn wrong_method(allowed: &Method) -> Response {
    let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
    let allowed = HeaderValue::from_str(allowed.as_str()).expect("a method is a token");
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}

/// What the gateway in front of the service writes.
pub(crate) fn gateway(status: StatusCode) -> Response {
    let message = status.canonical_reason().unwrap_or("Error");
    json_reply(status, &json!({ "message": message }))
}

/// Problem details.
pub(crate) fn problem(sandbox: &mut Sandbox, status: StatusCode, title: &str) -> Response {
    error::problem(status, title, &sandbox.draw.trace_id())
}

/// The map of fields at fault, 400.
pub(crate) fn invalid(sandbox: &mut Sandbox, errors: &[ApiError]) -> Response {
    error::model_state(errors, &sandbox.draw.trace_id())
}

/// What this status looks like when nothing was said about its body: 401, 405, 406 and everything below
/// 400 have none, the gateway writes 429 and 502 to 504, the service itself the rest.
pub(crate) fn plausible(sandbox: &mut Sandbox, status: StatusCode) -> Response {
    match status.as_u16() {
        401 => unauthorized(),
        405 | 406 | 0..=399 => empty(status),
        429 | 502..=504 => gateway(status),
        _ => problem(sandbox, status, status.canonical_reason().unwrap_or("Error")),
    }
}
