//! The body of a request: how its length is known, and how it is read from a buffer.

use bytes::{Buf, Bytes, BytesMut};
use http::StatusCode;

/// The longest request body.
pub(crate) const MAX_BODY: usize = 1024 * 1024;
/// The longest line before a chunk, and the longest trailers after the last.
pub(super) const MAX_CHUNK_LINE: usize = 1024;

/// A body that is still arriving.
#[derive(Debug)]
pub(super) struct Body {
    framing: Framing,
    bytes: BytesMut,
}

#[derive(Debug)]
enum Framing {
    /// This many bytes are missing.
    Length(usize),
    Chunked(Chunk),
}

#[derive(Debug)]
enum Chunk {
    Size,
    Data(usize),
    End,
    Trailers,
}

impl Body {
    pub(super) fn with_length(length: usize) -> Self {
        Self { framing: Framing::Length(length), bytes: BytesMut::new() }
    }

    pub(super) fn chunked() -> Self {
        Self { framing: Framing::Chunked(Chunk::Size), bytes: BytesMut::new() }
    }

    pub(super) fn finish(self) -> Bytes {
        self.bytes.freeze()
    }

    /// Takes what belongs to the body and returns whether it is complete.
    pub(super) fn read(&mut self, buffer: &mut BytesMut) -> Result<bool, StatusCode> {
        let chunk = match &mut self.framing {
            Framing::Length(missing) => {
                *missing -= take(buffer, *missing, &mut self.bytes);
                return Ok(*missing == 0);
            }
            Framing::Chunked(chunk) => chunk,
        };
        loop {
            match chunk {
                Chunk::Size => match httparse::parse_chunk_size(buffer) {
                    Ok(httparse::Status::Complete((used, size))) => {
                        buffer.advance(used);
                        let size = usize::try_from(size).unwrap_or(usize::MAX);
                        if size > MAX_BODY - self.bytes.len() {
                            return Err(StatusCode::PAYLOAD_TOO_LARGE);
                        }
                        *chunk = match size {
                            0 => Chunk::Trailers,
                            size => Chunk::Data(size),
                        };
                    }
                    Ok(httparse::Status::Partial) if buffer.len() <= MAX_CHUNK_LINE => {
                        return Ok(false);
                    }
                    _ => return Err(StatusCode::BAD_REQUEST),
                },
                Chunk::Data(missing) => {
                    *missing -= take(buffer, *missing, &mut self.bytes);
                    if *missing > 0 {
                        return Ok(false);
                    }
                    *chunk = Chunk::End;
                }
                Chunk::End if buffer.len() < 2 => return Ok(false),
                Chunk::End if buffer.starts_with(b"\r\n") => {
                    buffer.advance(2);
                    *chunk = Chunk::Size;
                }
                Chunk::End => return Err(StatusCode::BAD_REQUEST),
                Chunk::Trailers => {
                    let mut trailers = [httparse::EMPTY_HEADER; 16];
                    return match httparse::parse_headers(buffer, &mut trailers) {
                        Ok(httparse::Status::Complete((used, _))) => {
                            buffer.advance(used);
                            Ok(true)
                        }
                        Ok(httparse::Status::Partial) if buffer.len() <= MAX_CHUNK_LINE => {
                            Ok(false)
                        }
                        _ => Err(StatusCode::BAD_REQUEST),
                    };
                }
            }
        }
    }
}

/// Moves up to `most` bytes.
fn take(buffer: &mut BytesMut, most: usize, body: &mut BytesMut) -> usize {
    let count = most.min(buffer.len());
    body.extend_from_slice(&buffer.split_to(count));
    count
}
