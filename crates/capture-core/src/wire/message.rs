//! Requests and replies as every transport takes and hands them over, and the headers on them.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};

/// A request as every transport takes it: owned, complete, never touched again.
///
/// Over HTTP/1.1 it says `connection: close`, and a transport must not use the connection again: a
/// late or repeated reply would be taken for the next one's. HTTP/2 has no such header (RFC 9113
/// section 8.2.2); a transport that speaks it leaves the header out, as hyper does by itself.
pub type Request = http::Request<Bytes>;

/// A complete reply as every transport hands it over.
pub type Response = http::Response<Bytes>;

/// The id that the gateway gives each request, by which its support finds it.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

pub(super) const ANY_JSON: HeaderValue = HeaderValue::from_static("application/*+json");
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const JSON_UTF8: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// The JSON object without members.
#[derive(serde::Serialize)]
pub(super) struct Empty {}

/// A reply with a JSON body and the service's own headers.
///
/// # Panics
/// When `body` cannot be written as JSON, which no type of this crate can cause.
#[must_use]
pub fn json_reply(status: StatusCode, body: &impl serde::Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("string keys and plain values only");
    let mut response = http::Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON_UTF8);
    response
}

/// Whether a body can be read as it is: not content-coded, not declared to be something other than
/// JSON, and framed as the service frames its own. HTTP/1.0, or a length beside chunks, comes from an
/// intermediary (RFC 9112 section 6.1: perhaps to smuggle).
pub(crate) fn is_plain_json(response: &Response) -> bool {
    let (mut has_length, mut is_chunked) = (false, false);
    // One pass: there are few headers, and each look into the map hashes a name.
    let plain = response.headers().iter().all(|(name, value)| match *name {
        header::CONTENT_ENCODING => value.as_bytes().eq_ignore_ascii_case(b"identity"),
        header::CONTENT_TYPE => is_json(value),
        header::CONTENT_LENGTH => {
            has_length = true;
            !is_chunked
        }
        header::TRANSFER_ENCODING => {
            is_chunked = true;
            !has_length
        }
        _ => true,
    });
    plain && response.version() >= http::Version::HTTP_11
}

/// `application/json`, `text/json` or any `+json`, with or without parameters.
fn is_json(content_type: &HeaderValue) -> bool {
    if [&JSON, &JSON_UTF8].contains(&content_type) {
        return true; // as the service writes it
    }
    let media_type = content_type.to_str().unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let suffix = media_type.as_bytes().last_chunk().unwrap_or(&[0; 5]);
    media_type.eq_ignore_ascii_case("application/json")
        || media_type.eq_ignore_ascii_case("text/json")
        || suffix.eq_ignore_ascii_case(b"+json")
}
