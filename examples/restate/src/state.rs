//! What the engine keeps for each order, and what it means for the next call.

use capture_hyper::{Capture, Outcome, Ticket};
use serde::{Deserialize, Serialize};

/// The latest that is known of an order. It has no end: the engine keeps it until it is cleared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub outcome: Outcome,
    /// How often it was looked at since it was asked for.
    pub looks: usize,
}

/// What to do about a capture that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Nobody has asked, or what was asked for was refused: a new capture.
    Begin,
    /// It is in doubt: look, and send again only what the look permits.
    Look(Ticket, usize),
    /// It is decided.
    Answer(Outcome),
    /// The order was asked for with other values.
    Other(String),
}

/// The rules are those of the journal (`capture_journal::decide`): a captured order is answered
/// whatever the key, an open one only with the same values, and a refused one takes a new key.
pub fn decide(state: Option<State>, asked: &Capture) -> Next {
    let Some(State { outcome, looks }) = state else { return Next::Begin };
    let before = *outcome.capture();
    let (same_money, same) = (before.money() == asked.money(), before == *asked);
    match outcome {
        Outcome::Captured(_) if same_money => Next::Answer(outcome),
        Outcome::Unknown(ticket) if same => Next::Look(ticket, looks),
        Outcome::NotCaptured(refusal) if same && refusal.keeps_key() => Next::Begin,
        Outcome::NotCaptured(_) if same => Next::Answer(outcome),
        Outcome::NotCaptured(_) if before.idempotency_key() != asked.idempotency_key() => {
            Next::Begin
        }
        outcome => Next::Other(other(&before, asked, outcome.name())),
    }
}

fn other(before: &Capture, asked: &Capture, standing: &str) -> String {
    let told = |it: &Capture| format!("{} under key {}", it.money(), it.idempotency_key());
    format!(
        "order {}: asked for with {} ({standing}), not with {}; nothing was sent",
        asked.order_id(),
        told(before),
        told(asked)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use capture_hyper::{IdempotencyKey, Money, OrderId};
    use std::time::SystemTime;

    const OWN: &str = "11111111-2222-4333-8444-555555555555";

    fn capture(amount: &str, key: Option<&str>) -> Capture {
        let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
        let derived = IdempotencyKey::for_order(order);
        let key = key.map_or(derived, |key| key.parse().unwrap());
        Capture::new(order, Money::parse(amount, "USD").unwrap(), key)
    }

    /// An outcome as it was stored, with the ends that its kind wants.
    fn stored(outcome: &str, rest: &str) -> Option<State> {
        let ticket = Ticket::interrupted(capture("100.00", None), SystemTime::UNIX_EPOCH);
        let mut fields: serde_json::Value = serde_json::to_value(ticket).unwrap();
        let fields = fields.as_object_mut().unwrap();
        fields.insert("outcome".into(), outcome.into());
        fields.extend(serde_json::from_str::<serde_json::Map<_, _>>(rest).unwrap());
        let outcome = serde_json::from_value(fields.clone().into()).unwrap();
        Some(State { outcome, looks: 3 })
    }

    #[test]
    fn the_state_decides_about_the_next_call() {
        let same = capture("100.00", None);
        let (other_key, other_money) = (capture("100.00", Some(OWN)), capture("1.00", None));
        let name = |state: &Option<State>, asked: &Capture| match decide(state.clone(), asked) {
            Next::Begin => "begin",
            Next::Look(_, 3) => "look",
            Next::Look(..) => "lost count",
            Next::Answer(_) => "answer",
            Next::Other(_) => "other",
        };
        let captured = stored("captured", r#"{"proof": "reply"}"#);
        let refused = stored("not_captured", r#"{"reason": {"declined": []}}"#);
        let unread = stored("not_captured", r#"{"reason": {"declined": []}, "is_unread": true}"#);
        let unknown = stored("unknown", "{}");
        for (state, expected) in [
            (None, ["begin"; 3]),
            (captured, ["answer", "answer", "other"]),
            (refused, ["answer", "begin", "other"]),
            (unread, ["begin", "begin", "other"]),
            (unknown, ["look", "other", "other"]),
        ] {
            let found = [same, other_key, other_money].map(|asked| name(&state, &asked));
            assert_eq!(found, expected, "{state:?}");
        }
    }
}
