//! The stored name of every value that an outcome can hold. Stored outcomes outlive their process, so
//! no name and no unit here ever changes; a new value gets a new line.

use std::fmt::Debug;
use std::time::Duration;

use capture_core::{
    ApiError, Barred, Doubt, Finding, Obstacle, Operation, OrderStatus, Phase, Proof, Reason,
    TokenError,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Each value is written as this and read from it.
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(
    rows: impl IntoIterator<Item = (T, Value)>,
) {
    for (value, stored) in rows {
        assert_eq!(serde_json::to_value(&value).unwrap(), stored, "{value:?}");
        assert_eq!(serde_json::from_value::<T>(stored).unwrap(), value);
    }
}

fn error() -> ApiError {
    ApiError::field("Amount", "m")
}

#[test]
fn what_was_sent_and_what_it_showed() {
    check([
        (Operation::Capture, json!("capture")),
        (Operation::Lookup, json!("lookup")),
        (Operation::Login, json!("login")),
    ]);
    check([
        (Phase::NotSent, json!("not_sent")),
        (Phase::MaybeSent, json!("maybe_sent")),
        (Phase::CutReply, json!("cut_reply")),
        (Phase::Replied, json!("replied")),
    ]);
    check([
        (Finding::Captured, json!("captured")),
        (Finding::Refused(Reason::Unauthorized), json!({ "refused": "unauthorized" })),
        (Finding::Undecided(Doubt::Status(409)), json!({ "undecided": { "status": 409 } })),
        (Finding::OrderStatus(OrderStatus::Problem), json!({ "order_status": "problem" })),
        (Finding::Token, json!("token")),
        (Finding::NoToken(TokenError::NoOther), json!({ "no_token": "no_other" })),
        (Finding::Lost("reset".into()), json!({ "lost": "reset" })),
        (Finding::Prose("of version 1".into()), json!("of version 1")),
    ]);
}

#[test]
fn why_it_was_not_captured() {
    let wait = Some(Duration::from_secs(900));
    check([
        (Reason::NeverSent("refused".into()), json!({ "never_sent": "refused" })),
        (Reason::NoToken(TokenError::NoToken(200)), json!({ "no_token": { "no_token": 200 } })),
        (Reason::Unauthorized, json!("unauthorized")),
        (Reason::Forbidden(vec![error()]), json!({ "forbidden": [error()] })),
        (Reason::KeyUsed(vec![error()]), json!({ "key_used": [error()] })),
        (
            Reason::Declined(vec![error()]),
            json!({ "declined": [{ "field": "Amount", "message": "m" }] }),
        ),
        (
            Reason::Rejected(400, vec![error()]),
            json!({ "rejected": [400, [{ "field": "Amount", "message": "m" }]] }),
        ),
        (Reason::Throttled(wait), json!({ "throttled": 900 })),
        (Reason::Throttled(None), json!({ "throttled": null })),
        (Reason::OrderCancelled, json!("order_cancelled")),
    ]);
}

#[test]
fn why_there_is_no_token() {
    let wait = Some(Duration::from_secs(900));
    let why = || "status 503".to_owned();
    check([
        (TokenError::Credentials(400), json!({ "credentials": 400 })),
        (TokenError::NoOther, json!("no_other")),
        (TokenError::NoToken(200), json!({ "no_token": 200 })),
        (TokenError::NotTheApi(404), json!({ "not_the_api": 404 })),
        (TokenError::Blocked(403), json!({ "blocked": 403 })),
        (
            TokenError::Throttled { retry_after: wait },
            json!({ "throttled": { "retry_after_s": 900 } }),
        ),
        (
            TokenError::Unavailable { why: why(), retry_after: wait },
            json!({ "unavailable": { "why": "status 503", "retry_after_s": 900 } }),
        ),
        (
            TokenError::Unavailable { why: why(), retry_after: None },
            json!({ "unavailable": { "why": "status 503", "retry_after_s": null } }),
        ),
        (
            TokenError::Page { status: 503, retry_after: wait },
            json!({ "page": { "status": 503, "retry_after_s": 900 } }),
        ),
        (TokenError::NoReply("reset".into()), json!({ "no_reply": "reset" })),
        (TokenError::NotSent("refused".into()), json!({ "not_sent": "refused" })),
        (TokenError::NeverSent("expired".into()), json!({ "never_sent": "expired" })),
    ]);
}

#[test]
fn why_it_is_unknown() {
    check([
        (Doubt::NoReply, json!("no_reply")),
        (Doubt::CutReply, json!("cut_reply")),
        (Doubt::Interrupted, json!("interrupted")),
        (Doubt::Status(503), json!({ "status": 503 })),
        (Doubt::Redirect(Some("h".into())), json!({ "redirect": "h" })),
        (Doubt::Redirect(None), json!({ "redirect": null })),
        (Doubt::Unreadable("gzip".into()), json!({ "unreadable": "gzip" })),
        (Doubt::Word("PENDING".into()), json!({ "word": "PENDING" })),
        (Doubt::Contradiction("two".into()), json!({ "contradiction": "two" })),
        (Doubt::ForeignOrder, json!("foreign_order")),
        (Doubt::UnprovenKey, json!("unproven_key")),
        (
            Doubt::Unconfirmed(Box::new(Reason::Rejected(400, vec![]))),
            json!({ "unconfirmed": { "rejected": [400, []] } }),
        ),
    ]);
    check([
        (Obstacle::NotLookedUp, json!("not_looked_up")),
        (Obstacle::Stopped, json!("stopped")),
        (Obstacle::OrderStatus(OrderStatus::OnHold), json!({ "order_status": "on_hold" })),
        (Obstacle::SeenWaiting, json!("seen_waiting")),
        (Obstacle::Lookup(Doubt::NoReply), json!({ "lookup": "no_reply" })),
        (Obstacle::Network("refused".into()), json!({ "network": "refused" })),
        (Obstacle::Unauthorized, json!("unauthorized")),
        (Obstacle::NoToken(TokenError::NoOther), json!({ "no_token": "no_other" })),
        (Obstacle::LookupOff, json!("lookup_off")),
        (Obstacle::Driver, json!("driver")),
    ]);
    let barred = [
        (Barred::Never, "never"),
        (Barred::SendsUsed, "sends_used"),
        (Barred::KeyTooOld, "key_too_old"),
        (Barred::KeyAgeUnknown, "key_age_unknown"),
        (Barred::RetryBudget, "retry_budget"),
        (Barred::Answered, "answered"),
        (Barred::KeyBusy, "key_busy"),
    ];
    check(
        barred.map(|(why, name)| (Obstacle::NotSentAgain(why), json!({ "not_sent_again": name }))),
    );
}

#[test]
fn what_a_receipt_rests_on() {
    let statuses = [
        (OrderStatus::Draft, json!("draft")),
        (OrderStatus::OnHold, json!("on_hold")),
        (OrderStatus::Cancelled, json!("cancelled")),
        (OrderStatus::Problem, json!("problem")),
        (OrderStatus::Processing, json!("processing")),
        (OrderStatus::CaptureRequired, json!("capture_required")),
        (OrderStatus::Returned, json!("returned")),
        (OrderStatus::Completed, json!("completed")),
        (OrderStatus::Other(Some(9)), json!({ "other": 9 })),
        (OrderStatus::Other(None), json!({ "other": null })),
    ];
    check(statuses);
    let usd = "USD".to_owned().try_into().unwrap();
    let order = Proof::Order { status: OrderStatus::Completed, currency: usd };
    check([
        (Proof::Reply, json!("reply")),
        (Proof::OrderStatus(OrderStatus::Completed), json!({ "order_status": "completed" })),
        (order, json!({ "order": { "status": "completed", "currency": "USD" } })),
    ]);
}
