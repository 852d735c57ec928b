//! What decides of a reason, of a ticket, of an outcome and of a standing, as small numbers.

use std::time::SystemTime;

use capture_core::{Doubt, Outcome, Reason, Refusal, Ticket};
use capture_journal::Standing;

/// What decides how the journal goes on with the capture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stand {
    /// What kind of standing it is.
    pub(crate) kind: u32,
    /// When its ticket says that the capture was first sent.
    pub(crate) first_sent: Option<SystemTime>,
}

impl Stand {
    /// Of a capture that was never asked for, as of one of which nothing was sent.
    pub(crate) fn of(standing: Option<&Standing>) -> Self {
        let ticket = |base: u32, ticket: &Ticket| Self {
            kind: base + of_ticket(ticket),
            first_sent: ticket.first_sent(),
        };
        match standing {
            None | Some(Standing::Ready) => Self::default(),
            Some(Standing::Captured(..)) => Self { kind: 1, first_sent: None },
            Some(Standing::NotCaptured(refusal, _)) => {
                Self { kind: 2 + of_refusal(refusal), first_sent: None }
            }
            Some(Standing::Unknown(it)) => ticket(8, it),
            Some(Standing::Claimed(_, it)) => ticket(16, it),
        }
    }

    /// As an outcome would stand, if it were recorded.
    pub(crate) fn of_outcome(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Captured(_) => Self { kind: 1, first_sent: None },
            Outcome::NotCaptured(refusal) => {
                Self { kind: 2 + of_refusal(refusal), first_sent: None }
            }
            Outcome::Unknown(ticket) => {
                Self { kind: 8 + of_ticket(ticket), first_sent: ticket.first_sent() }
            }
        }
    }

    /// The same without its claim: the next one resumes it in either case.
    pub(crate) fn as_if_ended(self) -> Self {
        Self { kind: if self.is_claimed() { self.kind - 8 } else { self.kind }, ..self }
    }

    /// Whether it is claimed.
    pub(crate) fn is_claimed(self) -> bool {
        self.kind >= 16
    }

    /// Whether it can be asked for again although it is decided.
    pub(crate) fn keeps_key(self) -> bool {
        self.kind == 2 + KEEPS_KEY
    }
}

/// A refusal that another content type may cure, under the same key.
const KEEPS_KEY: u32 = 3;

/// As far as it decides: whether it has to be confirmed, whether the order was unknown, and whether
/// the server did not read the body. The only answer of the catalogue that says so is a 415.
pub(crate) fn of_reason(reason: &Reason) -> u32 {
    match reason {
        Reason::Rejected(404, _) => 2,
        Reason::Rejected(415, _) => KEEPS_KEY,
        reason => u32::from(reason.is_decided()),
    }
}

/// What kind of reason it is is judged.
pub(crate) fn of_refusal(refusal: &Refusal) -> u32 {
    let kind = match refusal.reason() {
        Reason::OrderCancelled => 4,
        reason => of_reason(reason).min(KEEPS_KEY),
    };
    assert_eq!(refusal.keeps_key(), kind == KEEPS_KEY, "a reason for which there is no number");
    kind
}

/// A refusal that waits to be confirmed, or whatever doubt.
fn of_ticket(ticket: &Ticket) -> u32 {
    match ticket.doubt() {
        Doubt::Unconfirmed(reason) if reason.is_decided() => 1 + of_reason(reason),
        _ => 0,
    }
}
