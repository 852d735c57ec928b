//! The replies that more than one operation gives, in the shapes that the service is known to send.

use bytes::Bytes;
use capture_core::wire::error::{self, ApiError};
use capture_core::wire::{Response, json_reply};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::api::routes::Miss;
use crate::world::Draw;

/// A JSON body that is already written.
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

/// What the check of the token sends: 401 without a body.
pub(crate) fn unauthorized() -> Response {
    let mut response = empty(StatusCode::UNAUTHORIZED);
    let scheme = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    response
}

/// The gateway's 404 for an unknown path; for a known one, 405 without a body.
pub(crate) fn no_route(miss: Miss) -> Response {
    match miss {
        Miss::Path => gateway(StatusCode::NOT_FOUND),
        Miss::Method(allowed) => {
            let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(header::ALLOW, allowed);
            response
        }
    }
}

/// What the gateway in front of the service sends.
pub(crate) fn gateway(status: StatusCode) -> Response {
    let message = status.canonical_reason().unwrap_or("Error");
    json_reply(status, &json!({ "message": message }))
}

/// Problem details.
pub(crate) fn problem(draw: &mut Draw, status: StatusCode, title: &str) -> Response {
    error::problem(status, title, &draw.trace_id())
}

/// 400 with the map of invalid fields.
pub(crate) fn invalid(draw: &mut Draw, errors: &[ApiError]) -> Response {
    error::model_state(errors, &draw.trace_id())
}

/// What the service most plausibly sends with this status: no body for 401, 405, 406 and everything
/// below 400, the gateway's message for 429 and 502 to 504, problem details for the rest.
pub(crate) fn plausible(draw: &mut Draw, status: StatusCode) -> Response {
    match status.as_u16() {
        401 => unauthorized(),
        405 | 406 | 0..=399 => empty(status),
        429 | 502..=504 => gateway(status),
        _ => problem(draw, status, status.canonical_reason().unwrap_or("Error")),
    }
}
