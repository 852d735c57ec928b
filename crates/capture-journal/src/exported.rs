//! One capture, as it travels between journals: a line of JSON.

use std::time::{Duration, SystemTime};

use capture_core::{Outcome, Refusal};
use serde::{Deserialize, Serialize};

use crate::journal::{Answer, Lost};
use crate::story::{Standing, Story};
use crate::utc::unix_ms;

/// What another journal needs to know of a capture. It serialises into a line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    environment: String,
    asked_at_ms: i64,
    standing: String,
    /// What became of it, or a ticket to find out.
    outcome: Outcome,
}

/// Why a journal could not be copied, read in or shortened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// The journal failed.
    #[error("the journal failed")]
    Journal(#[from] Lost),
    /// The other file cannot be read or written.
    #[error("the file cannot be read or written")]
    Io(#[from] std::io::Error),
    /// A line that is no record.
    #[error("line {line}: {why}")]
    Line {
        /// Its number; the first is 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// Too little time has passed.
    #[error(
        "what was decided within the last {KEPT_DAYS} days stays: until then the same order may be asked for again"
    )]
    TooRecent,
}

/// How long a decided order is kept at least.
const KEPT_DAYS: u64 = 30;

impl KeepError {
    /// Whether what was decided before that time may be removed.
    ///
    /// # Errors
    /// When too little time has passed.
    pub fn if_too_recent(before: SystemTime, now: SystemTime) -> Result<(), Self> {
        let kept = Duration::from_secs(KEPT_DAYS * 24 * 3600);
        let is_old = now.duration_since(before).is_ok_and(|age| age >= kept);
        if is_old { Ok(()) } else { Err(Self::TooRecent) }
    }
}

impl Exported {
    /// What there is to know of it.
    #[must_use]
    pub fn of(story: &Story, environment: &str) -> Self {
        let standing = story.standing();
        let name = standing.name().to_owned();
        let outcome = match (standing.decided(), standing) {
            (Some((outcome, _)), _) => outcome,
            (None, Standing::Claimed(_, ticket) | Standing::Unknown(ticket)) => {
                Outcome::Unknown(ticket)
            }
            (None, _) => Outcome::NotCaptured(Refusal::not_started(story.capture)),
        };
        let (environment, asked_at_ms) = (environment.to_owned(), unix_ms(story.asked_at));
        Self { environment, asked_at_ms, standing: name, outcome }
    }

    /// Reads the line of this number, which must be of this environment.
    ///
    /// # Errors
    /// When it is no record, or of another environment.
    pub fn read(text: &str, line: usize, environment: &str) -> Result<Self, KeepError> {
        let refuse = |why| KeepError::Line { line, why };
        // serde's own message could quote it.
        let record: Self = serde_json::from_str(text)
            .map_err(|error| refuse(format!("no record (column {})", error.column())))?;
        let theirs = &record.environment;
        match theirs == environment {
            true => Ok(record),
            false => Err(refuse(format!("it is of {theirs}, and this journal of {environment}"))),
        }
    }

    /// What became of it.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The same, where it is known already that the capture may have been sent at this time: of two first sends the
    /// older one counts, as a key must never look younger than it is.
    pub fn outcome_beside(&self, known: Option<SystemTime>) -> Outcome {
        match &self.outcome {
            Outcome::Unknown(ticket) => {
                let first = ticket.first_sent().into_iter().chain(known).min();
                Outcome::Unknown(ticket.clone().with_times(first, ticket.due_at()))
            }
            decided => decided.clone(),
        }
    }

    /// Why it cannot be recorded where this is known of the order.
    ///
    /// # Errors
    /// When the order is in progress, or open or decided with other values.
    pub fn fits(answer: &Answer, line: usize) -> Result<(), KeepError> {
        let why = match answer {
            Answer::Work(_) | Answer::Decided(..) => return Ok(()),
            Answer::Busy(_) => "the order is in progress here",
            Answer::Other(_) | Answer::Queued => "the order is known here with other values",
        };
        Err(KeepError::Line { line, why: why.to_owned() })
    }
}
