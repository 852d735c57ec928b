//! A scripted reply.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::faults::content::Content;

/// A scripted reply: a status, and optionally headers and a body.
///
/// Without a body it looks like the live service's reply with this status: no body for 401, 405, 406
/// and everything below 400, the gateway's message for 429 and 502 to 504, problem details for the
/// rest.
///
/// ```
/// use capture_sandbox::{Answer, Script};
/// let throttled = Script::status(Answer::new(429).header("retry-after", "2"));
/// let proxy = Script::captured_but(Answer::new(502).body("<html>Bad Gateway</html>"));
/// # let _ = (throttled, proxy);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<Content>,
}

impl Answer {
    /// A reply with this status.
    ///
    /// # Panics
    /// Unless the status is 200 to 999.
    #[must_use]
    pub fn new(status: u16) -> Self {
        let headers = BTreeMap::new();
        Self {
            status: checked_status(status).unwrap_or_else(|error| panic!("{error}")),
            headers,
            body: None,
        }
    }

    /// The same reply with this header.
    ///
    /// # Panics
    /// When HTTP does not allow the name or the value, for `content-length` and `transfer-encoding`,
    /// which follow from the body, and for more than 1,000 headers.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        check_header(name, value).unwrap_or_else(|error| panic!("{error}"));
        self.headers.insert(name.to_owned(), value.to_owned());
        check_number(&self.headers).unwrap_or_else(|error| panic!("{error}"));
        self
    }

    /// The same reply with this body. Its type is JSON unless a `content-type` is given.
    #[must_use]
    pub fn body(self, body: impl Into<String>) -> Self {
        self.bytes(body.into())
    }

    /// The same reply with these bytes as its body.
    #[must_use]
    pub fn bytes(self, body: impl Into<Bytes>) -> Self {
        Self { body: Some(body.into().into()), ..self }
    }
}

/// A reply with this status.
///
/// # Panics
/// Unless the status is 200 to 999.
impl From<u16> for Answer {
    fn from(status: u16) -> Self {
        Self::new(status)
    }
}

/// Adds checked headers, replacing those with the same names.
pub(crate) fn put_headers(headers: &mut HeaderMap, others: &BTreeMap<String, String>) {
    for (name, value) in others {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("checked before");
        headers.insert(name, HeaderValue::from_str(value).expect("checked before"));
    }
}

pub(crate) fn checked_status(status: u16) -> Result<StatusCode, String> {
    match StatusCode::from_u16(status) {
        Ok(code) if !code.is_informational() => Ok(code),
        _ => Err(format!("`status` {status} must be 200 to 999; use `raw` for any other")),
    }
}

/// Ten times what clients accept. A header map panics beyond 32,768.
const MOST_HEADERS: usize = 1_000;

pub(crate) fn check_headers(headers: &BTreeMap<String, String>) -> Result<(), String> {
    check_number(headers)?;
    headers.iter().try_for_each(|(name, value)| check_header(name, value))
}

fn check_number(headers: &BTreeMap<String, String>) -> Result<(), String> {
    match headers.len() {
        0..=MOST_HEADERS => Ok(()),
        number => Err(format!("`headers` has {number} headers; the limit is {MOST_HEADERS}")),
    }
}

fn check_header(name: &str, value: &str) -> Result<(), String> {
    let follows = ["content-length", "transfer-encoding"];
    if follows.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Err(format!(
            "header `{name}` follows from the body; use `content_length` or `framing`"
        ));
    }
    let name_is_fine = HeaderName::from_bytes(name.as_bytes()).is_ok();
    if !name_is_fine || HeaderValue::from_str(value).is_err() {
        let shown = capture_core::printable(name, 60);
        return Err(format!("header `{shown}` has a name or a value that HTTP does not allow"));
    }
    Ok(())
}
