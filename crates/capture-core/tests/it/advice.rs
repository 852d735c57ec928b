//! What an outcome tells its reader: a name for machines, what to do next, and under which key.

use std::time::Duration;

use capture_core::{IdempotencyKey, Outcome};
use serde_json::{Value, json};

use crate::stored::golden;

/// A stored outcome with some of its fields changed.
fn with(name: &str, fields: &[(&str, &Value)]) -> Outcome {
    let mut stored = golden(name);
    for (field, value) in fields {
        stored[*field] = (*value).clone();
    }
    serde_json::from_value(stored).unwrap_or_else(|error| panic!("{error}: {fields:?}"))
}

/// A new key only where the API may repeat its answer to the old one, and always the same.
#[test]
fn what_to_do_when_it_was_not_captured() {
    const FIXED: &str = "Do not ship. Fix the cause, then capture again with a new key: ";
    for (reason, code, cause, wait, new_key, next) in [
        (json!({ "declined": [] }), "declined", "declined", None, true, FIXED),
        (json!({ "rejected": [400, []] }), "rejected", "rejected", None, true, "Fix what the API"),
        (json!({ "key_used": [] }), "key_used", "key_used", None, true, "Find out what became"),
        (json!("order_cancelled"), "order_cancelled", "order_cancelled", None, false, "The order"),
        (json!({ "throttled": 900 }), "throttled", "throttled", Some(900), false, "Wait, then"),
        (json!({ "throttled": null }), "throttled", "throttled", None, false, "Wait, then"),
        (json!("unauthorized"), "unauthorized", "unauthorized", None, false, "Check the cred"),
        (json!({ "forbidden": [] }), "forbidden", "forbidden", None, false, "Check that the cred"),
        (
            json!({ "no_token": { "throttled": { "retry_after_s": 9 } } }),
            "login_throttled",
            "login_throttled",
            Some(9),
            false,
            "Wait until the API accepts logins, then capture again with the same key.",
        ),
        (
            json!({ "never_sent": "Connection refused" }),
            "never_sent",
            "connection_refused",
            None,
            false,
            "Check the host and the port",
        ),
        (
            json!({ "never_sent": "the caller stopped the capture" }),
            "never_sent",
            "stopped",
            None,
            false,
            "Capture again with the same key.",
        ),
    ] {
        let outcome = with("not-captured-v2", &[("reason", &reason)]);
        let Outcome::NotCaptured(refusal) = &outcome else { panic!("{outcome:?}") };
        assert_eq!((outcome.code(), outcome.cause()), (code, Some(cause)), "{reason}");
        assert_eq!(outcome.retry_after(), wait.map(Duration::from_secs), "{reason}");
        let following = IdempotencyKey::following(refusal.capture().idempotency_key());
        assert_eq!(refusal.new_key(), new_key.then_some(following), "{reason}");
        let step = outcome.next_step();
        assert!(step.starts_with(next), "{reason}: {step}");
        assert_eq!(step.contains("with a new key"), new_key, "{reason}: {step}");
        let same_key = !new_key && code != "order_cancelled";
        assert_eq!(step.contains("with the same key"), same_key, "{reason}: {step}");
        assert_eq!(refusal.attempts(), outcome.attempts());
        assert_eq!(refusal.attempts().len(), 2);
    }
}

#[test]
fn the_apis_own_words_are_kept() {
    let said = json!([{ "field": "Amount", "message": "m" }]);
    let of = |reason: Value| match with("not-captured-v2", &[("reason", &reason)]) {
        Outcome::NotCaptured(refusal) => serde_json::to_value(refusal.reason().errors()).unwrap(),
        other => panic!("{other:?}"),
    };
    for kind in ["declined", "key_used", "forbidden"] {
        assert_eq!(of(json!({ kind: said })), said, "{kind}");
    }
    assert_eq!(of(json!({ "rejected": [400, said] })), said);
    assert_eq!(of(json!("unauthorized")), json!([]));
}

/// What was not read was not seen with its key either, unless the API says that it knows the key.
#[test]
fn an_unread_body_needs_no_new_key() {
    for (reason, new_key) in [
        (json!({ "declined": [] }), false),
        (json!({ "rejected": [415, []] }), false),
        (json!({ "key_used": [] }), true),
    ] {
        let unread = ("is_unread", &json!(true));
        let outcome = with("not-captured-v2", &[("reason", &reason), unread]);
        let Outcome::NotCaptured(refusal) = &outcome else { panic!("{outcome:?}") };
        assert_eq!(refusal.new_key().is_some(), new_key, "{reason}");
        let advised = outcome.next_step().starts_with("Send the body as application/json");
        assert_eq!(advised, !new_key, "{reason}");
    }
}

#[test]
fn what_to_do_when_it_is_unknown() {
    let lookup = |doubt| json!({ "lookup": doubt });
    let status = |status: u16| json!({ "lookup": { "status": status } });
    for (obstacle, code, cause, advice) in [
        (json!("not_looked_up"), "not_looked_up", "not_looked_up", None),
        (json!("stopped"), "stopped", "stopped", None),
        (json!("seen_waiting"), "seen_waiting", "seen_waiting", None),
        (json!({ "not_sent_again": "sends_used" }), "not_sent_again", "not_sent_again", None),
        (
            json!({ "not_sent_again": "key_busy" }),
            "not_sent_again",
            "not_sent_again",
            Some("Ask FlexFactor's support whether this key was used for another amount"),
        ),
        (
            json!({ "order_status": "problem" }),
            "order_status",
            "order_status",
            Some("Ask FlexFactor's support"),
        ),
        (
            json!({ "order_status": "processing" }),
            "order_status",
            "order_status",
            Some("Wait until the order's status is final"),
        ),
        (
            json!({ "network": "dns error" }),
            "network",
            "name_not_resolved",
            Some("Check the host name"),
        ),
        (json!("unauthorized"), "unauthorized", "unauthorized", Some("Check the credentials")),
        (
            json!({ "no_token": { "not_sent": "Connection refused" } }),
            "login_not_sent",
            "connection_refused",
            Some("Check the host and the port"),
        ),
        (json!("lookup_off"), "lookup_off", "lookup_off", Some("Allow lookups in the policy")),
        (json!("driver"), "driver", "driver", Some("Fix the driver")),
        (status(401), "lookup_refused", "lookup_refused", Some("Check that the credentials may")),
        (status(403), "lookup_refused", "lookup_refused", Some("Check that the credentials may")),
        (status(404), "lookup_not_found", "lookup_not_found", Some("Check the order id")),
        (status(429), "lookup_throttled", "lookup_throttled", Some("Wait as long as the API")),
        (status(500), "lookup_unavailable", "lookup_unavailable", Some("Wait until the API works")),
        (status(408), "lookup_unavailable", "lookup_unavailable", Some("Wait until the API works")),
        (lookup("no_reply"), "lookup_no_reply", "lookup_no_reply", Some("Check the network")),
        (lookup("foreign_order"), "lookup", "lookup", Some("Check that the environment's URL")),
    ] {
        let outcome = with("unknown-v2", &[("obstacle", &obstacle)]);
        let Outcome::Unknown(ticket) = &outcome else { panic!("{outcome:?}") };
        assert_eq!((ticket.obstacle().code(), outcome.cause()), (code, Some(cause)), "{obstacle}");
        let step = outcome.next_step();
        assert!(step.starts_with("Money may have moved. Do not use a new key"), "{step}");
        assert_eq!(ticket.obstacle().advice().is_some(), advice.is_some(), "{obstacle}");
        assert!(
            step.contains(advice.unwrap_or("run the same capture again")),
            "{obstacle}: {step}"
        );
        assert_eq!(outcome.retry_after(), Some(Duration::from_secs(900)));
    }
}

#[test]
fn each_doubt_has_its_name() {
    for (doubt, code) in [
        (json!("no_reply"), "no_reply"),
        (json!("cut_reply"), "cut_reply"),
        (json!("interrupted"), "interrupted"),
        (json!({ "status": 409 }), "in_progress"),
        (json!({ "status": 503 }), "undecided_status"),
        (json!({ "redirect": null }), "redirect"),
        (json!({ "unreadable": "m" }), "unreadable_reply"),
        (json!({ "word": "m" }), "undecided_word"),
        (json!({ "contradiction": "m" }), "contradiction"),
        (json!("foreign_order"), "foreign_order"),
        (json!("unproven_key"), "unproven_key"),
        (json!({ "unconfirmed": "order_cancelled" }), "unconfirmed_refusal"),
    ] {
        assert_eq!(with("unknown-v2", &[("doubt", &doubt)]).code(), code);
    }
}
