//! The three outcomes of a capture, each with its proof and with what to do next.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::attempt::Attempt;
use crate::ticket::Ticket;
use crate::tokens::TokenError;
use crate::values::Capture;
use crate::wire::error::ApiError;
use crate::wire::order::OrderStatus;

/// What became of a capture. There are three outcomes, and nothing turns the third into the second.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// The money was captured: ship.
    Captured(Receipt),
    /// The money was decidedly not captured, and no request of ours can still capture it.
    NotCaptured(Refusal),
    /// The money may have moved. Keep the ticket and resume it; do not capture again with a new key.
    Unknown(Ticket),
}

/// Proof that an order was captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub(crate) capture: Capture,
    pub(crate) proof: Proof,
    pub(crate) attempts: Vec<Attempt>,
}

/// What a receipt rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {
    /// The API's word in the reply to this very capture.
    Reply,
    /// The order's status. It shows neither the amount nor who captured.
    OrderStatus(OrderStatus),
}

/// A decided "no".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) capture: Capture,
    pub(crate) reason: Reason,
    pub(crate) attempts: Vec<Attempt>,
}

/// Why an order was not captured.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No capture left this machine; the last obstacle.
    NeverSent(String),
    /// No bearer token could be obtained, so no capture was executed.
    NoToken(TokenError),
    /// The API refused every token that it was shown.
    Unauthorized,
    /// The API answered FAILED.
    Declined(Vec<ApiError>),
    /// The API refused the request as such.
    Rejected(StatusCode, Vec<ApiError>),
    /// The API asked to come back later, and that is beyond the deadline.
    Throttled(Option<Duration>),
    /// The order is cancelled or voided, for good.
    OrderCancelled,
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
            Self::Captured(receipt) => match receipt.proof {
                Proof::Reply => "reply",
                Proof::OrderStatus(_) => "order_status",
            },
            Self::NotCaptured(refusal) => refusal.reason.code(),
            Self::Unknown(ticket) => ticket.doubt.code(),
        }
    }

    /// What was to be captured.
    #[must_use]
    pub fn capture(&self) -> &Capture {
        match self {
            Self::Captured(receipt) => &receipt.capture,
            Self::NotCaptured(refusal) => &refusal.capture,
            Self::Unknown(ticket) => &ticket.capture,
        }
    }

    /// Everything that was sent, in order.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        match self {
            Self::Captured(receipt) => &receipt.attempts,
            Self::NotCaptured(refusal) => &refusal.attempts,
            Self::Unknown(ticket) => &ticket.attempts,
        }
    }

    /// One sentence for a person: what to do next.
    #[must_use]
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Captured(receipt) => receipt.next_step(),
            Self::NotCaptured(refusal) => refusal.next_step(),
            Self::Unknown(ticket) => ticket.next_step(),
        }
    }
}

/// What happened, in one sentence.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Captured(receipt) => match receipt.proof {
                Proof::Reply => f.write_str("captured: the API says SUCCESS"),
                Proof::OrderStatus(status) => write!(f, "captured: the order is {status}"),
            },
            Self::NotCaptured(refusal) => write!(f, "not captured: {}", refusal.reason),
            Self::Unknown(ticket) => write!(f, "unknown: {}", ticket.doubt),
        }
    }
}

impl Receipt {
    /// What was captured.
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

    /// Everything that was sent, in order.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// One sentence for a person: what to do next.
    #[must_use]
    pub fn next_step(&self) -> &'static str {
        match self.proof {
            Proof::Reply => "Ship; the order is paid.",
            Proof::OrderStatus(OrderStatus::Returned) => {
                "The order was captured and has been refunded since; do not ship without asking."
            }
            Proof::OrderStatus(_) => {
                "Ship; the order is paid. Its status does not show the amount: compare it in your books."
            }
        }
    }
}

impl Refusal {
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
        &self.attempts
    }

    /// One sentence for a person: what to do next.
    #[must_use]
    pub fn next_step(&self) -> &'static str {
        match self.reason {
            Reason::NeverSent(_) => {
                "Check the network and the environment, then capture again with the same key."
            }
            Reason::NoToken(_) | Reason::Unauthorized => {
                "Check the credentials and that they belong to this environment, then capture again with the same key."
            }
            Reason::Declined(_) => {
                "Do not ship. Once the cause is mended, capture again with a new key: this one keeps its answer."
            }
            Reason::Rejected(..) => {
                "Mend what the API names, then capture again with a new key: this one may keep its answer."
            }
            Reason::Throttled(_) => "Wait, then capture again with the same key.",
            Reason::OrderCancelled => {
                "The order can no longer be captured; ask the customer to pay again."
            }
        }
    }
}

impl Reason {
    /// A short, stable name for logs and machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NeverSent(_) => "never_sent",
            Self::NoToken(_) => "no_token",
            Self::Unauthorized => "unauthorized",
            Self::Declined(_) => "declined",
            Self::Rejected(..) => "rejected",
            Self::Throttled(_) => "throttled",
            Self::OrderCancelled => "order_cancelled",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverSent(why) => write!(f, "no capture was sent ({why})"),
            Self::NoToken(denied) => write!(f, "no bearer token: {denied}"),
            Self::Unauthorized => f.write_str("the API refused the bearer token"),
            Self::Declined(errors) => write!(f, "the API says FAILED{}", Listed(errors)),
            Self::Rejected(status, errors) => {
                write!(f, "the API refused the request ({}){}", status.as_u16(), Listed(errors))
            }
            Self::Throttled(Some(wait)) => write!(f, "the API asks to wait {} s", wait.as_secs()),
            Self::Throttled(None) => f.write_str("the API asks to come back later"),
            Self::OrderCancelled => {
                f.write_str("the order is cancelled or its capture window is over")
            }
        }
    }
}

/// The first errors of a list, after a colon.
struct Listed<'a>(&'a [ApiError]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().take(3).enumerate() {
            f.write_str(if index == 0 { ": " } else { "; " })?;
            match (&error.field, &error.code) {
                (Some(field), _) => write!(f, "{field}: {}", error.message)?,
                (None, Some(code)) => write!(f, "{} ({code})", error.message)?,
                (None, None) => f.write_str(&error.message)?,
            }
        }
        Ok(())
    }
}
