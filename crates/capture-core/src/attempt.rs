//! The record of one exchange with the API.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use crate::text::printable;
use crate::wire::REQUEST_ID;

/// One request that was sent for a capture, and what came of it.
///
/// Serialised it is free of secrets and of the reply's body; in memory a capture's raw reply stays
/// reachable through [`Attempt::raw_reply`]. `Debug` never shows a body.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attempt {
    /// What was asked.
    pub operation: Operation,
    /// When it was begun, in milliseconds since the Unix epoch, by the wall clock given at the start.
    pub began_ms: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// How far it came.
    pub phase: Phase,
    /// The status of the reply, if its head arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The gateway's id of the request, for FlexFactor's support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What it showed, in one escaped sentence.
    pub finding: String,
    #[serde(rename = "reply_sha1", default, skip_serializing_if = "Option::is_none")]
    raw_reply: Option<RawReply>,
}

/// The body of a reply to a capture, or what is left of it in a ticket.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
enum RawReply {
    Body(Bytes),
    Sha1(String),
}

impl Attempt {
    /// A record that shows nothing yet.
    pub(crate) fn new(
        operation: Operation,
        phase: Phase,
        head: Option<(StatusCode, &HeaderMap)>,
        began: SystemTime,
        took: Duration,
    ) -> Self {
        let request_id = head.and_then(|(_, headers)| headers.get(REQUEST_ID)?.to_str().ok());
        Self {
            operation,
            began_ms: unix_ms(began),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            phase,
            status: head.map(|(status, _)| status.as_u16()),
            request_id: request_id.map(|id| printable(id, 80)),
            finding: String::new(),
            raw_reply: None,
        }
    }

    /// The body of the reply to a capture, as it came (with an echoed token masked).
    ///
    /// The reply to a lookup is not kept: it is full of personal data.
    #[must_use]
    pub fn raw_reply(&self) -> Option<&[u8]> {
        match &self.raw_reply {
            Some(RawReply::Body(body)) => Some(body),
            _ => None,
        }
    }

    /// The SHA-1 of that body in hexadecimal digits: it stays in a ticket, and tells whether two
    /// records are of one reply.
    #[must_use]
    pub fn reply_sha1(&self) -> Option<String> {
        self.raw_reply.clone().map(String::from)
    }

    pub(crate) fn keep(&mut self, body: Bytes) {
        self.raw_reply = Some(RawReply::Body(body));
    }
}

impl From<RawReply> for String {
    fn from(raw: RawReply) -> Self {
        match raw {
            RawReply::Body(body) => sha1_smol::Sha1::from(&body).digest().to_string(),
            RawReply::Sha1(digest) => digest,
        }
    }
}

impl From<String> for RawReply {
    fn from(digest: String) -> Self {
        Self::Sha1(printable(&digest, 40))
    }
}

impl PartialEq for RawReply {
    fn eq(&self, other: &Self) -> bool {
        String::from(self.clone()) == String::from(other.clone())
    }
}

impl Eq for RawReply {}

/// What an attempt asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `POST /v1/capture`.
    Capture,
    /// `GET /v1/orders/{id}`.
    Lookup,
}

/// How far an attempt came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Provably nothing left.
    NotSent,
    /// Something may have left; no reply came.
    MaybeSent,
    /// A reply began and broke off.
    CutReply,
    /// A complete reply came.
    Replied,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("operation", &self.operation)
            .field("began_ms", &self.began_ms)
            .field("took_ms", &self.took_ms)
            .field("phase", &self.phase)
            .field("status", &self.status)
            .field("request_id", &self.request_id)
            .field("finding", &self.finding)
            .finish_non_exhaustive()
    }
}

/// Milliseconds since the Unix epoch; a clock before it counts as the epoch.
pub(crate) fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
