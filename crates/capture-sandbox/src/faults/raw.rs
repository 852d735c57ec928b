//! Replies that HTTP does not allow: other lengths, broken chunks, half a head, one byte a second.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};

use crate::ErrorCode;
use crate::server::http1;

/// Bytes for the wire, whatever HTTP says about them, and how the connection ends after them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Raw {
    /// What is sent over HTTP/1.1; may be nothing.
    pub bytes: Bytes,
    /// In which portions.
    pub drip: Option<Drip>,
    /// What then happens to the connection.
    pub end: End,
    /// What the bytes were made from, for HTTP/2; `None` where they are no reply.
    pub(crate) reply: Option<Box<Framed>>,
}

/// A reply, how it says its length, and how much of it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Framed {
    pub(crate) response: Response<Bytes>,
    pub(crate) framing: Framing,
    /// Without a place all of it, and the connection does not end for it.
    pub(crate) until: Option<Place>,
}

impl Raw {
    /// Bytes that are no reply.
    pub(crate) fn bytes(bytes: Bytes, drip: Option<Drip>, end: End) -> Self {
        Self { bytes, drip, end, reply: None }
    }

    /// A reply, or a part of it.
    pub(crate) fn reply(reply: Framed, drip: Option<Drip>, end: End) -> Self {
        let bytes = encode(&reply.response, reply.framing, reply.until);
        Self { bytes, drip, end, reply: Some(Box::new(reply)) }
    }
}

/// A reply sent in portions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Drip {
    /// So many bytes at a time.
    pub bytes: usize,
    /// So many milliseconds before each portion but the first.
    pub every_ms: u64,
}

impl Drip {
    /// The pause before each portion but the first.
    #[must_use]
    pub fn pause(&self) -> Duration {
        Duration::from_millis(self.every_ms)
    }
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// In order: the client reads the end of the stream.
    Close,
    /// With a reset (RST): the client gets an error.
    Reset,
    /// Not at all: nothing more comes until the client leaves.
    Hang,
    /// Over HTTP/2 only the stream of this request, with RST_STREAM; over HTTP/1.1 as [`End::Close`].
    RstStream(ErrorCode),
    /// Over HTTP/2 with GOAWAY; over HTTP/1.1 as [`End::Close`].
    GoAway(ErrorCode, LastStream),
}

/// Which streams a GOAWAY says may have been processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LastStream {
    /// This request's too.
    #[default]
    This,
    /// Only those before it.
    Earlier,
}

impl End {
    pub(crate) fn words(self) -> String {
        match self {
            Self::Close => "closed".into(),
            Self::Reset => "reset".into(),
            Self::Hang => "held open".into(),
            Self::RstStream(code) => format!("stream reset ({code})"),
            Self::GoAway(code, LastStream::This) => format!("GOAWAY ({code})"),
            Self::GoAway(code, LastStream::Earlier) => {
                format!("GOAWAY ({code}, for a request it never saw)")
            }
        }
    }
}

/// Where in an exchange the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    BeforeReading,
    AfterReading,
    MidHead,
    MidBody,
    AfterReply,
}

impl Place {
    /// Whether nothing of a reply is sent before.
    pub(crate) fn is_before_reply(self) -> bool {
        matches!(self, Self::BeforeReading | Self::AfterReading)
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::BeforeReading => "before reading",
            Self::AfterReading => "without a reply",
            Self::MidHead => "in the middle of the head",
            Self::MidBody => "in the middle of the body",
            Self::AfterReply => "after the reply",
        }
    }
}

/// How a reply says how long its body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Framing {
    #[default]
    Length,
    /// The announced length is this, whatever the body is.
    #[serde(skip)]
    Announced(u64),
    /// In good chunks.
    Chunked,
    /// In good chunks, with trailers after the last.
    Trailers,
    /// The last chunk is missing.
    UnfinishedChunks,
    /// A size that is no number.
    BadChunkSize,
    /// A size of 2^64 - 1.
    HugeChunk,
    /// An extension of 64 KiB.
    LongChunkExtension,
    /// `content-length` twice, with two numbers.
    TwoLengths,
    /// `content-length` beside `transfer-encoding`.
    LengthAndChunked,
    /// Neither: the body ends with the connection.
    UntilClose,
}

impl Framing {
    /// Whether a client can find the end of the body; HTTP/2 breaks it off where it cannot.
    pub(crate) fn is_sound(self) -> bool {
        !matches!(self, Self::UnfinishedChunks | Self::BadChunkSize | Self::HugeChunk)
    }

    /// The header lines about the length of a body this long.
    pub(crate) fn headers(&self, length: usize) -> String {
        const CHUNKED: &str = "transfer-encoding: chunked\r\n";
        match self {
            Self::Length => format!("content-length: {length}\r\n"),
            Self::Announced(length) => format!("content-length: {length}\r\n"),
            Self::TwoLengths => {
                format!("content-length: {length}\r\ncontent-length: {}\r\n", length + 1)
            }
            Self::LengthAndChunked => format!("content-length: {length}\r\n{CHUNKED}"),
            Self::UntilClose => String::new(),
            _ => CHUNKED.into(),
        }
    }

    fn body(self, body: &[u8]) -> Vec<u8> {
        let chunk = |part: &[u8]| {
            let size = format!("{:x}\r\n", part.len());
            let written = [size.as_bytes(), part, b"\r\n"].concat();
            if part.is_empty() { Vec::new() } else { written }
        };
        let (first, second) = body.split_at(body.len() / 2);
        let chunks = [chunk(first), chunk(second)].concat();
        match self {
            Self::Length | Self::Announced(_) | Self::TwoLengths | Self::UntilClose => body.into(),
            Self::Chunked | Self::LengthAndChunked => [&chunks[..], b"0\r\n\r\n"].concat(),
            Self::Trailers => [&chunks[..], b"0\r\nstatus: FAILED\r\n\r\n"].concat(),
            Self::UnfinishedChunks => chunks,
            Self::BadChunkSize => [b"z\r\n", body, b"\r\n0\r\n\r\n"].concat(),
            Self::HugeChunk => [b"ffffffffffffffff\r\n", body, b"\r\n0\r\n\r\n"].concat(),
            Self::LongChunkExtension => {
                let extension = "x".repeat(64 * 1024);
                let size = format!("{:x};a={extension}\r\n", body.len());
                [size.as_bytes(), body, b"\r\n0\r\n\r\n"].concat()
            }
        }
    }
}

/// The bytes of a reply with this framing, up to this place; without one, all of them.
fn encode(response: &Response<Bytes>, framing: Framing, until: Option<Place>) -> Bytes {
    // Only a connection that ends at a place of its own ends without notice.
    let mut head = http1::encode_head(response, &framing, until.is_some());
    let body = framing.body(response.body());
    match until {
        Some(Place::BeforeReading | Place::AfterReading) => head.clear(),
        Some(Place::MidHead) => head.truncate(head.len() / 2),
        Some(Place::MidBody) => head.extend_from_slice(&body[..body.len() / 2]),
        Some(Place::AfterReply) | None => head.extend_from_slice(&body),
    }
    head.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_framing() {
        let response = Response::new(Bytes::from_static(b"{\"a\":1}"));
        let text = |framing, until| {
            let bytes = encode(&response, framing, until);
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
