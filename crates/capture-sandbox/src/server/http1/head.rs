//! The head of a request: its line, its headers, and how long its body will be.

use bytes::{Buf, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};

use super::{Chunk, Framing, MAX_BODY, MAX_HEAD, MAX_HEADERS, Partial, says_close};

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
    let framing = framing(headers, is_modern)?;
    let awaits_continue = match headers.get(header::EXPECT) {
        Some(expect) if expect.as_bytes().eq_ignore_ascii_case(b"100-continue") => is_modern,
        Some(_) => return Err(StatusCode::EXPECTATION_FAILED),
        None => false,
    };
    let keep_alive = is_modern && !says_close(headers);
    Ok(Some(Partial { head: request, keep_alive, awaits_continue, framing, body: BytesMut::new() }))
}

/// How the body's length is known. Two answers to that are none: requests are never smuggled here.
fn framing(headers: &HeaderMap, is_modern: bool) -> Result<Framing, StatusCode> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(Framing::Length(0)),
        (None, Some(coding)) if is_modern && codings.next().is_none() => {
            if coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
                Ok(Framing::Chunked(Chunk::Size))
            } else {
                Err(StatusCode::NOT_IMPLEMENTED)
            }
        }
        (Some(length), None) if lengths.all(|other| other == length) => {
            let text = length.to_str().unwrap_or_default();
            if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
                return Err(StatusCode::BAD_REQUEST);
            }
            // More digits than a number holds are too many bytes as well.
            match text.parse() {
                Ok(length) if length <= MAX_BODY => Ok(Framing::Length(length)),
                _ => Err(StatusCode::PAYLOAD_TOO_LARGE),
            }
        }
        _ => Err(StatusCode::BAD_REQUEST),
    }
}
