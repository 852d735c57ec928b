//! Replies as bytes of HTTP/1.1: valid ones, and those that a script breaks.

use bytes::Bytes;
use http::{HeaderMap, Response, header};

use crate::faults::end::Place;
use crate::faults::framing::Framing;

/// Whether a `Connection` header contains `close`.
pub(crate) fn says_close(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CONNECTION).iter();
    let mut words = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    words.any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"))
}

/// The bytes of a reply. Its length follows from its body; a HEAD request gets no body.
pub(crate) fn encode(response: &Response<Bytes>, is_head: bool, keep_alive: bool) -> Vec<u8> {
    let mut out = head(response, Framing::Length, keep_alive);
    if has_body(response) && !is_head {
        out.extend_from_slice(response.body());
    }
    out
}

/// The bytes of a reply with this framing, up to this place; without a place, all of them.
pub(crate) fn encode_part(
    response: &Response<Bytes>,
    framing: Framing,
    until: Option<Place>,
) -> Bytes {
    // Only a connection that a script ends at some place ends without `connection: close`.
    let mut head = head(response, framing, until.is_some());
    let body = framing.body(response.body());
    match until {
        Some(Place::BeforeReading | Place::AfterReading) => head.clear(),
        Some(Place::MidHead) => head.truncate(head.len() / 2),
        Some(Place::MidBody) => head.extend_from_slice(&body[..body.len() / 2]),
        Some(Place::AfterReply) | None => head.extend_from_slice(&body),
    }
    head.into()
}

/// Status line, headers and the empty line.
fn head(response: &Response<Bytes>, framing: Framing, keep_alive: bool) -> Vec<u8> {
    let status = response.status();
    let mut out = Vec::with_capacity(512 + response.body().len());
    let reason = status.canonical_reason().unwrap_or_default();
    out.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).as_bytes());
    for (name, value) in response.headers() {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if has_body(response) {
        out.extend_from_slice(framing.headers(response.body().len()).as_bytes());
    }
    if !keep_alive && !says_close(response.headers()) {
        out.extend_from_slice(b"connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out
}

pub(crate) fn has_body(response: &Response<Bytes>) -> bool {
    !matches!(response.status().as_u16(), 204 | 304)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn replies() {
        let mut response = Response::new(Bytes::from_static(b"{}"));
        let text = |response: &Response<Bytes>, is_head, keep_alive| {
            String::from_utf8(encode(response, is_head, keep_alive)).unwrap()
        };
        let expect = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(text(&response, false, true), expect);
        let expect = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n";
        assert_eq!(text(&response, true, false), expect);
        *response.status_mut() = StatusCode::from_u16(799).unwrap();
        assert!(text(&response, false, true).starts_with("HTTP/1.1 799 \r\n"));
        *response.status_mut() = StatusCode::NO_CONTENT;
        assert_eq!(text(&response, false, true), "HTTP/1.1 204 No Content\r\n\r\n");
    }

    #[test]
    fn every_framing() {
        let response = Response::new(Bytes::from_static(b"{\"a\":1}"));
        let text = |framing, until| {
            let bytes = encode_part(&response, framing, until);
            let text = String::from_utf8(bytes.into()).unwrap();
            text.strip_prefix("HTTP/1.1 200 OK\r\n").map(str::to_owned).unwrap_or(text)
        };
        let whole = Some(Place::AfterReply);
        for (framing, expect) in [
            (Framing::Length, "content-length: 7\r\n\r\n{\"a\":1}"),
            (Framing::Announced(9), "content-length: 9\r\n\r\n{\"a\":1}"),
            (
                Framing::Chunked,
                "transfer-encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n",
            ),
            (
                Framing::UnfinishedChunks,
                "transfer-encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n",
            ),
            (
                Framing::BadChunkSize,
                "transfer-encoding: chunked\r\n\r\nz\r\n{\"a\":1}\r\n0\r\n\r\n",
            ),
            (Framing::TwoLengths, "content-length: 7\r\ncontent-length: 8\r\n\r\n{\"a\":1}"),
            (Framing::UntilClose, "\r\n{\"a\":1}"),
        ] {
            assert_eq!(text(framing, whole), expect, "{framing:?}");
        }
        for (until, expect) in [
            (None, "content-length: 7\r\nconnection: close\r\n\r\n{\"a\":1}"),
            (Some(Place::AfterReading), ""),
            (Some(Place::MidHead), "co"),
            (Some(Place::MidBody), "content-length: 7\r\n\r\n{\"a"),
        ] {
            assert_eq!(text(Framing::Length, until), expect, "{until:?}");
        }
        assert!(text(Framing::LongChunkExtension, whole).len() > 64 * 1024);
    }
}
