//! The ticket of an unknown outcome: what another process needs to find out.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, unix_ms};
use crate::values::Capture;
use crate::verdict::Doubt;

/// An open question: enough to find out later, in this process or another, what happened.
///
/// It is serialisable, versioned and free of secrets. Resuming begins with the order's status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Ticket {
    pub(crate) capture: Capture,
    pub(crate) doubt: Doubt,
    pub(crate) first_sent: Option<SystemTime>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) attempts: Vec<Attempt>,
}

impl Ticket {
    /// A ticket for a capture that was interrupted (a crash, a dropped future): it may have been
    /// sent, but not before `saved_at`, when the capture was stored.
    ///
    /// After 24 hours the server no longer promises to recognise the key; a ticket that old asks for
    /// the order's status and never sends again.
    #[must_use]
    pub fn interrupted(capture: Capture, saved_at: SystemTime) -> Self {
        Self {
            capture,
            doubt: Doubt::Interrupted,
            first_sent: Some(saved_at),
            retry_after: None,
            attempts: Vec::new(),
        }
    }

    /// What may have been captured.
    #[must_use]
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    /// Why it is not known.
    #[must_use]
    pub fn doubt(&self) -> &Doubt {
        &self.doubt
    }

    /// When the capture was first sent, by the wall clock.
    #[must_use]
    pub fn first_sent(&self) -> Option<SystemTime> {
        self.first_sent
    }

    /// How long the API asked to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What was sent so far, in order. A ticket that is resumed again and again hands on its first
    /// 16 attempts and its latest 84.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// One sentence for a person: what to do next.
    #[must_use]
    pub fn next_step(&self) -> &'static str {
        "Money may have moved. Do not use a new key: run the same capture again with this key, or look the order up, until it is decided."
    }
}

/// How a ticket stands in a file: version 1.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    #[serde(flatten)]
    capture: Capture,
    doubt: Doubt,
    first_sent_ms: Option<u64>,
    retry_after_s: Option<u64>,
    attempts: Vec<Attempt>,
}

impl From<Ticket> for Stored {
    fn from(ticket: Ticket) -> Self {
        Self {
            version: 1,
            capture: ticket.capture,
            doubt: ticket.doubt,
            first_sent_ms: ticket.first_sent.map(unix_ms),
            retry_after_s: ticket.retry_after.map(|wait| wait.as_secs()),
            attempts: ticket.attempts,
        }
    }
}

impl TryFrom<Stored> for Ticket {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        if stored.version != 1 {
            return Err(format!(
                "ticket version {} is not known here; update Capture",
                stored.version
            ));
        }
        let first_sent = stored.first_sent_ms.map(|ms| {
            SystemTime::UNIX_EPOCH
                .checked_add(Duration::from_millis(ms))
                .ok_or("first_sent_ms is out of range")
        });
        Ok(Self {
            capture: stored.capture,
            doubt: stored.doubt,
            first_sent: first_sent.transpose()?,
            retry_after: stored.retry_after_s.map(Duration::from_secs),
            attempts: stored.attempts,
        })
    }
}
