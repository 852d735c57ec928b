//! What is certain of an order, what is not, what blocks it and what to do: by where it stands.

use std::time::SystemTime;

use capture_core::{Outcome, Reason, Receipt, Refusal, Ticket};

use crate::story::{Claim, Standing, Story};
use crate::utc::utc;

/// What is to be said of an order.
pub(crate) struct Words {
    pub(crate) known: Vec<String>,
    pub(crate) not_known: Vec<String>,
    pub(crate) blocked_by: Option<String>,
    pub(crate) next_step: String,
}

pub(crate) fn words(story: &Story, standing: &Standing) -> Words {
    match standing {
        Standing::Captured(receipt, at) => captured(receipt, *at),
        Standing::NotCaptured(refusal, at) => not_captured(refusal, *at),
        Standing::Ready => ready(story),
        Standing::Claimed(claim, ticket) => claimed(claim, ticket),
        Standing::Unknown(ticket) => in_doubt(ticket),
    }
}

fn captured(receipt: &Receipt, at: SystemTime) -> Words {
    let outcome = Outcome::Captured(receipt.clone());
    let amount = match receipt.amount_verified() {
        true => None,
        false => Some(format!(
            "Whether the amount was {}: the order's status does not show it.",
            receipt.capture().money()
        )),
    };
    Words {
        known: vec![format!("{} (recorded {}).", capitalised(&outcome.to_string()), utc(at))],
        not_known: amount.into_iter().collect(),
        blocked_by: None,
        next_step: receipt.next_step().to_owned(),
    }
}

fn not_captured(refusal: &Refusal, at: SystemTime) -> Words {
    let outcome = Outcome::NotCaptured(refusal.clone());
    let mut next_step = refusal.next_step().into_owned();
    if let Some(key) = refusal.new_key() {
        next_step.push_str(&format!(" The next key is {key}."));
    }
    Words {
        known: vec![format!("{} (recorded {}).", capitalised(&outcome.to_string()), utc(at))],
        not_known: Vec::new(),
        blocked_by: None,
        next_step,
    }
}

/// Each holder so far recorded that it sent nothing.
fn ready(story: &Story) -> Words {
    let last = story.entries.iter().rev().find_map(|entry| match &entry.outcome {
        Outcome::NotCaptured(refusal) => Some(refusal.reason()),
        _ => None,
    });
    Words {
        known: vec!["Nothing was captured: no request got as far as the order.".to_owned()],
        not_known: Vec::new(),
        blocked_by: last.map(Reason::to_string),
        next_step: "Fix what blocks it, if anything does, then run the same command again.".into(),
    }
}

fn claimed(claim: &Claim, ticket: &Ticket) -> Words {
    let Claim { holder, at, .. } = claim;
    let mut known = vec![format!(
        "{} took it at {}, and has recorded nothing since.",
        capitalised(&holder.to_string()),
        utc(*at)
    )];
    known.extend(first_send(ticket));
    Words {
        known,
        not_known: vec![
            "Whether that process is still at work, and how far it got.".to_owned(),
            "Whether the money moved.".to_owned(),
        ],
        blocked_by: Some(format!("{holder} has not said what became of it")),
        next_step:
            "Hold the goods, and do not use a new key. If that process has ended, run the same \
                    command again: it begins with the order's status. If it has not, wait for it."
                .to_owned(),
    }
}

fn in_doubt(ticket: &Ticket) -> Words {
    let mut known: Vec<String> = first_send(ticket).into_iter().collect();
    known.push(format!("Every send has had the key {}.", ticket.capture().idempotency_key()));
    Words {
        known,
        not_known: vec![format!("Whether the money moved: {}.", ticket.doubt())],
        blocked_by: Some(ticket.obstacle().to_string()),
        next_step: format!("{} Look again after {}.", ticket.next_step(), utc(ticket.due_at())),
    }
}

fn first_send(ticket: &Ticket) -> Option<String> {
    ticket.first_sent().map(|at| format!("Nothing was sent before {}.", utc(at)))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().to_string() + letters.as_str())
}
