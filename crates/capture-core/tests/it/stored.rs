//! The stored form of every outcome, which other processes and later versions read. One golden file
//! for each kind and version: none is ever changed once it is released.

use std::num::NonZeroU32;

use capture_core::driver::Step;
use capture_core::{ContentType, Outcome, Policy, Receipt, Refusal, Ticket};
use serde_json::{Value, json};

use crate::driver::Say::{self, Lost, Reply};
use crate::driver::{Replies, drive};
use crate::{api, base, capture};

const SUCCESS: Say =
    Reply(200, &[("apigw-requestid", "id-1")], r#"{"status":"SUCCESS","success":true}"#);
const FAILED: Say =
    Reply(200, &[], r#"{"status":"FAILED","success":true,"errors":["card expired"]}"#);
const WAITING: Say = Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":5}"#);
const LATER: Say = Reply(503, &[("retry-after", "900")], "");

#[allow(clippy::disallowed_methods, reason = "a test may read a file")]
pub(crate) fn golden(name: &str) -> Value {
    let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

fn outcome(captures: &'static [Say], lookups: &'static [Say]) -> Outcome {
    let start = base();
    let policy = Policy::default().with_confirmations(NonZeroU32::MIN);
    let step: Step = capture().start(&api(), &policy, start);
    drive(step, start, &mut Replies::new(captures, lookups, &[])).outcome
}

#[test]
fn every_outcome_is_stored_like_its_golden_file() {
    for (name, outcome) in [
        ("captured-v2", outcome(&[SUCCESS], &[])),
        ("not-captured-v2", outcome(&[FAILED], &[WAITING])),
        ("unknown-v2", outcome(&[Lost], &[LATER])),
        ("unconfirmed-v2", outcome(&[FAILED], &[LATER])),
    ] {
        let stored = serde_json::to_value(&outcome).unwrap();
        assert_eq!(stored, golden(name), "{name}\n{stored:#}");
        assert_eq!(serde_json::from_value::<Outcome>(golden(name)).unwrap(), outcome, "{name}");
    }
}

/// The advice survives the file: the content type is named for as long as it seems to matter.
#[test]
fn a_content_type_that_is_not_read_is_remembered() {
    const UNREAD: Say = Reply(415, &[], r#"{"title":"Unsupported Media Type","status":415}"#);
    const FOREIGN: Say = Reply(415, &[], r#"{"message":"Unsupported Media Type"}"#);
    const SWITCH: &str = "--content-type application/json";
    let literal = api();
    let json = api().with_content_type(ContentType::Json);
    let cases: [(&'static [Say], &'static [Say], &str); 2] =
        [(&[UNREAD], &[WAITING], "not_captured"), (&[FOREIGN], &[LATER], "unknown")];
    for (captures, lookups, kind) in cases {
        for (api, advised) in [(&literal, true), (&json, false)] {
            let step = capture().start(api, &Policy::default(), base());
            let outcome = drive(step, base(), &mut Replies::new(captures, lookups, &[])).outcome;
            assert_eq!(outcome.name(), kind);
            let stored = serde_json::to_string(&outcome).unwrap();
            let read: Outcome = serde_json::from_str(&stored).unwrap();
            assert_eq!(read, outcome);
            for outcome in [outcome, read] {
                let next = outcome.next_step();
                assert_eq!(next.contains(SWITCH), advised, "{kind}: {next}");
                assert!(!advised || next.contains("same key") || next.contains("this key"));
                assert!(!advised || !next.contains("with a new key"), "{kind}: {next}");
            }
        }
    }
}

/// A resumed capture keeps the advice only while it sends what was not read.
#[test]
fn the_advice_ends_with_the_content_type() {
    const FOREIGN: Say = Reply(415, &[], r#"{"message":"Unsupported Media Type"}"#);
    let literal = api();
    let json = api().with_content_type(ContentType::Json);
    for (first, then, advised) in [
        (&literal, &literal, true),
        (&literal, &json, false),
        (&json, &literal, false),
        (&json, &json, false),
    ] {
        let step = capture().start(first, &Policy::default(), base());
        let run = drive(step, base(), &mut Replies::new(&[FOREIGN], &[LATER], &[]));
        let Outcome::Unknown(ticket) = run.outcome else { panic!("{:?}", run.outcome) };
        let step = ticket.resume(then, &Policy::default(), base());
        let outcome = drive(step, base(), &mut Replies::new(&[], &[LATER], &[])).outcome;
        assert_eq!(outcome.name(), "unknown");
        assert_eq!(outcome.next_step().contains("--content-type"), advised, "{outcome:?}");
    }
}

#[test]
fn a_ticket_of_version_1_is_still_read() {
    let ticket: Ticket = serde_json::from_value(golden("ticket-v1")).unwrap();
    assert_eq!((ticket.capture(), ticket.doubt().code()), (&capture(), "in_progress"));
    let attempt = &ticket.attempts()[0];
    assert_eq!(attempt.to_string(), "the API says the same key is in progress (409)");
    assert_eq!(ticket.first_sent(), Some(ticket.due_at()));
    let written = serde_json::to_value(&ticket).unwrap();
    assert_eq!(written["version"], 2);
    assert_eq!(serde_json::from_value::<Ticket>(written).unwrap(), ticket);
}

#[test]
fn each_kind_is_read_as_itself_only() {
    let (captured, refused, unknown) =
        (golden("captured-v2"), golden("not-captured-v2"), golden("unknown-v2"));
    assert!(serde_json::from_value::<Receipt>(captured.clone()).is_ok());
    assert!(serde_json::from_value::<Refusal>(refused.clone()).is_ok());
    assert!(serde_json::from_value::<Ticket>(unknown.clone()).is_ok());
    for (error, says) in [
        (serde_json::from_value::<Ticket>(captured).unwrap_err(), "the outcome is captured"),
        (serde_json::from_value::<Receipt>(refused).unwrap_err(), "the outcome is not_captured"),
        (serde_json::from_value::<Refusal>(unknown).unwrap_err(), "the outcome is unknown"),
    ] {
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn what_this_version_does_not_know_is_refused() {
    let mut unknown_field = golden("captured-v2");
    unknown_field["settled_by"] = json!("x");
    let mut unknown_in_attempt = golden("captured-v2");
    unknown_in_attempt["attempts"][0]["retries"] = json!(1);
    for (stored, says) in [
        (unknown_field, "unknown field `settled_by`"),
        (unknown_in_attempt, "unknown field `retries`"),
    ] {
        let error = serde_json::from_value::<Outcome>(stored).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    let written = serde_json::to_string(&outcome(&[SUCCESS], &[])).unwrap();
    assert!(written.starts_with(r#"{"version":2,"#), "{written}");
    let newer = written.replacen("\"version\":2", "\"version\":3", 1).replace("\"proof\"", "\"p\"");
    let error = serde_json::from_str::<Outcome>(&newer).unwrap_err();
    assert!(error.to_string().contains("version 3 is not known here; update Capture"), "{error}");
}
