//! The head of a request: its line, its headers, and how long its body will be.

use bytes::{Buf, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};

use crate::faults::says_close;
use crate::server::http1::body::{Body, MAX_BODY};

/// Request line and headers together.
pub(crate) const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// A request whose head is complete.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) head: Request<()>,
    pub(super) keep_alive: bool,
    pub(super) awaits_continue: bool,
    pub(super) body: Body,
}

/// The head, once it is complete.
pub(super) fn read(buffer: &mut BytesMut) -> Result<Option<Partial>, StatusCode> {
    const BAD: StatusCode = StatusCode::BAD_REQUEST;
    const TOO_LARGE: StatusCode = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let used = match parsed.parse(buffer) {
        Ok(httparse::Status::Complete(used)) if used <= MAX_HEAD => used,
        Ok(httparse::Status::Partial) if buffer.len() <= MAX_HEAD => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(TOO_LARGE),
        Err(_) => return Err(BAD),
    };
    let (Some(method), Some(path), Some(minor)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(BAD);
    };
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(method.as_bytes()).map_err(|_| BAD)?;
    *request.uri_mut() = Uri::try_from(path).map_err(|_| BAD)?;
    for header in parsed.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| BAD)?;
        let value = HeaderValue::from_bytes(header.value).map_err(|_| BAD)?;
        request.headers_mut().append(name, value);
    }
    buffer.advance(used);

    let headers = request.headers();
    let is_modern = minor == 1;
    if is_modern && headers.get_all(header::HOST).iter().count() != 1 {
        return Err(BAD);
    }
    let body = body(headers, is_modern)?;
    let awaits_continue = match headers.get(header::EXPECT) {
        Some(expect) if expect.as_bytes().eq_ignore_ascii_case(b"100-continue") => is_modern,
        Some(_) => return Err(StatusCode::EXPECTATION_FAILED),
        None => false,
    };
    let keep_alive = is_modern && !says_close(headers);
    Ok(Some(Partial { head: request, keep_alive, awaits_continue, body }))
}

/// The body that the headers announce. Two lengths that differ are refused, so that no request can
/// be smuggled behind another.
fn body(headers: &HeaderMap, is_modern: bool) -> Result<Body, StatusCode> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(Body::with_length(0)),
        (None, Some(coding)) if is_modern && codings.next().is_none() => {
            if coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
                Ok(Body::chunked())
            } else {
                Err(StatusCode::NOT_IMPLEMENTED)
            }
        }
        (Some(length), None) if lengths.all(|other| other == length) => {
            let text = length.to_str().unwrap_or_default();
            if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
                return Err(StatusCode::BAD_REQUEST);
            }
            // A length with too many digits for a number is too long as well.
            match text.parse() {
                Ok(length) if length <= MAX_BODY => Ok(Body::with_length(length)),
                _ => Err(StatusCode::PAYLOAD_TOO_LARGE),
            }
        }
        _ => Err(StatusCode::BAD_REQUEST),
    }
}
