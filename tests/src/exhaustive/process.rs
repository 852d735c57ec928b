//! Where a process is in its life, and what it knows there.

use capture_core::{Outcome, Ticket};
use capture_journal::Held;

use crate::subject::{Said, Subject, Wants};

/// Where the process is that works on the capture, or has worked on it.
#[derive(Debug, Clone)]
pub(crate) enum Life {
    /// It has asked for the capture; nothing of that is durable yet.
    Asks,
    /// It works, or has an outcome that is not durable yet. Without a claim if it is broken.
    Works(Box<Subject>, Option<Held>),
    /// It has told what became of the capture. A broken client speaks without an outcome.
    Told(Said, Option<Box<Outcome>>),
}

/// What a process found that lost its hold before that was durable.
#[derive(Debug, Clone)]
pub(crate) struct Late {
    pub(crate) held: Held,
    pub(crate) found: Outcome,
}

impl Life {
    /// The client, while it works or has an outcome that nobody knows.
    pub(crate) fn subject(&self) -> Option<&Subject> {
        match self {
            Self::Works(subject, _) => Some(subject),
            Self::Asks | Self::Told(..) => None,
        }
    }

    /// What the client wants.
    pub(crate) fn wants(&self) -> Option<Wants<'_>> {
        self.subject().map(Subject::wants)
    }

    pub(crate) fn in_doubt(&self) -> bool {
        self.subject().is_some_and(Subject::in_doubt)
    }

    /// What the client has found, or has told.
    pub(crate) fn says(&self) -> Option<Said> {
        match self.wants() {
            Some(Wants::Nothing(said)) => Some(said),
            Some(_) => None,
            None => self.told(),
        }
    }

    /// The outcome that it has found, or has told.
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Asks => None,
            Self::Works(subject, _) => subject.outcome(),
            Self::Told(_, outcome) => outcome.as_deref(),
        }
    }

    /// The ticket that it has found, or has told.
    pub(crate) fn ticket(&self) -> Option<&Ticket> {
        match self.outcome() {
            Some(Outcome::Unknown(ticket)) => Some(ticket),
            _ => None,
        }
    }

    /// What it claimed, while it works.
    pub(crate) fn held(&self) -> Option<Held> {
        match *self {
            Self::Works(_, held) => held,
            Self::Asks | Self::Told(..) => None,
        }
    }

    /// What it has told.
    pub(crate) fn told(&self) -> Option<Said> {
        match self {
            Self::Told(said, _) => Some(*said),
            Self::Asks | Self::Works(..) => None,
        }
    }
}
