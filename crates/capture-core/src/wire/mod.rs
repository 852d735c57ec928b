//! The wire: one file per operation, both directions, over `http` types with `Bytes` bodies.
//!
//! The client builds requests and reads replies; a server (the sandbox) reads requests and builds
//! replies from the same definitions.

pub mod capture;
pub mod error;
mod json;
pub mod order;
pub mod token;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Uri, header};

use crate::values::{Environment, Invalid};

pub(crate) use json::Scalar;
pub use json::Unreadable;

/// A request as every transport takes it: owned, complete, never touched again.
pub type Request = http::Request<Bytes>;

/// A complete reply as every transport hands it over.
pub type Response = http::Response<Bytes>;

/// The operations' URIs and headers for one environment, prepared once.
///
/// ```
/// use capture_core::{Api, ContentType, Environment};
/// let api = Api::new(&Environment::Sandbox).with_content_type(ContentType::Json);
/// assert_eq!(api.base_url(), "https://api-sandbox.flex-charge.com/v1");
/// ```
#[derive(Debug, Clone)]
pub struct Api(Arc<Endpoints>);

#[derive(Debug, Clone)]
struct Endpoints {
    base_url: String,
    capture: Uri,
    token: Uri,
    content_type: ContentType,
}

impl Api {
    /// The API of this environment.
    #[must_use]
    pub fn new(environment: &Environment) -> Self {
        let base = environment.base_url();
        Self(Arc::new(Endpoints {
            base_url: base.to_string(),
            capture: base.uri(capture::PATH),
            token: base.uri(token::PATH),
            content_type: ContentType::default(),
        }))
    }

    /// The same API with another content type for `/capture`.
    #[must_use]
    pub fn with_content_type(mut self, content_type: ContentType) -> Self {
        Arc::make_mut(&mut self.0).content_type = content_type;
        self
    }

    /// The base URL, with `/v1` and without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.0.base_url
    }
}

/// The `Content-Type` of a capture request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContentType {
    /// `application/*+json`: the literal in the contract's own example, and our default.
    #[default]
    AnyJson,
    /// `application/json`: the official header tables, and what other clients send.
    Json,
}

impl ContentType {
    /// The header's text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AnyJson => "application/*+json",
            Self::Json => "application/json",
        }
    }

    fn header(self) -> HeaderValue {
        match self {
            Self::AnyJson => ANY_JSON,
            Self::Json => JSON,
        }
    }
}

impl FromStr for ContentType {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match [Self::AnyJson, Self::Json].into_iter().find(|known| known.as_str() == text) {
            Some(known) => Ok(known),
            None => {
                let rule = "must be application/*+json or application/json";
                Err(Invalid::new("content type", text, rule))
            }
        }
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The id that the gateway gives each request, the only handle its support has on one.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

const ANY_JSON: HeaderValue = HeaderValue::from_static("application/*+json");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const JSON_UTF8: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// The JSON object without members.
#[derive(serde::Serialize)]
struct Empty {}

/// A reply with a JSON body, headed as the service heads its own.
///
/// # Panics
/// When `body` cannot be written as JSON, which no type of this crate can bring about.
#[must_use]
pub fn json_reply(status: http::StatusCode, body: &impl serde::Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("string keys and plain values only");
    let mut response = http::Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON_UTF8);
    response
}

/// Whether a body can be taken as it stands: not content-coded, not said to be something other than
/// JSON, and framed as the service frames its own. HTTP/1.0, or a length beside chunks, is what some
/// box on the way writes (RFC 9112 section 6.1: perhaps to smuggle).
pub(crate) fn is_plain_json(response: &Response) -> bool {
    let headers = response.headers();
    let modern = response.version() >= http::Version::HTTP_11;
    let two_lengths = headers.contains_key(header::TRANSFER_ENCODING)
        && headers.contains_key(header::CONTENT_LENGTH);
    let plain = headers.get_all(header::CONTENT_ENCODING).iter().all(|coding| coding == "identity");
    let json = headers.get_all(header::CONTENT_TYPE).iter().all(is_json);
    plain && json && modern && !two_lengths
}

/// `application/json`, `text/json` or any `+json`, with or without parameters.
fn is_json(content_type: &HeaderValue) -> bool {
    let media_type = content_type.to_str().unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let suffix = media_type.as_bytes().last_chunk().unwrap_or(&[0; 5]);
    media_type.eq_ignore_ascii_case("application/json")
        || media_type.eq_ignore_ascii_case("text/json")
        || suffix.eq_ignore_ascii_case(b"+json")
}
