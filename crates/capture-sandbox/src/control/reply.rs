//! The replies of the control surface, and how it reads a body.

use capture_core::wire::{Response, json_reply};
use capture_core::{Invalid, OrderId, printable};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// Why a request of the test itself is refused.
#[derive(Debug)]
pub(super) struct Refusal(StatusCode, String);

impl Refusal {
    pub(super) fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self(status, why.into())
    }

    pub(super) fn full() -> Self {
        let why = "the sandbox is full; empty it with POST /_sandbox/reset";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, why)
    }

    pub(super) fn no_order(order: OrderId) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no order {order}"))
    }

    pub(super) fn reply(&self) -> Response {
        json_reply(self.0, &json!({ "error": printable(&self.1, 400) }))
    }
}

impl From<Invalid> for Refusal {
    fn from(error: Invalid) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.to_string())
    }
}

pub(super) fn ok(body: &impl Serialize) -> Response {
    json_reply(StatusCode::OK, body)
}

pub(super) fn done() -> Response {
    ok(&json!({}))
}

/// The body, or what is wrong with it and where.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let bad = |why: String| Refusal::new(StatusCode::BAD_REQUEST, why);
    // A file that an editor saved with a byte order mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut json = serde_json::Deserializer::from_slice(body);
    let value =
        serde_path_to_error::deserialize(&mut json).map_err(|error| bad(error.to_string()))?;
    json.end().map_err(|error| bad(error.to_string()))?;
    Ok(value)
}
