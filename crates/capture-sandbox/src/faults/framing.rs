//! How a reply tells where its body ends, in ways that HTTP allows and in ways that it does not.

use serde::{Deserialize, Serialize};

/// How a reply tells where its body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Framing {
    #[default]
    Length,
    /// This is the announced length, whatever the body is.
    #[serde(skip)]
    Announced(u64),
    /// In valid chunks.
    Chunked,
    /// In valid chunks, with trailers after the last.
    Trailers,
    /// The last chunk is missing.
    UnfinishedChunks,
    /// A chunk size that is not a number.
    BadChunkSize,
    /// A chunk size of 2^64 - 1.
    HugeChunk,
    /// A chunk extension of 64 KiB.
    LongChunkExtension,
    /// Two `content-length` headers with different numbers.
    TwoLengths,
    /// Both `content-length` and `transfer-encoding`.
    LengthAndChunked,
    /// Neither: the body ends with the connection.
    UntilClose,
}

impl Framing {
    /// Whether a client can find the end of the body. HTTP/2 cuts the body where it cannot.
    pub(crate) fn is_sound(self) -> bool {
        !matches!(self, Self::UnfinishedChunks | Self::BadChunkSize | Self::HugeChunk)
    }

    /// The header lines for a body of this length.
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

    pub(crate) fn body(self, body: &[u8]) -> Vec<u8> {
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
