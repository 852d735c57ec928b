//! The story of one capture: the rows that a journal has of it, and what they mean.

use std::time::{Duration, SystemTime};

use capture_core::{Capture, Doubt, Outcome, Receipt, Refusal, Ticket};

use crate::journal::{ClaimId, Fence, Held, Holder, How, IntentId};

/// All rows of one capture. Nothing in them ever changes; there are only more of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// The capture in the journal.
    pub intent: IntentId,
    /// What was asked for.
    pub capture: Capture,
    /// When, by the caller's clock.
    pub asked_at: SystemTime,
    /// Who worked on it, in order.
    pub claims: Vec<Claim>,
    /// What became of each claim, in the order in which it was recorded.
    pub entries: Vec<Entry>,
}

/// A holder took the capture, and may have sent it from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The claim.
    pub id: ClaimId,
    /// The opening that made it.
    pub fence: Fence,
    /// Who.
    pub holder: Holder,
    /// When, by the holder's clock: nothing was sent before.
    pub at: SystemTime,
}

/// What a holder recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The claim that it is about.
    pub claim: ClaimId,
    /// When, by the holder's clock.
    pub at: SystemTime,
    /// Whether another holder had taken the capture meanwhile, or it was decided: a note, of which
    /// only *captured* counts.
    pub is_note: bool,
    /// What the holder found.
    pub outcome: Outcome,
}

/// What a story comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing of it has been sent.
    Ready,
    /// It is claimed, and may have been sent: how the next holder goes on, should this one have ended.
    Claimed(Claim, Ticket),
    /// In doubt.
    Unknown(Ticket),
    /// Captured, and when that was recorded.
    Captured(Receipt, SystemTime),
    /// Decided: not captured, and when that was recorded.
    NotCaptured(Refusal, SystemTime),
}

impl Standing {
    /// `ready`, `claimed`, `unknown`, `captured` or `not_captured`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Claimed(..) => "claimed",
            Self::Unknown(_) => "unknown",
            Self::Captured(..) => "captured",
            Self::NotCaptured(..) => "not_captured",
        }
    }

    /// The outcome, and when it was recorded; `None` while it is open.
    #[must_use]
    pub fn decided(&self) -> Option<(Outcome, SystemTime)> {
        match self {
            Self::Captured(receipt, at) => Some((Outcome::Captured(receipt.clone()), *at)),
            Self::NotCaptured(refusal, at) => Some((Outcome::NotCaptured(refusal.clone()), *at)),
            Self::Ready | Self::Claimed(..) | Self::Unknown(_) => None,
        }
    }

    /// How a holder that may take this capture goes on; `None` where it is decided.
    #[must_use]
    pub fn how(self, capture: Capture) -> Option<How> {
        match self {
            Self::Ready => Some(How::Fresh(capture)),
            Self::Claimed(_, ticket) | Self::Unknown(ticket) => Some(How::Resume(ticket)),
            Self::Captured(..) | Self::NotCaptured(..) => None,
        }
    }
}

impl Story {
    /// Whether it was decided before that time.
    #[must_use]
    pub fn was_decided(&self, before: SystemTime) -> bool {
        self.standing().decided().is_some_and(|(_, at)| at < before)
    }

    /// When it was first sent, as far as is known of one that is in doubt: a claim that came to nothing may have been
    /// sent as soon as it was made.
    #[must_use]
    pub fn first_sent(&self) -> Option<SystemTime> {
        match self.standing() {
            Standing::Claimed(_, ticket) | Standing::Unknown(ticket) => ticket.first_sent(),
            Standing::Ready | Standing::Captured(..) | Standing::NotCaptured(..) => None,
        }
    }

    /// What these rows come to.
    ///
    /// *Captured* counts from any holder. Everything else counts only if its holder still held the
    /// capture then. A claim without an entry may have been sent, and only evidence clears that doubt.
    #[must_use]
    pub fn standing(&self) -> Standing {
        for entry in &self.entries {
            if let Outcome::Captured(receipt) = &entry.outcome {
                return Standing::Captured(receipt.clone(), entry.at);
            }
        }
        let mut doubt: Option<Ticket> = None;
        let mut open = None;
        for claim in &self.claims {
            let entry = self.entries.iter().find(|it| it.claim == claim.id && !it.is_note);
            open = entry.is_none().then_some(claim);
            match entry.map(|entry| (&entry.outcome, entry.at)) {
                // It was asked for again, under the same key. The refusal was confirmed, and the next
                // send is another matter.
                Some((Outcome::NotCaptured(refusal), _))
                    if refusal.keeps_key() && Some(claim) != self.claims.last() =>
                {
                    doubt.take_if(|ticket| matches!(ticket.doubt(), Doubt::Unconfirmed(_)));
                }
                Some((Outcome::NotCaptured(refusal), at)) if refusal.reason().is_decided() => {
                    return Standing::NotCaptured(refusal.clone(), at);
                }
                Some((Outcome::Unknown(ticket), _)) => doubt = Some(ticket.clone()),
                // This holder sent nothing. An earlier one may have.
                Some(_) => {}
                // The key's age counts from the first of them.
                None => {
                    doubt.get_or_insert_with(|| Ticket::interrupted(self.capture, claim.at));
                }
            }
        }
        match (open, doubt) {
            (Some(claim), Some(ticket)) => Standing::Claimed(claim.clone(), ticket),
            (_, Some(ticket)) => Standing::Unknown(ticket),
            (_, None) => Standing::Ready,
        }
    }

    /// What can be told of it: the outcome by all the evidence or, where nothing has been sent, why not.
    /// `None` if nobody tried.
    #[must_use]
    pub fn told(&self) -> Option<Outcome> {
        match self.standing() {
            Standing::Captured(receipt, _) => Some(Outcome::Captured(receipt)),
            Standing::NotCaptured(refusal, _) => Some(Outcome::NotCaptured(refusal)),
            Standing::Unknown(ticket) | Standing::Claimed(_, ticket) => {
                Some(Outcome::Unknown(ticket))
            }
            Standing::Ready => self.entries.last().map(|entry| entry.outcome.clone()),
        }
    }

    fn patience(&self) -> Duration {
        let is_doubt = |entry: &&Entry| matches!(entry.outcome, Outcome::Unknown(_));
        let times = self.entries.iter().filter(|it| !it.is_note).filter(is_doubt).count();
        Duration::from_secs(PATIENCE[times.saturating_sub(1).min(PATIENCE.len() - 1)])
    }

    /// When it makes sense to go on with a capture that a holder left open; `None` where no holder did. Once
    /// that holder has ended, the next one looks at once, however often it found nothing before.
    pub(crate) fn due_at(
        &self,
        standing: &Standing,
        is_alive: impl Fn(Fence) -> bool,
    ) -> Option<SystemTime> {
        let lives = |claim: &Claim| is_alive(claim.fence);
        match standing {
            Standing::Unknown(ticket) => {
                let last = self.entries.iter().rev().find(|it| !it.is_note)?;
                let claim = self.claims.iter().find(|it| it.id == last.claim);
                let patience =
                    if claim.is_some_and(lives) { self.patience() } else { Duration::ZERO };
                Some(ticket.due_at().max(last.at.checked_add(patience)?))
            }
            Standing::Ready => {
                let entry = self.entries.last()?;
                let is_given_back = entry.outcome.cause() == Some("stopped");
                let waits = !is_given_back && self.claims.last().is_some_and(lives);
                let wait = if waits { PUT_BACK } else { Duration::ZERO };
                entry.at.checked_add(entry.outcome.retry_after().unwrap_or(wait).min(LONGEST_WAIT))
            }
            _ => None,
        }
    }
}

/// How long a capture waits that could not be sent, where the API asked for no wait. One that was given
/// back waits no time.
const PUT_BACK: Duration = Duration::from_secs(30);

/// No server makes a capture wait longer.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// How many seconds a capture in doubt waits at least, by how often it was in doubt before. It is never given up.
const PATIENCE: [u64; 5] = [0, 60, 300, 900, 3600];

/// The capture that tells what became of an order, and where it stands: the one that took place, else the
/// open one; `None` if none is either.
pub(crate) fn leading(stories: &[Story]) -> Option<(&Story, Standing)> {
    let mut open = None;
    for story in stories {
        match story.standing() {
            standing @ Standing::Captured(..) => return Some((story, standing)),
            Standing::NotCaptured(..) => {}
            standing => {
                open.get_or_insert((story, standing));
            }
        }
    }
    open
}

/// An entry that is about to be written, and what its holder is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// Whether it is a note.
    pub is_note: bool,
    /// The outcome as the evidence of all holders has it.
    pub told: Outcome,
    /// When to go on, if it leaves the capture open.
    pub due_at: Option<SystemTime>,
}

/// Merges what a holder found into the story: by evidence, not by arrival.
///
/// The table of its cases is in `docs/journal.md`.
#[must_use]
pub fn merge(story: &Story, held: Held, found: &Outcome, at: SystemTime) -> Merged {
    let is_note = match story.standing() {
        Standing::Claimed(claim, _) => claim.id != held.claim,
        _ => true,
    };
    let mut after = story.clone();
    after.entries.push(Entry { claim: held.claim, at, is_note, outcome: found.clone() });
    let standing = after.standing();
    let due_at = match &standing {
        // It may be asked for again, and then left open: it has to be found.
        Standing::NotCaptured(refusal, _) if refusal.keeps_key() => Some(at),
        _ => after.due_at(&standing, |_| true),
    };
    let due_at = due_at.filter(|_| !is_note);
    let told = match (standing.decided(), standing, found) {
        (Some((outcome, _)), ..) => outcome,
        // Its own ticket has the attempts.
        (None, Standing::Claimed(_, ticket) | Standing::Unknown(ticket), found)
            if !matches!(found, Outcome::Unknown(_)) =>
        {
            Outcome::Unknown(ticket)
        }
        (None, ..) => found.clone(),
    };
    Merged { is_note, told, due_at }
}

/// What cannot be true of the captures of one order, in words.
#[must_use]
pub fn contradictions(stories: &[Story]) -> Vec<String> {
    let mut found = Vec::new();
    let mut tell = |story: &Story, what: &str| {
        found.push(format!("order {}: {what}", story.capture.order_id()));
    };
    let is_captured = |story: &&Story| matches!(story.standing(), Standing::Captured(..));
    let is_open = |story: &&Story| story.standing().decided().is_none();
    if let Some(second) = stories.iter().filter(is_captured).nth(1) {
        tell(second, "captured under two keys");
    }
    if let Some(second) = stories.iter().filter(is_open).nth(1) {
        tell(second, "open under two keys");
    }
    for story in stories {
        let is_claimed = |entry: &Entry| story.claims.iter().any(|claim| claim.id == entry.claim);
        if !story.entries.iter().all(is_claimed) {
            tell(story, "a record without its claim");
        }
        if !story.entries.iter().all(|entry| *entry.outcome.capture() == story.capture) {
            tell(story, "a record of another capture");
        }
    }
    found
}
