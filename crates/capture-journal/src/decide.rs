//! What becomes of a capture that is asked for, by all that is known of its order.

use std::time::{Duration, SystemTime};

use capture_core::Outcome;

use crate::journal::{Answer, Ask, Busy, Fence, How, IntentId, Other};
use crate::story::{Standing, Story};

/// What a store does about an [`Ask`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Write a new capture, and claim it if it is to be done now.
    Begin,
    /// Claim this capture, and go on so.
    Claim(IntentId, How),
    /// Write nothing.
    Answer(Answer),
}

/// How long a capture waits that could not be sent, where the API asked for no wait.
const PUT_BACK: Duration = Duration::from_secs(30);

/// What becomes of a capture that is asked for. At most one capture of an order is open at a time, and
/// a decided order answers from the record.
///
/// A new key begins a new capture, once each earlier one is decided, and not captured.
pub fn decide(
    stories: &[Story],
    ask: &Ask,
    us: Fence,
    is_alive: impl Fn(Fence) -> bool,
) -> Decision {
    let stand: Vec<_> = stories.iter().map(|story| (story, story.standing())).collect();
    let is_captured = |it: &&(&Story, Standing)| matches!(it.1, Standing::Captured(..));
    let is_open = |it: &&(&Story, Standing)| !matches!(it.1, Standing::NotCaptured(..));
    let has_the_key =
        |it: &&(&Story, Standing)| it.0.capture.idempotency_key() == ask.capture.idempotency_key();
    let found = stand.iter().find(is_captured).or_else(|| stand.iter().find(is_open));
    let Some((story, standing)) = found.or_else(|| stand.iter().find(has_the_key)) else {
        return Decision::Begin;
    };
    let is_same = match standing {
        // The order is captured, whatever the key.
        Standing::Captured(..) => story.capture.money() == ask.capture.money(),
        _ => story.capture == ask.capture,
    };
    if !is_same {
        return Decision::Answer(Answer::Other(Other {
            capture: story.capture,
            asked_at: story.asked_at,
            standing: standing.clone(),
        }));
    }
    let claim = |how| match ask.now {
        true => Decision::Claim(story.intent, how),
        false => Decision::Answer(Answer::Queued),
    };
    match standing.clone() {
        Standing::Captured(receipt, at) => {
            Decision::Answer(Answer::Decided(Outcome::Captured(receipt), at))
        }
        Standing::NotCaptured(refusal, at) => {
            Decision::Answer(Answer::Decided(Outcome::NotCaptured(refusal), at))
        }
        Standing::Claimed(claim, _) if is_alive(claim.fence) => {
            let is_ours = claim.fence == us;
            let busy = Busy { holder: claim.holder, since: claim.at, is_ours };
            Decision::Answer(Answer::Busy(busy))
        }
        Standing::Claimed(_, ticket) | Standing::Unknown(ticket) => claim(How::Resume(ticket)),
        Standing::Ready => claim(How::Fresh(ask.capture)),
    }
}

/// How a holder that wants work goes on with this capture; `None` where it is decided, held or not yet due.
pub fn due(story: &Story, at: SystemTime, is_alive: impl Fn(Fence) -> bool) -> Option<How> {
    if story.due_at().is_some_and(|due| due > at) {
        return None;
    }
    match story.standing() {
        Standing::Captured(..) | Standing::NotCaptured(..) => None,
        Standing::Claimed(claim, _) if is_alive(claim.fence) => None,
        Standing::Claimed(_, ticket) | Standing::Unknown(ticket) => Some(How::Resume(ticket)),
        Standing::Ready => Some(How::Fresh(story.capture)),
    }
}

impl Story {
    /// When it makes sense to go on with a capture that a holder left open; `None` where no holder did.
    #[must_use]
    pub fn due_at(&self) -> Option<SystemTime> {
        match self.standing() {
            Standing::Unknown(ticket) => Some(ticket.due_at()),
            Standing::Ready => {
                let entry = self.entries.last()?;
                entry.at.checked_add(entry.outcome.retry_after().unwrap_or(PUT_BACK))
            }
            _ => None,
        }
    }
}
