//! The ticket of an unknown outcome: what another process needs to find out.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use crate::attempt::Attempt;
use crate::reason::{Doubt, Obstacle};
use crate::record::Record;
use crate::unread;
use crate::values::Capture;

/// An unknown outcome, to be resumed: all it takes to find out later, in this process or another,
/// what happened.
///
/// It is serialisable, versioned and free of secrets. Whatever the server says, it stays shorter than
/// [`Ticket::MAX_JSON`]. Resuming begins with the order's status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    pub(crate) capture: Capture,
    pub(crate) doubt: Doubt,
    pub(crate) obstacle: Obstacle,
    pub(crate) first_sent: Option<SystemTime>,
    pub(crate) due_at: SystemTime,
    pub(crate) retry_after: Option<Duration>,
    /// Whether the server seems not to have read the body, sent under the literal content type.
    pub(crate) is_unread: bool,
    pub(crate) record: Record,
}

impl Ticket {
    /// The most bytes that a ticket, or any other outcome, takes as JSON. A reader may refuse more.
    pub const MAX_JSON: usize = 1024 * 1024;

    /// A ticket for a capture that was interrupted (a crash, a dropped future): it may have been
    /// sent, but not before `saved_at`, when the capture was stored.
    ///
    /// After 24 hours the server no longer promises to recognise the key; a ticket that old looks
    /// the order up and never sends again.
    #[must_use]
    pub fn interrupted(capture: Capture, saved_at: SystemTime) -> Self {
        Self {
            capture,
            doubt: Doubt::Interrupted,
            obstacle: Obstacle::NotLookedUp,
            first_sent: Some(saved_at),
            due_at: saved_at,
            retry_after: None,
            is_unread: false,
            record: Record::default(),
        }
    }

    /// The same, with its times as another clock has them, such as that of a database which several hosts share.
    #[must_use]
    pub fn with_times(self, first_sent: Option<SystemTime>, due_at: SystemTime) -> Self {
        Self { first_sent, due_at, ..self }
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

    /// What kept us from finding out.
    #[must_use]
    pub fn obstacle(&self) -> &Obstacle {
        &self.obstacle
    }

    /// When the capture was first sent, by the wall clock.
    #[must_use]
    pub fn first_sent(&self) -> Option<SystemTime> {
        self.first_sent
    }

    /// When it makes sense to resume, by the wall clock: after the wait that the API asked for, or
    /// after a short one.
    #[must_use]
    pub fn due_at(&self) -> SystemTime {
        self.due_at
    }

    /// How long the API asked to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What has been sent so far, in order; of more than 100 attempts, the first 16 and the latest 84.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        self.record.all()
    }

    /// What to do next, for a person.
    #[must_use]
    pub fn next_step(&self) -> Cow<'static, str> {
        let advice = match (self.is_unread, self.obstacle.advice()) {
            (false, None) => return "Money may have moved. Do not use a new key: run the same capture again with this key, or look the order up, until it is decided.".into(),
            (false, Some(advice)) => advice.to_owned(),
            (true, None) => unread::ADVICE.to_owned(),
            (true, Some(advice)) => format!("{}. {advice}", unread::ADVICE),
        };
        format!("Money may have moved. Do not use a new key. {advice}, then run the same capture again with this key, until it is decided.").into()
    }
}
