//! The record of one exchange with the API, and what it showed.

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use crate::reason::{Doubt, Reason};
use crate::text::printable;
use crate::time::Now;
use crate::token_error::TokenError;
use crate::wire::order::OrderStatus;
use crate::wire::{self, REQUEST_ID};

/// One request that was sent for a capture, and what came of it.
///
/// Serialised, it holds no secret and no reply body; in memory, the beginning of the raw reply to a
/// capture is available through [`Attempt::raw_reply`]. `Debug` never shows a body.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Attempt {
    /// What was asked.
    pub operation: Operation,
    /// When it began, in milliseconds since the Unix epoch, by the wall clock.
    pub began_ms: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// How far it got.
    pub phase: Phase,
    /// The status of the reply, if its head arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The gateway's id of the request, for FlexFactor's support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What it showed.
    pub finding: Finding,
    #[serde(rename = "reply_sha1", default, skip_serializing_if = "Option::is_none")]
    raw_reply: Option<RawReply>,
}

/// What an attempt asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `POST /v1/capture`.
    Capture,
    /// `GET /v1/orders/{id}`.
    Lookup,
    /// `POST /v1/oauth2/token`.
    Login,
}

impl Operation {
    /// A short, stable name for logs and machines.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Lookup => "lookup",
            Self::Login => "login",
        }
    }
}

/// How far an attempt got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Provably nothing was sent.
    NotSent,
    /// Something may have been sent; no reply came.
    MaybeSent,
    /// A reply began and broke off.
    CutReply,
    /// A complete reply came.
    Replied,
}

impl Phase {
    /// A short, stable name for logs and machines.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::MaybeSent => "maybe_sent",
            Self::CutReply => "cut_reply",
            Self::Replied => "replied",
        }
    }
}

/// What an attempt showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finding {
    /// The API said SUCCESS to the capture.
    Captured,
    /// The API refused, and nothing was executed by this attempt.
    Refused(Reason),
    /// The reply decides nothing.
    Undecided(Doubt),
    /// The order's own status.
    OrderStatus(OrderStatus),
    /// The login gave a token.
    Token,
    /// The login gave no token.
    NoToken(TokenError),
    /// No complete reply came; why, in the transport's words. The phase says how far it got.
    Lost(String),
    /// What version 1 wrote, in prose.
    #[serde(untagged)]
    Prose(String),
}

/// The body of a reply to a capture, or what remains of it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
enum RawReply {
    Whole(Bytes),
    /// The beginning of a long body, and the digest of the whole.
    Beginning(Bytes, String),
    /// The digest, which is all that is stored.
    Sha1(String),
}

/// No more of a body is kept: what the API sends is far shorter, and a record can hold many.
const MOST_KEPT: usize = 16 * 1024;

impl Attempt {
    pub(crate) fn new(
        operation: Operation,
        phase: Phase,
        head: Option<(StatusCode, &HeaderMap)>,
        (began, ended): (Now, Now),
        finding: Finding,
    ) -> Self {
        let request_id = head.and_then(|(_, headers)| headers.get(REQUEST_ID)?.to_str().ok());
        Self {
            operation,
            began_ms: unix_ms(began.wall()),
            took_ms: u64::try_from(ended.since(began).as_millis()).unwrap_or(u64::MAX),
            phase,
            status: head.map(|(status, _)| status.as_u16()),
            request_id: request_id.map(|id| printable(id, 80)),
            finding,
            raw_reply: None,
        }
    }

    /// The body of the reply to a capture, as received (with an echoed token masked); of a body
    /// longer than 16 KiB only the first 16 KiB.
    ///
    /// The reply to a lookup is not kept: it is full of personal data. Nor is the reply to a login.
    #[must_use]
    pub fn raw_reply(&self) -> Option<&[u8]> {
        match self.raw_reply.as_ref()? {
            RawReply::Whole(body) | RawReply::Beginning(body, _) => Some(body),
            RawReply::Sha1(_) => None,
        }
    }

    /// The first 4096 characters of that body, escaped, for an operator who looks for a reason that
    /// could not be read. Nobody needs it for SUCCESS.
    ///
    /// A reply that strayed could show an order, which is personal data: of a 2xx, JSON is shown only
    /// where it has the member `success`, which no order has.
    #[must_use]
    pub fn reply_text(&self) -> Option<String> {
        let is_success = self.status.is_some_and(|status| (200..300).contains(&status));
        let body = self.raw_reply().filter(|_| self.finding != Finding::Captured)?;
        let text = std::str::from_utf8(body).ok()?.trim();
        let is_hidden = text.is_empty() || (is_success && wire::order::may_be_one(text));
        (!is_hidden).then(|| printable(text, LONGEST_REPLY))
    }

    /// The SHA-1 of the whole body in hexadecimal, which a stored attempt holds instead of the body.
    #[must_use]
    pub fn reply_sha1(&self) -> Option<String> {
        self.raw_reply.clone().map(String::from)
    }

    pub(crate) fn keep(&mut self, body: Bytes) {
        self.raw_reply = Some(match body.get(..MOST_KEPT) {
            // A copy, because a slice would keep the whole in memory.
            Some(start) if body.len() > MOST_KEPT => {
                RawReply::Beginning(Bytes::copy_from_slice(start), sha1(&body))
            }
            _ => RawReply::Whole(body),
        });
    }
}

/// In a reply that is shown.
const LONGEST_REPLY: usize = 4096;

/// What it showed, in one sentence.
impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.finding, self.phase) {
            (Finding::Captured, _) => f.write_str("the API says SUCCESS"),
            (Finding::Refused(reason), _) => reason.fmt(f),
            (Finding::Undecided(doubt), _) => doubt.fmt(f),
            (Finding::OrderStatus(status), _) => write!(f, "the order is {status}"),
            (Finding::Token, _) => f.write_str("the login gave a token"),
            (Finding::NoToken(error), _) => error.fmt(f),
            (Finding::Lost(why), Phase::NotSent) => write!(f, "the request was not sent ({why})"),
            (Finding::Lost(why), Phase::MaybeSent) => {
                write!(f, "no reply came, and the request may have been sent ({why})")
            }
            (Finding::Lost(why), _) => write!(f, "the reply broke off ({why})"),
            (Finding::Prose(text), _) => f.write_str(text),
        }
    }
}

impl From<RawReply> for String {
    fn from(raw: RawReply) -> Self {
        match raw {
            RawReply::Whole(body) => sha1(&body),
            RawReply::Beginning(_, digest) | RawReply::Sha1(digest) => digest,
        }
    }
}

fn sha1(body: &[u8]) -> String {
    sha1_smol::Sha1::from(body).digest().to_string()
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
