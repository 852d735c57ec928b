//! The causes: why an order was not captured, why it is not known, and what keeps us from finding out.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cause;
use crate::token_error::TokenError;
use crate::wire::error::ApiError;
use crate::wire::order::OrderStatus;

/// Why an order was not captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// No capture was sent; the last obstacle.
    NeverSent(String),
    /// No bearer token could be obtained, so no capture was executed.
    NoToken(TokenError),
    /// The API refused every token that was tried (401).
    Unauthorized,
    /// The API, or the gateway in front of it, grants our tokens no right to capture (403).
    Forbidden(Vec<ApiError>),
    /// The API replied FAILED.
    Declined(Vec<ApiError>),
    /// The API refused the request as such, with this status.
    Rejected(u16, Vec<ApiError>),
    /// The API says that the key was used before, for another payload (409).
    KeyUsed(Vec<ApiError>),
    /// The API asked us to come back later, and the policy allows no further wait or send.
    Throttled(#[serde(with = "crate::seconds")] Option<Duration>),
    /// The order is cancelled or voided, permanently.
    OrderCancelled,
}

/// Why an attempt proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Doubt {
    /// No reply came, and the request may have been sent.
    NoReply,
    /// A reply began and broke off.
    CutReply,
    /// The capture was interrupted: this process does not know how far it got.
    Interrupted,
    /// The status decides nothing.
    Status(u16),
    /// A redirect, which is never followed; its target, if it names one.
    Redirect(Option<String>),
    /// A body that is encoded, declared not to be JSON, or unreadable.
    Unreadable(String),
    /// A word that says neither SUCCESS nor FAILED.
    Word(String),
    /// Two parts of the reply contradict each other.
    Contradiction(String),
    /// The reply is about another order.
    ForeignOrder,
    /// SUCCESS, but perhaps to another order: the key is the caller's own and was perhaps used before,
    /// and the reply names no order.
    UnprovenKey,
    /// The API refused, and the order has not confirmed it: perhaps it refused because somebody else
    /// had captured the order.
    Unconfirmed(Box<Reason>),
}

/// What keeps an unknown outcome from being decided. It helps a reader more than the doubt does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Obstacle {
    /// The order has not been looked up since the doubt arose.
    NotLookedUp,
    /// The caller stopped the capture.
    Stopped,
    /// The order is in a state that decides nothing.
    OrderStatus(OrderStatus),
    /// The order was seen waiting, but not yet often enough to confirm a refusal.
    SeenWaiting,
    /// The order still waits for its capture, and the capture may not be sent again.
    NotSentAgain(Barred),
    /// The reply to the last lookup is no evidence.
    Lookup(Doubt),
    /// The last lookup was not sent.
    Network(String),
    /// The API refused the bearer token.
    Unauthorized,
    /// There is no bearer token.
    NoToken(TokenError),
    /// The policy forbids looking the order up.
    LookupOff,
    /// The driver did not wait, or its clock stands still.
    Driver,
}

/// Why a capture in doubt may not be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Barred {
    /// The policy says [`Resend::Never`](crate::Resend::Never).
    Never,
    /// All sends of the policy are used.
    SendsUsed,
    /// The key is older than the 24 hours in which the server recognises it.
    KeyTooOld,
    /// The key's age is unknown: its first send lies in the future by this machine's clock, or was
    /// never recorded.
    KeyAgeUnknown,
    /// The client's retry budget is used up for now.
    RetryBudget,
    /// The API has answered this key with SUCCESS; it would say the same again.
    Answered,
    /// The API has said for longer than any capture takes that the key is in use.
    KeyBusy,
}

impl Reason {
    /// A short, stable name for logs and machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NeverSent(_) => "never_sent",
            Self::NoToken(error) => error.code(),
            Self::Unauthorized => "unauthorized",
            Self::Forbidden(_) => "forbidden",
            Self::Declined(_) => "declined",
            Self::Rejected(..) => "rejected",
            Self::KeyUsed(_) => "key_used",
            Self::Throttled(_) => "throttled",
            Self::OrderCancelled => "order_cancelled",
        }
    }

    /// The cause by its stable name: the code, or why the request was not sent
    /// (`connection_refused`, `name_not_resolved`, `certificate`, ...).
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::NeverSent(why) => cause::of(why).code,
            Self::NoToken(error) => error.cause(),
            _ => self.code(),
        }
    }

    /// Whether the API decided about this capture. Otherwise nothing was executed, which says
    /// nothing about what an earlier process may have sent for the same order.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        match self {
            Self::NeverSent(_)
            | Self::NoToken(_)
            | Self::Unauthorized
            | Self::Forbidden(_)
            | Self::Throttled(_) => false,
            Self::Declined(_) | Self::Rejected(..) | Self::KeyUsed(_) | Self::OrderCancelled => {
                true
            }
        }
    }

    /// How long the API asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NoToken(error) => error.retry_after(),
            Self::Throttled(wait) => *wait,
            _ => None,
        }
    }

    /// All that the API said about it, in its own words.
    #[must_use]
    pub fn errors(&self) -> &[ApiError] {
        match self {
            Self::Declined(errors)
            | Self::Rejected(_, errors)
            | Self::KeyUsed(errors)
            | Self::Forbidden(errors) => errors,
            _ => &[],
        }
    }
}

impl Doubt {
    /// A short, stable name for logs and machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoReply => "no_reply",
            Self::CutReply => "cut_reply",
            Self::Interrupted => "interrupted",
            Self::Status(409) => "in_progress",
            Self::Status(_) => "undecided_status",
            Self::Redirect(_) => "redirect",
            Self::Unreadable(_) => "unreadable_reply",
            Self::Word(_) => "undecided_word",
            Self::Contradiction(_) => "contradiction",
            Self::ForeignOrder => "foreign_order",
            Self::UnprovenKey => "unproven_key",
            Self::Unconfirmed(_) => "unconfirmed_refusal",
        }
    }
}

impl Obstacle {
    /// A short, stable name for logs and machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotLookedUp => "not_looked_up",
            Self::Stopped => "stopped",
            Self::OrderStatus(_) => "order_status",
            Self::SeenWaiting => "seen_waiting",
            Self::NotSentAgain(_) => "not_sent_again",
            Self::Lookup(doubt) => of_lookup(doubt).0,
            Self::Network(_) => "network",
            Self::Unauthorized => "unauthorized",
            Self::NoToken(error) => error.code(),
            Self::LookupOff => "lookup_off",
            Self::Driver => "driver",
        }
    }

    /// The cause by its stable name: the code, or why the request was not sent
    /// (`connection_refused`, `name_not_resolved`, `certificate`, ...).
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Network(why) => cause::of(why).code,
            Self::NoToken(error) => error.cause(),
            _ => self.code(),
        }
    }

    /// What to do about it before the capture is resumed, in one clause; `None` where resuming is
    /// all there is to do.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::NoToken(error) => Some(error.advice()),
            Self::Network(why) => Some(cause::of(why).advice),
            Self::Unauthorized => Some(cause::CHECK_CREDENTIALS),
            Self::OrderStatus(OrderStatus::Problem) => Some("Ask FlexFactor's support"),
            Self::OrderStatus(_) => Some("Wait until the order's status is final"),
            Self::Lookup(doubt) => Some(of_lookup(doubt).1),
            Self::LookupOff => Some("Allow lookups in the policy"),
            Self::Driver => Some("Fix the driver"),
            Self::NotSentAgain(Barred::KeyBusy) => {
                Some("Ask FlexFactor's support whether this key was used for another amount")
            }
            Self::NotLookedUp | Self::Stopped | Self::SeenWaiting | Self::NotSentAgain(_) => None,
        }
    }
}

/// What keeps a lookup from being evidence: its stable name, and the advice.
fn of_lookup(doubt: &Doubt) -> (&'static str, &'static str) {
    match doubt {
        Doubt::Status(401 | 403) => {
            ("lookup_refused", "Check that the credentials may read orders in this environment")
        }
        Doubt::Status(404) => ("lookup_not_found", cause::CHECK_ORDER),
        Doubt::Status(429) => ("lookup_throttled", "Wait as long as the API asks"),
        Doubt::Status(408 | 425 | 500..=599) => ("lookup_unavailable", cause::WAIT_FOR_API),
        Doubt::NoReply | Doubt::CutReply => ("lookup_no_reply", cause::CHECK_NETWORK),
        _ => ("lookup", cause::CHECK_URL),
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverSent(why) => write!(f, "no capture was sent ({why})"),
            Self::NoToken(error) => error.fmt(f),
            Self::Unauthorized => f.write_str("the API refused the bearer token"),
            Self::Declined(errors) => write!(f, "the API says FAILED{}", Listed(errors)),
            Self::Rejected(status, errors) => {
                write!(f, "the API refused the request ({status}){}", Listed(errors))
            }
            Self::KeyUsed(errors) => {
                write!(f, "the API says that this key was used before{}", Listed(errors))
            }
            Self::Forbidden(errors) => {
                write!(f, "the API grants the bearer token no right to capture{}", Listed(errors))
            }
            Self::Throttled(Some(wait)) => write!(f, "the API asks to wait {} s", wait.as_secs()),
            Self::Throttled(None) => f.write_str("the API asks us to come back later"),
            Self::OrderCancelled => {
                f.write_str("the order is cancelled or its capture window is over")
            }
        }
    }
}

/// The first errors of a list that say anything, after a colon, and how many more there are.
struct Listed<'a>(&'a [ApiError]);

/// A sentence holds no more of them; the others are in [`Reason::errors`].
const MOST_LISTED: usize = 3;

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = || self.0.iter().filter(|error| !error.is_blank());
        for (index, error) in said().take(MOST_LISTED).enumerate() {
            f.write_str(if index == 0 { ": " } else { "; " })?;
            error.fmt(f)?;
        }
        match said().count().saturating_sub(MOST_LISTED) {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoReply => f.write_str("no reply came, and the request may have arrived"),
            Self::CutReply => f.write_str("the reply broke off"),
            Self::Interrupted => f.write_str("the capture was interrupted"),
            Self::Status(409) => f.write_str("the API says that this key is in use (409)"),
            Self::Status(status) => write!(f, "status {status} decides nothing"),
            Self::Redirect(Some(host)) => {
                write!(f, "redirected to {host}; redirects are never followed")
            }
            Self::Redirect(None) => f.write_str("redirected; redirects are never followed"),
            Self::Unreadable(why) => write!(f, "the reply is unreadable: {why}"),
            Self::Word(word) => write!(f, "the API says \"{word}\", neither SUCCESS nor FAILED"),
            Self::Contradiction(what) => write!(f, "the reply contradicts itself: {what}"),
            Self::ForeignOrder => f.write_str("the reply is about another order"),
            Self::UnprovenKey => f.write_str(
                "the API says SUCCESS but names no order, and its key is not derived from this one",
            ),
            Self::Unconfirmed(reason) => {
                write!(f, "{reason}; but the order has not confirmed it")
            }
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLookedUp => f.write_str("the order has not been looked up since"),
            Self::Stopped => f.write_str("the caller stopped the capture"),
            Self::OrderStatus(status) => write!(f, "the order is {status}, which decides nothing"),
            Self::SeenWaiting => f.write_str("it was not looked up often enough"),
            Self::NotSentAgain(barred) => write!(
                f,
                "the order still waits for its capture, which is not sent again: {barred}"
            ),
            Self::Lookup(doubt) => write!(f, "the order could not be looked up: {doubt}"),
            Self::Network(why) => write!(f, "the order could not be looked up: {why}"),
            Self::Unauthorized => f.write_str("the API refused the bearer token"),
            Self::NoToken(error) => error.fmt(f),
            Self::LookupOff => f.write_str("the policy forbids looking the order up"),
            Self::Driver => f.write_str("the driver did not wait, or its clock stands still"),
        }
    }
}

impl fmt::Display for Barred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Never => "the policy forbids it",
            Self::SendsUsed => "all its sends are used",
            Self::KeyTooOld => "its key is older than 24 hours",
            Self::KeyAgeUnknown => "the age of its key is unknown; check this machine's clock",
            Self::RetryBudget => "the client's retry budget is used up for now",
            Self::Answered => {
                "the API says SUCCESS to its key; check whether that was another order"
            }
            Self::KeyBusy => {
                "the API has said for longer than a capture takes that its key is in use"
            }
        })
    }
}
