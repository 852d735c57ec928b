//! Bytes that HTTP does not allow: wrong lengths, broken chunks, half a head, one byte a second.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};

use crate::faults::encode::encode_part;
use crate::faults::end::{End, Place};
use crate::faults::framing::Framing;

/// Bytes to send as they are, and how the connection ends after them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Raw {
    /// What is sent over HTTP/1.1; may be empty.
    pub bytes: Bytes,
    /// The portions in which they are sent.
    pub drip: Option<Drip>,
    /// How the connection ends afterwards.
    pub end: End,
    /// The reply behind the bytes, for HTTP/2; `None` if they are not a reply.
    pub(crate) reply: Option<Box<Framed>>,
}

/// A reply, its framing, and how much of it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Framed {
    pub(crate) response: Response<Bytes>,
    pub(crate) framing: Framing,
    /// Up to this place; without one, all of it, and the connection does not end because of it.
    pub(crate) until: Option<Place>,
}

impl Raw {
    /// Bytes that are not a reply.
    pub(crate) fn bytes(bytes: Bytes, drip: Option<Drip>, end: End) -> Self {
        Self { bytes, drip, end, reply: None }
    }

    /// A reply, or a part of it.
    pub(crate) fn reply(reply: Framed, drip: Option<Drip>, end: End) -> Self {
        let bytes = encode_part(&reply.response, reply.framing, reply.until);
        Self { bytes, drip, end, reply: Some(Box::new(reply)) }
    }
}

/// A reply sent in portions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Drip {
    /// How many bytes are sent at a time.
    pub bytes: usize,
    /// The pause before each portion except the first, in milliseconds.
    pub every_ms: u64,
}

impl Drip {
    /// The pause before each portion except the first.
    #[must_use]
    pub fn pause(&self) -> Duration {
        Duration::from_millis(self.every_ms)
    }
}
