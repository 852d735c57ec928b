//! The story of an order in plain words, for a person and for a machine: from the journal alone.

use capture_core::{Attempt, OrderId, Outcome};
use serde::Serialize;

use crate::chain::Hash;
use crate::journal::Holder;
use crate::story::{Claim, Story, leading};
use crate::utc::{moment, utc};
use crate::words::{Words, words};

/// What a journal has of one order. It serialises as what `capture explain --json` prints.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The order.
    pub order_id: OrderId,
    /// Where it lives.
    pub environment: String,
    /// What was asked for, oldest first.
    pub captures: Vec<Asked>,
    /// What is certain.
    pub known: Vec<String>,
    /// What is not.
    pub not_known: Vec<String>,
    /// What keeps it from being decided.
    pub blocked_by: Option<String>,
    /// What to do.
    pub next_step: String,
    /// Whether the journal's records are as they were written, if that was looked at.
    pub chain: Option<Chain>,
}

/// A capture that was asked for.
#[derive(Debug, Clone, Serialize)]
pub struct Asked {
    /// How much, such as `100.00 USD`.
    pub money: String,
    /// Under which key.
    pub idempotency_key: String,
    /// When.
    pub asked_at: String,
    /// `ready`, `claimed`, `unknown`, `captured` or `not_captured`.
    pub standing: &'static str,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A process took the capture. It sent nothing before.
    Claimed {
        /// When.
        at: String,
        /// Who.
        by: Holder,
    },
    /// A request.
    Attempt {
        /// When it began.
        at: String,
        /// `capture`, `lookup` or `login`.
        operation: &'static str,
        /// How far it got.
        phase: &'static str,
        /// The status of the reply.
        status: Option<u16>,
        /// The gateway's id of the request.
        request_id: Option<String>,
        /// What it showed.
        says: String,
    },
    /// What the process found, as it was recorded.
    Recorded {
        /// When.
        at: String,
        /// In one sentence.
        says: String,
        /// Whether another process had taken the capture meanwhile, so that only *captured* counts.
        is_note: bool,
    },
    /// The process recorded nothing: it ended without a word, or is still at work.
    Silent,
}

/// What walking the journal's chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// How many records there are, of all orders.
    pub records: i64,
    /// The hash of the last one in hexadecimal, to be noted elsewhere.
    pub head: String,
    /// The first record that is not as it was written.
    pub broken_at: Option<i64>,
}

impl Chain {
    /// With the head as it is shown.
    #[must_use]
    pub fn new(records: i64, head: &Hash, broken_at: Option<i64>) -> Self {
        let head = head.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { records, head, broken_at }
    }
}

/// Explains an order; `None` if the journal has nothing of it.
///
/// The words are for a person on call: what is certain comes from evidence, and whatever is not is said
/// to be in doubt.
#[must_use]
pub fn explain(environment: &str, stories: &[Story], chain: Option<Chain>) -> Option<Explanation> {
    let last = decisive(stories)?;
    let standing = last.standing();
    let Words { known, not_known, blocked_by, next_step } = words(last, &standing);
    Some(Explanation {
        order_id: last.capture.order_id(),
        environment: environment.to_owned(),
        captures: stories.iter().map(asked).collect(),
        known,
        not_known,
        blocked_by,
        next_step,
        chain,
    })
}

/// The capture that tells what became of the order: the one that took place, else the open one, else the
/// latest.
#[must_use]
pub fn decisive(stories: &[Story]) -> Option<&Story> {
    leading(stories).map(|(story, _)| story).or(stories.last())
}

fn asked(story: &Story) -> Asked {
    let mut events = Vec::new();
    for claim in &story.claims {
        let Claim { id, holder, at, .. } = claim;
        events.push(Event::Claimed { at: utc(*at), by: holder.clone() });
        let mut is_silent = true;
        for entry in story.entries.iter().filter(|entry| entry.claim == *id) {
            events.extend(entry.outcome.attempts_this_run().iter().map(attempt));
            let says = found(&entry.outcome);
            events.push(Event::Recorded { at: utc(entry.at), says, is_note: entry.is_note });
            is_silent = false;
        }
        if is_silent {
            events.push(Event::Silent);
        }
    }
    Asked {
        money: story.capture.money().to_string(),
        idempotency_key: story.capture.idempotency_key().to_string(),
        asked_at: utc(story.asked_at),
        standing: story.standing().name(),
        events,
    }
}

/// A capture that never got as far as the order is not called "not captured".
fn found(outcome: &Outcome) -> String {
    match outcome {
        Outcome::NotCaptured(refusal) if !refusal.reason().is_decided() => {
            format!("nothing done: {}", refusal.reason())
        }
        outcome => outcome.to_string(),
    }
}

fn attempt(attempt: &Attempt) -> Event {
    Event::Attempt {
        at: utc(moment(attempt.began_ms)),
        operation: attempt.operation.code(),
        phase: attempt.phase.code(),
        status: attempt.status,
        request_id: attempt.request_id.clone(),
        says: attempt.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use capture_core::{Capture, IdempotencyKey, Money, Reason, Refusal};

    use super::*;
    use crate::journal::{ClaimId, Fence, IntentId};
    use crate::story::Entry;

    const UNKNOWN: &str = include_str!("../../capture-core/tests/golden/unknown-v2.json");
    const CAPTURED: &str = include_str!("../../capture-core/tests/golden/captured-v2.json");

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_788_000_000 + seconds)
    }

    fn claim(id: i64, seconds: u64) -> Claim {
        let holder = Holder { host: "batch1".to_owned(), process: 4711 };
        Claim { id: ClaimId(id), fence: Fence(id), holder, at: at(seconds) }
    }

    fn entry(claim: i64, seconds: u64, outcome: Outcome, is_note: bool) -> Entry {
        Entry { claim: ClaimId(claim), at: at(seconds), is_note, outcome }
    }

    fn story(claims: Vec<Claim>, entries: Vec<Entry>) -> Story {
        let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
        let money = Money::parse("100.00", "USD").unwrap();
        let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
        Story { intent: IntentId(1), capture, asked_at: at(0), claims, entries }
    }

    /// The texts are in `tests/golden`.
    fn check(golden: &str, story: Story, chain: Option<Chain>) {
        let text = explain("production", &[story], chain).unwrap().to_string();
        assert_eq!(text, golden, "if this is right, put it into the file:\n{text}");
    }

    #[test]
    fn an_order_in_doubt() {
        let outcome: Outcome = serde_json::from_str(UNKNOWN).unwrap();
        let story = story(vec![claim(1, 0)], vec![entry(1, 2, outcome, false)]);
        let chain = Chain::new(12, &[0xab; 32], None);
        check(include_str!("../tests/golden/unknown.txt"), story, Some(chain));
    }

    #[test]
    fn a_process_that_ended_without_a_word() {
        let silent = story(vec![claim(1, 0)], Vec::new());
        check(include_str!("../tests/golden/silent.txt"), silent, None);
    }

    #[test]
    fn a_process_that_was_late() {
        let captured: Outcome = serde_json::from_str(CAPTURED).unwrap();
        let late = story(vec![claim(1, 0), claim(2, 60)], vec![entry(1, 90, captured, true)]);
        let chain = Chain::new(3, &[0; 32], Some(2));
        check(include_str!("../tests/golden/late.txt"), late, Some(chain));
    }

    #[test]
    fn what_was_refused_and_what_was_never_sent() {
        let told = |reason| {
            let capture = story(Vec::new(), Vec::new()).capture;
            let outcome = Outcome::NotCaptured(Refusal::new(capture, reason));
            story(vec![claim(1, 0)], vec![entry(1, 2, outcome, false)])
        };
        let refused = told(Reason::Declined(Vec::new()));
        check(include_str!("../tests/golden/refused.txt"), refused, None);
        let unsent = told(Reason::NeverSent("connection refused".to_owned()));
        check(include_str!("../tests/golden/unsent.txt"), unsent, None);
    }

    #[test]
    fn the_capture_that_took_place_decides() {
        assert!(explain("production", &[], None).is_none());
        let captured: Outcome = serde_json::from_str(CAPTURED).unwrap();
        let captured = story(vec![claim(1, 0)], vec![entry(1, 2, captured, false)]);
        let open = story(vec![claim(2, 5)], Vec::new());
        let explained = explain("production", &[captured, open], None).unwrap();
        assert_eq!(explained.captures.len(), 2);
        assert_eq!(explained.next_step, "Ship; the order is paid.");
    }
}
