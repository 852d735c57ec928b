//! The operations of one environment: their URIs and headers, prepared once.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri, header};

use super::message::{ANY_JSON, JSON, Request};
use crate::values::{BearerToken, Environment, Invalid, OrderId};

/// The operations' URIs and headers for one environment, prepared once.
///
/// ```
/// use capture_core::{ContentType, Environment, driver::Api};
/// let api = Api::new(&Environment::Sandbox).with_content_type(ContentType::Json);
/// assert_eq!(api.base_url(), "https://api-sandbox.flex-charge.com/v1");
/// ```
#[derive(Debug, Clone)]
pub struct Api(Arc<Prepared>);

#[derive(Debug, Clone)]
struct Prepared {
    base_url: String,
    capture: Uri,
    login: Uri,
    capture_headers: HeaderMap,
    lookup_headers: HeaderMap,
    login_headers: HeaderMap,
}

impl Api {
    /// The API of this environment.
    #[must_use]
    pub fn new(environment: &Environment) -> Self {
        let base = environment.base_url();
        Self(Arc::new(Prepared {
            base_url: base.to_string(),
            capture: base.uri("/capture"),
            login: base.uri("/oauth2/token"),
            capture_headers: headers(Some(ContentType::default().header())),
            lookup_headers: headers(None),
            login_headers: headers(Some(JSON)),
        }))
    }

    /// The same API with another content type for `/capture`.
    #[must_use]
    pub fn with_content_type(mut self, content_type: ContentType) -> Self {
        let headers = &mut Arc::make_mut(&mut self.0).capture_headers;
        headers.insert(header::CONTENT_TYPE, content_type.header());
        self
    }

    /// The base URL, with `/v1` and without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// The content type that `/capture` is sent with.
    #[must_use]
    pub fn content_type(&self) -> ContentType {
        match self.0.capture_headers.get(header::CONTENT_TYPE) {
            Some(json) if *json == JSON => ContentType::Json,
            _ => ContentType::AnyJson,
        }
    }

    pub(super) fn capture(&self, token: &BearerToken, body: Bytes) -> Request {
        let Prepared { capture, capture_headers, .. } = &*self.0;
        request(Method::POST, capture.clone(), capture_headers, Some(token), body)
    }

    pub(super) fn lookup(&self, order: OrderId, token: &BearerToken) -> Request {
        let uri = format!("{}/orders/{order}", self.0.base_url);
        let uri = uri.try_into().expect("a checked base URL and a GUID");
        request(Method::GET, uri, &self.0.lookup_headers, Some(token), Bytes::new())
    }

    pub(super) fn list(&self, query: &str, token: &BearerToken) -> Request {
        let uri = format!("{}/orders?{query}", self.0.base_url);
        let uri = uri.try_into().expect("a checked base URL and an escaped query");
        request(Method::GET, uri, &self.0.lookup_headers, Some(token), Bytes::new())
    }

    pub(super) fn login(&self, body: Bytes) -> Request {
        let Prepared { login, login_headers, .. } = &*self.0;
        request(Method::POST, login.clone(), login_headers, None, body)
    }
}

/// The headers of an operation. Three of them belong to no contract, but every request of ours has
/// them: who is calling; that content coding is not wanted (an encoded reply would be ambiguous); and
/// that the connection ends with the reply. Over HTTP/1.1 nothing but the order on the connection tells
/// whose reply a reply is, so one that is used again may deliver what belongs to an earlier request
/// (`docs/decisions/0015-one-request-a-connection.md`).
fn headers(content_type: Option<HeaderValue>) -> HeaderMap {
    const AGENT: HeaderValue =
        HeaderValue::from_static(concat!("capture/", env!("CARGO_PKG_VERSION")));
    const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
    const CLOSE: HeaderValue = HeaderValue::from_static("close");
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, JSON);
    if let Some(content_type) = content_type {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    headers.insert(header::USER_AGENT, AGENT);
    headers.insert(header::ACCEPT_ENCODING, IDENTITY);
    headers.insert(header::CONNECTION, CLOSE);
    headers
}

fn request(
    method: Method,
    uri: Uri,
    headers: &HeaderMap,
    token: Option<&BearerToken>,
    body: Bytes,
) -> Request {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    // Room for the token, and for what a transport adds (host, length): growing costs more than room.
    let mut complete = HeaderMap::with_capacity(headers.len() + 3);
    if let Some(token) = token {
        complete.insert(header::AUTHORIZATION, token.header().clone());
    }
    for (name, value) in headers {
        complete.insert(name, value.clone());
    }
    *request.headers_mut() = complete;
    request
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
