//! The journal: what every store of captures promises, in one call.

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

use capture_core::{Capture, Environment, OrderId, Outcome, Refusal, Ticket};

use crate::run::RunId;
use crate::story::{Standing, Story};
use crate::wake::Wake;

/// Durable memory of the captures of one environment.
///
/// A process that opens a journal is a *holder*, with a [`Fence`] that nobody had before. A holder that has
/// ended, however it ended, holds nothing any more.
pub trait Journal: Send {
    /// One transaction and one flush: what became of earlier work, then what is asked now.
    ///
    /// When it returns, all of it is durable, and each [`Work`] it hands out is claimed by this holder
    /// and may be sent. [`decide`](crate::decide) and [`merge`](crate::merge) are all the rules there are.
    ///
    /// # Errors
    /// After an error nothing of the turn is certain and the journal is closed: a second flush may
    /// report success for what the first one lost. Open it again.
    fn turn(&mut self, turn: &Turn) -> Result<Turned, Lost>;

    /// All that is known of an order: one story for each capture that was asked for, oldest first.
    ///
    /// # Errors
    /// As [`Journal::turn`].
    fn stories(&mut self, order: OrderId) -> Result<Vec<Story>, Lost>;

    /// What this journal wakes when others have written down something that is due now. A run looks once a second
    /// besides, so that a journal which cannot know wakes nobody.
    fn wake(&self) -> Wake {
        Wake::default()
    }
}

/// The name under which a journal keeps an environment's captures: the same for every way to write it.
#[must_use]
pub fn environment_name(environment: &Environment) -> String {
    match environment.is_production() {
        true => "production".to_owned(),
        false => environment.base_url().to_string(),
    }
}

/// What one turn writes.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The time, by this holder's wall clock.
    pub at: SystemTime,
    /// What became of work that was handed out.
    pub settled: Vec<(Held, Outcome)>,
    /// Captures that are asked for.
    pub asks: Vec<Ask>,
    /// What work is wanted besides.
    pub want: Want,
}

impl Turn {
    /// Whether it writes nothing and asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.settled.is_empty() && self.asks.is_empty() && self.want.most == 0
    }
}

/// Work that is wanted besides what is asked for: what is due, first what was left open, then what nobody
/// has begun, each oldest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Want {
    /// How much at most.
    pub most: usize,
    /// Only what may have been sent: interrupted and in doubt.
    pub only_open: bool,
    /// Only of this list.
    pub run: Option<RunId>,
    /// Whether this holder works off captures at a rate: until a later turn says otherwise it counts among
    /// the [`Turned::sharers`] of the others.
    pub shares_rate: bool,
}

impl Want {
    /// So much of whatever is due.
    #[must_use]
    pub fn most(most: usize) -> Self {
        Self { most, ..Self::default() }
    }
}

/// A capture that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// What to capture.
    pub capture: Capture,
    /// Whether to do it now, or to leave it to a holder that wants work.
    pub now: bool,
}

/// What a turn returns, each list in the order of the turn's own.
#[derive(Debug, Clone)]
pub struct Turned {
    /// For each settled capture what its caller is told: the outcome as the evidence of all holders has it.
    pub told: Vec<Outcome>,
    /// For each capture that was asked for.
    pub answers: Vec<Answer>,
    /// Further work.
    pub work: Vec<Work>,
    /// Where less was found than wanted: when more may be due. `None` if nothing is left open.
    pub later: Option<SystemTime>,
    /// How many holders share the rate, this one included; at least 1. A store that does not know the others
    /// says 1, and the rate is then that of each holder.
    pub sharers: u32,
    /// The number under which the turn was made. If it is another one than before, the holder had lost its
    /// hold: what earlier turns handed out may be another one's by now.
    pub fence: Fence,
    /// How long this holder surely holds what it claimed, counted from when the turn was asked for; `None`
    /// where it does as long as it lives.
    pub held_for: Option<Duration>,
}

/// How long a holder waits for what another one works on before it asks again.
pub const HELD_ELSEWHERE: Duration = Duration::from_secs(5);

/// What became of an [`Ask`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is yours to do.
    Work(Work),
    /// It is written down, for a holder that wants work.
    Queued,
    /// Its outcome has been recorded at this time.
    Decided(Outcome, SystemTime),
    /// A holder is at it.
    Busy(Busy),
    /// The order is open, or decided, for another amount or under another key.
    Other(Other),
}

/// Somebody else's work on a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy {
    /// Who.
    pub holder: Holder,
    /// Since when, by the holder's clock.
    pub since: SystemTime,
    /// Whether it is this holder.
    pub is_ours: bool,
}

/// A capture of the same order that stands in the way of one with other values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// What was asked for first.
    pub capture: Capture,
    /// When.
    pub asked_at: SystemTime,
    /// What became of it.
    pub standing: Standing,
}

/// A capture to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// What to settle it with.
    pub held: Held,
    /// How to do it.
    pub how: How,
}

/// How a capture is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// Nothing of it has been sent.
    Fresh(Capture),
    /// Something may have been sent: the order is looked up first.
    Resume(Ticket),
}

impl How {
    /// What is recorded of work that was handed out and not begun.
    pub fn untouched(self) -> Outcome {
        match self {
            Self::Fresh(capture) => Outcome::NotCaptured(Refusal::not_started(capture)),
            Self::Resume(ticket) => Outcome::Unknown(ticket),
        }
    }

    /// What to capture.
    #[must_use]
    pub fn capture(&self) -> &Capture {
        match self {
            Self::Fresh(capture) => capture,
            Self::Resume(ticket) => ticket.capture(),
        }
    }
}

/// A claim of one capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Held {
    /// The capture.
    pub intent: IntentId,
    /// The claim.
    pub claim: ClaimId,
}

/// A capture in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntentId(pub i64);

/// A claim in the journal; a later one has a larger number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimId(pub i64);

/// The number of an opening. It is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub i64);

/// Who opened the journal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Holder {
    /// The host's name.
    pub host: String,
    /// The process.
    pub process: u32,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}", self.process, self.host)
    }
}

/// The journal failed, and is closed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    /// The disk is full.
    #[error("the journal's disk is full; make room, then run the same command again")]
    Full(#[source] Box<dyn Error + Send + Sync>),
    /// Reading or writing failed.
    #[error("the journal cannot be read or written")]
    Io(#[source] Box<dyn Error + Send + Sync>),
    /// What is there is no journal, or is damaged.
    #[error("the journal is damaged: {0}; keep the file, and restore a backup or ask for help")]
    Damaged(String),
    /// The file was removed or replaced while it was open.
    #[error("the journal's file was removed or replaced while it was in use")]
    Replaced,
    /// It failed before.
    #[error("the journal failed before, and must be opened again")]
    Closed,
}
