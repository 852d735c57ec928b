//! Requests out of a buffer. Every length is bounded.

use bytes::{Bytes, BytesMut};
use http::{Request, StatusCode};

use crate::server::http1::head::{self, Partial};

/// One complete request.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) request: Request<Bytes>,
    pub(crate) keep_alive: bool,
}

/// What the bytes so far make.
#[derive(Debug)]
pub(crate) enum Progress {
    /// More bytes are needed.
    More,
    /// More are needed, and the client waits for `100 Continue` before it sends them.
    Continue,
    /// One request is complete; the next may already be in the buffer.
    Ready(Box<Incoming>),
}

/// Takes bytes in any portions and returns requests. After an error the connection is of no use.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    buffer: BytesMut,
    partial: Option<Partial>,
}

impl Decoder {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether no request has begun.
    pub(crate) fn is_idle(&self) -> bool {
        self.partial.is_none() && self.buffer.is_empty()
    }

    /// The head of a request whose body is still arriving.
    pub(crate) fn head(&self) -> Option<&Request<()>> {
        self.partial.as_ref().map(|partial| &partial.head)
    }

    /// Decodes as far as the bytes allow.
    ///
    /// # Errors
    /// The status with which to refuse the connection.
    pub(crate) fn advance(&mut self) -> Result<Progress, StatusCode> {
        if self.partial.is_none() {
            self.partial = head::read(&mut self.buffer)?;
        }
        let Some(mut partial) = self.partial.take() else {
            return Ok(Progress::More);
        };
        if partial.body.read(&mut self.buffer)? {
            return Ok(Progress::Ready(Box::new(Incoming {
                request: partial.head.map(|()| partial.body.finish()),
                keep_alive: partial.keep_alive,
            })));
        }
        let awaits_continue = std::mem::take(&mut partial.awaits_continue);
        self.partial = Some(partial);
        Ok(if awaits_continue { Progress::Continue } else { Progress::More })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::http1::body::{MAX_BODY, MAX_CHUNK_LINE};
    use crate::server::http1::head::MAX_HEAD;

    /// What comes out of these bytes, handed over in portions of this size.
    fn decode(bytes: &[u8], portion: usize) -> (Vec<String>, Option<u16>) {
        let mut decoder = Decoder::default();
        let mut seen = Vec::new();
        for part in bytes.chunks(portion) {
            decoder.push(part);
            loop {
                match decoder.advance() {
                    Ok(Progress::More) => break,
                    Ok(Progress::Continue) => {}
                    Ok(Progress::Ready(incoming)) => {
                        let request = incoming.request;
                        let body = String::from_utf8_lossy(request.body());
                        let (method, uri) = (request.method(), request.uri());
                        seen.push(format!("{method} {uri} {body}"));
                    }
                    Err(status) => return (seen, Some(status.as_u16())),
                }
            }
        }
        (seen, None)
    }

    #[test]
    fn requests_in_any_portions() {
        let long_line = [b"GET /".to_vec(), vec![b'a'; MAX_HEAD]].concat();
        let long_size = [
            &b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1;"[..],
            &[b'a'; 2 * MAX_CHUNK_LINE],
        ]
        .concat();
        for (bytes, expect, refused) in [
            (&b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"[..], &["GET /a "][..], None),
            (b"GET /a HTTP/1.0\r\n\r\n", &["GET /a "], None),
            (b"\r\nGET http://x/a?b=c HTTP/1.1\r\nhost: x\r\n\r\n", &["GET http://x/a?b=c "], None),
            (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}", &["POST / {}"], None),
            (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n{}", &[], None),
            (
                b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n{}",
                &["POST / {}"],
                None,
            ),
            (
                b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n{}",
                &["POST / {}"],
                None,
            ),
            (
                b"POST / HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: Chunked\r\n\r\n1;a=b\r\n{\r\n01\r\n}\r\n0\r\nx: y\r\n\r\nGET /next HTTP/1.1\r\nhost: x\r\n\r\n",
                &["POST / {}", "GET /next "],
                None,
            ),
            (b"GET /a HTTP/1.1\r\n\r\n", &[], Some(400)), // no host
            (b"GET /a HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", &[], Some(400)),
            (b"GET /a HTTP/2.0\r\nhost: x\r\n\r\n", &[], Some(400)),
            (b"GET /a HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n", &[], Some(400)),
            (b"GET /a b HTTP/1.1\r\nhost: x\r\n\r\n", &[], Some(400)),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", &[], Some(400)), // TLS
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[], Some(400)),
            (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", &[], Some(400)),
            (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: +1\r\n\r\n", &[], Some(400)),
            (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1, 1\r\n\r\n", &[], Some(400)),
            (
                b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
                &[],
                Some(400),
            ),
            (
                b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
                &[],
                Some(400),
            ),
            (b"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n", &[], Some(400)),
            (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n", &[], Some(501)),
            (b"POST / HTTP/1.1\r\nhost: x\r\nexpect: a miracle\r\n\r\n", &[], Some(417)),
            (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1048577\r\n\r\n", &[], Some(413)),
            (
                b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n",
                &[],
                Some(413),
            ),
            (
                b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n100001\r\n",
                &[],
                Some(413),
            ),
            (
                b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
                &[],
                Some(400),
            ),
            (
                b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{}}",
                &[],
                Some(400),
            ),
            (&long_line, &[], Some(431)),
            (&long_size, &[], Some(400)),
        ] {
            for portion in [1, 7, bytes.len()] {
                let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]);
                let (seen, status) = decode(bytes, portion);
                assert_eq!(seen, expect, "{shown} by {portion}");
                assert_eq!(status, refused, "{shown} by {portion}");
            }
        }
    }

    #[test]
    fn many_small_chunks_end_at_the_limit() {
        let mut bytes =
            b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        bytes.extend(b"1\r\na\r\n".repeat(MAX_BODY));
        let (_, at_the_limit) = decode(&bytes, 8192);
        assert_eq!(at_the_limit, None);
        bytes.extend(b"1\r\na\r\n");
        let (_, beyond) = decode(&bytes, 8192);
        assert_eq!(beyond, Some(413));
    }
}
