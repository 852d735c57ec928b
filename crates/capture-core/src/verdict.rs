//! What one reply proves, to a capture and to a lookup. Everything unrecognised is ambiguous.

use std::fmt;
use std::time::Duration;

use crate::attempt::Finding;
use crate::cause::MISDIRECTED;
use crate::reason::{Doubt, Reason};
use crate::values::{Capture, OrderId};
use crate::wire::capture::Reply;
use crate::wire::error::{ApiError, Shape};
use crate::wire::order::{self, NotTheOrder, Order, OrderStatus};
use crate::wire::{self, Response, Unreadable, conflict, fold, retry_after};
use http::header::LOCATION;
use http::{HeaderMap, StatusCode, Uri};

/// The meaning of one reply to `POST /v1/capture`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// A complete 200 says SUCCESS, with `success: true` and nothing against it, and it must be about
    /// this order: the reply names it, or the key is derived from it.
    Captured,
    /// Not executed, and why: FAILED in a complete 200 (an outcome, not an error), a 4xx with a
    /// body that the API is known to send (a 409 only if it says that the key was used for another
    /// payload), 401, 429, or 421.
    Refused(Reason),
    /// The same key is being executed (409), or it is not decided yet (202, 425, another word).
    InProgress(Doubt),
    /// It may or may not have been executed; perhaps the server said when to come back.
    Ambiguous(Doubt, Option<Duration>),
}

/// The meaning of one reply to `GET /v1/orders/{id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evidence {
    /// *Completed*, or *Returned* (captured, then refunded), and the order's currency.
    Captured(Order),
    /// *Cancelled*: not captured, permanently. This is the one piece of evidence for "no" (R2).
    NotCaptured,
    /// *Capturerequired*: not captured yet. A request may still be on its way.
    StillWaiting,
    /// The API does not know the order: a 404 in its own words.
    NoSuchOrder,
    /// The order is in a state that decides nothing.
    Undecided(OrderStatus),
    /// The token was refused.
    Unauthorized,
    /// The reply is no evidence about this order.
    Nothing(Doubt),
}

impl Verdict {
    /// What a complete reply to this capture proves.
    ///
    /// ```
    /// use capture_core::{Capture, IdempotencyKey, Money, OrderId, driver::Verdict, wire};
    /// let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
    /// let money = Money::parse("100.00", "USD")?;
    /// let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
    /// assert_eq!(Verdict::of(&capture, &wire::capture::captured()), Verdict::Captured);
    /// # Ok::<(), capture_core::Invalid>(())
    /// ```
    #[must_use]
    pub fn of(capture: &Capture, response: &Response) -> Self {
        let status = response.status();
        let headers = response.headers();
        let undecided = |wait| Self::Ambiguous(Doubt::Status(status.as_u16()), wait);
        match status.as_u16() {
            200 => of_success(capture, response),
            409 => match conflict::key_used(response) {
                Some(errors) => Self::Refused(Reason::KeyUsed(errors)),
                None => Self::InProgress(Doubt::Status(409)),
            },
            202 | 425 => Self::InProgress(Doubt::Status(status.as_u16())),
            300..=399 => Self::Ambiguous(Doubt::Redirect(target(headers)), None),
            401 => Self::Refused(Reason::Unauthorized), // whatever its body
            421 => Self::Refused(Reason::NeverSent(MISDIRECTED.into())),
            429 => Self::Refused(Reason::Throttled(retry_after(headers))),
            400 | 403 | 404 | 405 | 413 | 415 | 422 => {
                of_refusal(response).unwrap_or(undecided(None))
            }
            503 => undecided(retry_after(headers)),
            _ => undecided(None),
        }
    }
}

impl Evidence {
    /// What a complete reply to a lookup of this order proves.
    ///
    /// ```
    /// use capture_core::{OrderId, OrderStatus, driver::Evidence, wire};
    /// let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
    /// let reply = wire::order::shown(order, OrderStatus::Completed, Default::default());
    /// assert!(matches!(Evidence::of(order, &reply), Evidence::Captured(_)));
    /// # Ok::<(), capture_core::Invalid>(())
    /// ```
    #[must_use]
    pub fn of(order: OrderId, response: &Response) -> Self {
        match order::read_reply(order, response) {
            Ok(order) => match order.status {
                OrderStatus::Completed | OrderStatus::Returned => Self::Captured(order),
                OrderStatus::Cancelled => Self::NotCaptured,
                OrderStatus::CaptureRequired => Self::StillWaiting,
                other => Self::Undecided(other),
            },
            Err(_) if response.status() == StatusCode::UNAUTHORIZED => Self::Unauthorized,
            Err(NotTheOrder::Status(300..=399)) => {
                Self::Nothing(Doubt::Redirect(target(response.headers())))
            }
            Err(NotTheOrder::Status(404)) if is_in_words_of_the_api(response) => Self::NoSuchOrder,
            Err(NotTheOrder::Status(status)) => Self::Nothing(Doubt::Status(status)),
            Err(NotTheOrder::Foreign) => Self::Nothing(Doubt::ForeignOrder),
            Err(NotTheOrder::Contradiction(what)) => Self::Nothing(Doubt::Contradiction(what)),
            Err(unreadable) => Self::Nothing(Doubt::Unreadable(unreadable.to_string())),
        }
    }
}

impl Verdict {
    pub(crate) fn finding(&self) -> Finding {
        match self {
            Self::Captured => Finding::Captured,
            Self::Refused(reason) => Finding::Refused(reason.clone()),
            Self::InProgress(doubt) | Self::Ambiguous(doubt, _) => {
                Finding::Undecided(doubt.clone())
            }
        }
    }
}

impl Evidence {
    pub(crate) fn finding(&self) -> Finding {
        match self {
            Self::Captured(order) => Finding::OrderStatus(order.status),
            Self::Undecided(status) => Finding::OrderStatus(*status),
            Self::NotCaptured => Finding::OrderStatus(OrderStatus::Cancelled),
            Self::StillWaiting => Finding::OrderStatus(OrderStatus::CaptureRequired),
            Self::NoSuchOrder => Finding::Undecided(Doubt::Status(404)),
            Self::Unauthorized => Finding::Refused(Reason::Unauthorized),
            Self::Nothing(doubt) => Finding::Undecided(doubt.clone()),
        }
    }
}

/// What the reply showed, in one sentence.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Captured => f.write_str("the API says SUCCESS"),
            Self::Refused(reason) => reason.fmt(f),
            Self::InProgress(doubt) | Self::Ambiguous(doubt, _) => doubt.fmt(f),
        }
    }
}

/// A 200: the word decides, `captureStatus` before `status`, and SUCCESS needs the flag as well.
fn of_success(capture: &Capture, response: &Response) -> Verdict {
    let ambiguous = |doubt| Verdict::Ambiguous(doubt, None);
    let contradiction = |what: &str| ambiguous(Doubt::Contradiction(what.into()));
    if !wire::is_plain_json(response) {
        let why = "the body is encoded, oddly framed, or said not to be JSON";
        return ambiguous(Doubt::Unreadable(why.into()));
    }
    let reply = match Reply::read(response.body()) {
        Ok(reply) => reply,
        Err(error) => return ambiguous(Doubt::Unreadable(error.to_string())),
    };
    use wire::Scalar::{Bool, Nothing, Text};
    match &reply.order_id {
        Nothing => {}
        Text(id) if id.parse() == Ok(capture.order_id()) => {}
        _ => return ambiguous(Doubt::ForeignOrder),
    }
    // A server that repeats its reply to a key could repeat it to another order's capture.
    let is_ours = capture.has_derived_key() || reply.order_id != Nothing;
    let word = match (&reply.capture_status, &reply.status) {
        (Text(first), Text(second)) if fold(first) != fold(second) => {
            return contradiction("captureStatus and status disagree");
        }
        (Text(word), Text(_) | Nothing) | (Nothing, Text(word)) => fold(word),
        (Nothing, Nothing) => return ambiguous(Doubt::Unreadable("it has no status word".into())),
        _ => return ambiguous(Doubt::Unreadable(Unreadable::Type("status").to_string())),
    };
    let Bool(success) = reply.success else {
        return ambiguous(Doubt::Unreadable(Unreadable::Type("success").to_string()));
    };
    let beside = match reply.beside() {
        Ok(beside) => beside,
        Err(error) => return ambiguous(Doubt::Unreadable(error.to_string())),
    };
    match (&*word, success) {
        ("SUCCESS", true) if reply.has_errors => contradiction("SUCCESS beside errors"),
        ("SUCCESS", true) => match beside.and_then(|beside| beside.against_success()) {
            None if is_ours => Verdict::Captured,
            None => ambiguous(Doubt::UnprovenKey),
            Some(what) => contradiction(&format!("SUCCESS, but {what}")),
        },
        ("SUCCESS", false) => contradiction("SUCCESS beside success: false"),
        ("FAILED" | "FAIL", _) => match beside.and_then(|beside| beside.against_failed()) {
            None => Verdict::Refused(Reason::Declined(match beside {
                Some(beside) => beside.add_reasons(reply.errors),
                None => reply.errors,
            })),
            Some(what) => contradiction(&format!("FAILED, but {what}")),
        },
        ("", _) => ambiguous(Doubt::Unreadable("its status word is empty".into())),
        _ => Verdict::InProgress(Doubt::Word(crate::printable(&word, 40))),
    }
}

/// A 4xx with provenance; `None` for a body that no known server sends.
fn of_refusal(response: &Response) -> Option<Verdict> {
    if !wire::is_plain_json(response) {
        return None;
    }
    let status = response.status();
    let reason = match (status.as_u16(), Shape::read(status, response.body())?) {
        (403, Shape::Api(errors)) => Reason::Forbidden(errors),
        (_, Shape::Api(errors)) => Reason::Rejected(status.as_u16(), errors),
        // The gateway refuses for missing rights or for size before the API sees anything; its 404
        // is a missing route, which says nothing about what an earlier route did.
        (403, Shape::Gateway(message)) => Reason::Forbidden(vec![ApiError::message(&message)]),
        (413, Shape::Gateway(message)) => Reason::Rejected(413, vec![ApiError::message(&message)]),
        _ => return None,
    };
    Some(Verdict::Refused(reason))
}

fn is_in_words_of_the_api(response: &Response) -> bool {
    let shape = || Shape::read(response.status(), response.body());
    wire::is_plain_json(response) && matches!(shape(), Some(Shape::Api(_)))
}

/// The host of a redirect, not its path, which may hold anything.
fn target(headers: &HeaderMap) -> Option<String> {
    let location: Uri = headers.get(LOCATION)?.to_str().ok()?.parse().ok()?;
    location.host().map(|host| crate::printable(host, 100))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::values::{IdempotencyKey, Money};

    #[test]
    fn doubt_names_what_is_missing() {
        let order = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
        let money = Money::parse("100.00", "USD").unwrap();
        let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
        for (body, says) in [
            (r#"{"success":true}"#, "the reply is unreadable: it has no status word"),
            (
                r#"{"status":[],"success":true}"#,
                "the reply is unreadable: the member \"status\" has an unexpected type",
            ),
            (
                r#"{"status":" ","success":true}"#,
                "the reply is unreadable: its status word is empty",
            ),
        ] {
            let reply = http::Response::new(Bytes::from_static(body.as_bytes()));
            assert_eq!(Verdict::of(&capture, &reply).to_string(), says);
        }
    }
}
