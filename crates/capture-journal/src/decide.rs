//! What becomes of a capture that is asked for, by all that is known of its order.

use std::time::SystemTime;

use crate::journal::{Answer, Ask, Busy, Fence, HELD_ELSEWHERE, How, IntentId, Other, Want};
use crate::story::{Standing, Story, leading};

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

impl Decision {
    /// What is known of the capture; `None` if it would be begun.
    #[must_use]
    pub fn known(self) -> Option<Answer> {
        match self {
            Self::Begin => None,
            Self::Claim(..) => Some(Answer::Queued),
            Self::Answer(answer) => Some(answer),
        }
    }
}

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
    let has_the_key =
        |story: &&Story| story.capture.idempotency_key() == ask.capture.idempotency_key();
    let leading = leading(stories)
        .or_else(|| stories.iter().find(has_the_key).map(|story| (story, story.standing())));
    let Some((story, standing)) = leading else { return Decision::Begin };
    let is_same = match standing {
        // The order is captured, whatever the key.
        Standing::Captured(..) => story.capture.money() == ask.capture.money(),
        _ => story.capture == ask.capture,
    };
    if !is_same {
        let (capture, asked_at) = (story.capture, story.asked_at);
        return Decision::Answer(Answer::Other(Other { capture, asked_at, standing }));
    }
    // The API did not read the body; another content type may cure that, under the same key.
    let keeps_its_key =
        matches!(&standing, Standing::NotCaptured(refusal, _) if refusal.keeps_key());
    if keeps_its_key && ask.now {
        return Decision::Claim(story.intent, How::Fresh(ask.capture));
    }
    if let Some((outcome, at)) = standing.decided() {
        return Decision::Answer(Answer::Decided(outcome, at));
    }
    match standing {
        Standing::Claimed(claim, _) if is_alive(claim.fence) => {
            let is_ours = claim.fence == us;
            let busy = Busy { holder: claim.holder, since: claim.at, is_ours };
            Decision::Answer(Answer::Busy(busy))
        }
        standing => match standing.how(ask.capture).filter(|_| ask.now) {
            Some(how) => Decision::Claim(story.intent, how),
            None => Decision::Answer(Answer::Queued),
        },
    }
}

/// When a holder that wants work may find this capture due, if it is not due now; `None` where it is decided.
pub fn later(
    story: &Story,
    want: Want,
    at: SystemTime,
    is_alive: impl Fn(Fence) -> bool,
) -> Option<SystemTime> {
    let standing = story.standing();
    let due_at = story.due_at(&standing, &is_alive);
    match standing {
        Standing::Captured(..) | Standing::NotCaptured(..) => None,
        Standing::Claimed(claim, _) if is_alive(claim.fence) => at.checked_add(HELD_ELSEWHERE),
        Standing::Ready if want.only_open => None,
        _ => Some(due_at.unwrap_or(at)),
    }
}

/// How a holder that wants work goes on with this capture; `None` where it is decided, held or not yet due.
pub fn due(story: &Story, at: SystemTime, is_alive: impl Fn(Fence) -> bool) -> Option<How> {
    let standing = story.standing();
    if story.due_at(&standing, &is_alive).is_some_and(|due| due > at) {
        return None;
    }
    match standing {
        Standing::Claimed(claim, _) if is_alive(claim.fence) => None,
        standing => standing.how(story.capture),
    }
}
