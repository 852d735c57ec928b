//! The transcript: every request and what the sandbox did with it, without secrets or personal data.

use std::collections::VecDeque;
use std::collections::vec_deque::Iter;
use std::time::SystemTime;

use capture_core::{IdempotencyKey, OrderId};
use http::StatusCode;
use serde::{Serialize, Serializer};

use crate::world::clock;
use crate::world::operation::Operation;

/// One request and its answer, or one TLS handshake that a script changed.
///
/// It never holds a path that the API does not have, a header, a token or a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Exchange {
    /// Its number, counted from 1.
    pub number: u64,
    /// When it arrived, by the sandbox's clock; in JSON in milliseconds since the Unix epoch.
    #[serde(rename = "at_ms", serialize_with = "clock::as_millis")]
    pub at: SystemTime,
    /// The operation; `None` for a path or a method that the API does not have, and for a handshake.
    pub operation: Option<Operation>,
    /// Its order, if one could be read.
    pub order: Option<OrderId>,
    /// The idempotency key of a capture, if one could be read.
    pub key: Option<IdempotencyKey>,
    /// What was sent back.
    #[serde(rename = "status")]
    pub sent: Sent,
    /// The reply's `apigw-requestid`.
    pub request_id: Option<String>,
    /// Whether it captured the money of its order.
    pub captured: bool,
    /// Whether its answer was the one kept under its idempotency key.
    pub replayed: bool,
    /// What a script did to it, in words.
    pub script: Option<String>,
}

impl Exchange {
    /// A request of which only the time is known yet.
    pub(crate) fn new(at: SystemTime) -> Self {
        Self {
            number: 0,
            at,
            operation: None,
            order: None,
            key: None,
            sent: Sent::Closed,
            request_id: None,
            captured: false,
            replayed: false,
            script: None,
        }
    }
}

/// What was sent in answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sent {
    /// A reply with this status.
    Status(StatusCode),
    /// Nothing: the connection was closed.
    Closed,
    /// A script's raw bytes.
    Raw,
}

impl Serialize for Sent {
    /// The number of the status, `"closed"` or `"raw"`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Status(status) => serializer.serialize_u16(status.as_u16()),
            Self::Closed => serializer.serialize_str("closed"),
            Self::Raw => serializer.serialize_str("raw"),
        }
    }
}

/// The transcript keeps this many requests and drops older ones.
const KEPT: usize = 10_000;

/// The last requests, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transcript {
    seen: u64,
    last: VecDeque<Exchange>,
}

impl Transcript {
    /// The number of the next exchange.
    pub(crate) fn next_number(&self) -> u64 {
        self.seen + 1
    }

    pub(crate) fn record(&mut self, exchange: Exchange) {
        self.seen += 1;
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(Exchange { number: self.seen, ..exchange });
    }

    pub(crate) fn iter(&self) -> Iter<'_, Exchange> {
        self.last.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_requests_are_kept_under_their_numbers() {
        let mut transcript = Transcript::default();
        for _ in 0..KEPT + 2 {
            transcript.record(Exchange::new(SystemTime::UNIX_EPOCH));
        }
        let numbers: Vec<_> = transcript.iter().map(|exchange| exchange.number).collect();
        assert_eq!((numbers.len(), numbers[0], numbers[KEPT - 1]), (KEPT, 3, KEPT as u64 + 2));
    }
}
