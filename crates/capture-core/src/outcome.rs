//! The three outcomes of a capture, each with its proof and with what to do next.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::attempt::Attempt;
use crate::cause;
use crate::proof::{Caveat, Proof};
use crate::reason::Reason;
use crate::record::Record;
use crate::ticket::Ticket;
use crate::unread;
use crate::values::{Capture, IdempotencyKey};

/// What became of a capture. There are three outcomes, and nothing turns the third into the second.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// The money was captured: ship, unless the receipt has a [`Caveat`].
    Captured(Receipt),
    /// The money was definitely not captured, and no request of ours can still capture it.
    NotCaptured(Refusal),
    /// The money may have moved. Keep the ticket and resume it; do not capture again with a new key.
    Unknown(Ticket),
}

/// Proof that an order was captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub(crate) capture: Capture,
    pub(crate) proof: Proof,
    pub(crate) record: Record,
}

/// A definite "no".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) capture: Capture,
    pub(crate) reason: Reason,
    /// Whether the server seems not to have read the body, sent under the literal content type.
    pub(crate) is_unread: bool,
    pub(crate) record: Record,
}

impl Outcome {
    /// `captured`, `not_captured` or `unknown`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Captured(_) => "captured",
            Self::NotCaptured(_) => "not_captured",
            Self::Unknown(_) => "unknown",
        }
    }

    /// A short, stable name of the reason, for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Captured(receipt) => match (receipt.caveat(), receipt.proof) {
                (Some(caveat), _) => caveat.code(),
                (None, Proof::Reply) => "reply",
                (None, Proof::OrderStatus(_) | Proof::Order { .. }) => "order_status",
            },
            Self::NotCaptured(refusal) => refusal.reason.code(),
            Self::Unknown(ticket) => ticket.doubt.code(),
        }
    }

    /// What stands in the way by its stable name: finer than the code where nothing was sent or
    /// where a doubt is still open; `None` once it is captured.
    #[must_use]
    pub fn cause(&self) -> Option<&'static str> {
        match self {
            Self::Captured(_) => None,
            Self::NotCaptured(refusal) => Some(refusal.reason.cause()),
            Self::Unknown(ticket) => Some(ticket.obstacle.cause()),
        }
    }

    /// How long the API asked to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Captured(_) => None,
            Self::NotCaptured(refusal) => refusal.reason.retry_after(),
            Self::Unknown(ticket) => ticket.retry_after,
        }
    }

    /// The capture that this is the outcome of.
    #[must_use]
    pub fn capture(&self) -> &Capture {
        match self {
            Self::Captured(receipt) => &receipt.capture,
            Self::NotCaptured(refusal) => &refusal.capture,
            Self::Unknown(ticket) => &ticket.capture,
        }
    }

    /// Everything that was sent, in order, by this run and by the earlier ones that it resumed; of
    /// more than 100 attempts, the first 16 and the latest 84.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        self.record().all()
    }

    /// What was sent by this run alone: since the start, or since the ticket was resumed.
    #[must_use]
    pub fn attempts_this_run(&self) -> &[Attempt] {
        self.record().this_run()
    }

    fn record(&self) -> &Record {
        match self {
            Self::Captured(receipt) => &receipt.record,
            Self::NotCaptured(refusal) => &refusal.record,
            Self::Unknown(ticket) => &ticket.record,
        }
    }

    /// What to do next, for a person.
    #[must_use]
    pub fn next_step(&self) -> Cow<'static, str> {
        match self {
            Self::Captured(receipt) => receipt.next_step().into(),
            Self::NotCaptured(refusal) => refusal.next_step(),
            Self::Unknown(ticket) => ticket.next_step(),
        }
    }
}

/// What happened, in one sentence.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Captured(receipt) => {
                match receipt.proof.order_status() {
                    None => f.write_str("captured: the API says SUCCESS")?,
                    Some(status) => write!(f, "captured: the order is {status}")?,
                }
                receipt.caveat().map_or(Ok(()), |caveat| write!(f, "; {caveat}"))
            }
            Self::NotCaptured(refusal) => write!(f, "not captured: {}", refusal.reason),
            Self::Unknown(ticket) => write!(f, "unknown: {}; {}", ticket.doubt, ticket.obstacle),
        }
    }
}

impl Receipt {
    /// The capture that was asked for. Its amount is what was captured only if
    /// [`amount_verified`](Self::amount_verified) says so.
    #[must_use]
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    /// What the receipt rests on.
    #[must_use]
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// Whether the amount is proven as well. An order's status does not show it.
    #[must_use]
    pub fn amount_verified(&self) -> bool {
        self.proof == Proof::Reply
    }

    /// Why the goods must not be shipped although the order was captured; usually there is no reason.
    #[must_use]
    pub fn caveat(&self) -> Option<Caveat> {
        self.proof.caveat(self.capture.money().currency())
    }

    /// Everything that was sent, in order.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        self.record.all()
    }

    /// What to do next, in one sentence for a person.
    #[must_use]
    pub fn next_step(&self) -> &'static str {
        match self.caveat() {
            Some(caveat) => caveat.next_step(),
            None if self.amount_verified() => "Ship; the order is paid.",
            None => {
                "Ship; the order is paid. Its status does not show the amount: check it in your books."
            }
        }
    }
}

impl Refusal {
    /// A capture that was never started, and so never sent.
    #[must_use]
    pub fn not_started(capture: Capture) -> Self {
        let reason = Reason::NeverSent(cause::STOPPED.to_owned());
        Self { capture, reason, is_unread: false, record: Record::default() }
    }

    /// What was not captured.
    #[must_use]
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// Everything that was sent, in order.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        self.record.all()
    }

    /// Whether the API decided "no" and the capture may be asked for again under this key: the server
    /// seems not to have read the body, which another content type cures.
    #[must_use]
    pub fn keeps_key(&self) -> bool {
        self.is_unread && matches!(self.reason, Reason::Declined(_) | Reason::Rejected(..))
    }

    /// The key of the next capture, where [`next_step`](Self::next_step) asks for a new one. Always
    /// the same, so that two people who follow it capture once.
    #[must_use]
    pub fn new_key(&self) -> Option<IdempotencyKey> {
        let needs_one = match self.reason {
            Reason::Declined(_) | Reason::Rejected(..) => !self.keeps_key(),
            Reason::KeyUsed(_) => true,
            _ => false,
        };
        needs_one.then(|| IdempotencyKey::following(self.capture.idempotency_key()))
    }

    /// What to do next, in one sentence for a person.
    #[must_use]
    pub fn next_step(&self) -> Cow<'static, str> {
        let same_key = |advice| format!("{advice}, then capture again with the same key.").into();
        let sentence = match &self.reason {
            // Without a body the server saw no key either, so that the same one is right.
            Reason::Declined(_) | Reason::Rejected(..) if self.keeps_key() => {
                return same_key(unread::ADVICE);
            }
            Reason::Forbidden(_) => return same_key(cause::CHECK_RIGHTS),
            Reason::NeverSent(why) if why == cause::STOPPED => "Capture again with the same key.",
            Reason::NeverSent(why) => return same_key(cause::of(why).advice),
            Reason::NoToken(error) => return same_key(error.advice()),
            Reason::Unauthorized => return same_key(cause::CHECK_CREDENTIALS),
            Reason::Declined(_) => {
                "Do not ship. Fix the cause, then capture again with a new key: the API repeats its reply to this one."
            }
            Reason::Rejected(..) => {
                "Fix what the API reports, then capture again with a new key: the API may repeat its reply to this one."
            }
            Reason::KeyUsed(_) => {
                "Find out what became of the earlier capture under this key, then capture again with a new key."
            }
            Reason::Throttled(_) => "Wait, then capture again with the same key.",
            Reason::OrderCancelled => {
                "The order can no longer be captured; ask the customer to pay again."
            }
        };
        sentence.into()
    }
}
