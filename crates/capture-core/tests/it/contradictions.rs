//! The members that contradict the word: the table of `docs/protocol.md`, value by value; and the
//! reasons that they give.

use capture_core::driver::Verdict;
use capture_core::wire::error::ApiError;
use capture_core::{Attempt, Capture, IdempotencyKey, Operation, Outcome, Policy, Reason};
use serde_json::json;

use crate::driver::Say::{self, Reply};
use crate::driver::{Replies, drive};
use crate::{api, base, capture, reply};

const PROTOCOL: &str = include_str!("../../../../docs/protocol.md");

/// The rows of the table: names, values against SUCCESS, values against FAILED, harmless values.
fn table() -> Vec<[Vec<&'static str>; 4]> {
    let (_, rest) = PROTOCOL.split_once("### What contradicts the word").expect("the section");
    let rows = rest.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let ticked = |cell: &'static str| cell.split('`').skip(1).step_by(2).collect();
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
            let cells: [&str; 4] = cells.try_into().expect("four columns");
            cells.map(ticked)
        })
        .collect()
}

fn verdict(word: &str, member: &str, value: &str) -> (Verdict, String) {
    let success = if member == "success" { "" } else { r#","success":true"# };
    let body = format!(r#"{{"status":"{word}"{success},"{member}":{value}}}"#);
    (Verdict::of(&capture(), &reply(200, &[], body.clone())), body)
}

fn is_contradiction(verdict: &Verdict) -> bool {
    verdict.to_string().starts_with("the reply contradicts itself: ")
}

#[test]
fn every_value_of_the_table_reads_as_it_says() {
    let table = table();
    let mut tried = 0;
    for [names, against_success, against_failed, harmless] in &table {
        assert!(!names.is_empty());
        for name in names {
            for value in against_success {
                let (verdict, body) = verdict("SUCCESS", name, value);
                assert!(is_contradiction(&verdict), "{body}: {verdict}");
            }
            for value in against_failed {
                let (verdict, body) = verdict("FAILED", name, value);
                assert!(is_contradiction(&verdict), "{body}: {verdict}");
            }
            for value in harmless {
                let (verdict, body) = verdict("SUCCESS", name, value);
                assert_eq!(verdict, Verdict::Captured, "{body}");
            }
            tried += against_success.len() + against_failed.len() + harmless.len();
        }
    }
    assert!(tried > 150, "only {tried} values");
}

/// What speaks against SUCCESS is never against FAILED, but for the word itself.
#[test]
fn a_failure_stays_a_failure() {
    for [names, against_success, ..] in table() {
        for name in names.iter().filter(|name| **name != "captureStatus") {
            for value in &against_success {
                let (verdict, body) = verdict("FAILED", name, value);
                let is_state = name.to_lowercase().contains("status") && *name != "statusCode";
                let is_refusal = matches!(verdict, Verdict::Refused(Reason::Declined(_)));
                assert!(is_refusal || is_state, "{body}: {verdict}");
            }
        }
    }
}

/// The doubt names the member and what it holds, short and escaped.
#[test]
fn the_contradiction_is_named() {
    let long = format!("FAILED{}", " ".repeat(1000));
    for (member, value, says) in [
        ("statusCode", json!("402"), r#"SUCCESS, but statusCode is "402""#),
        ("ResponseCode", json!("2001"), r#"SUCCESS, but responseCode is "2001""#),
        ("result", json!({ "captureStatus": "FAILED" }), r#"result.captureStatus is "FAILED""#),
        ("data", json!({ "success": false }), "SUCCESS, but data.success is false"),
        ("data", json!({ "errors": ["m"] }), r#"SUCCESS, but data.errors is ["m"]"#),
        ("data", json!({ "declineCode": 51 }), "SUCCESS, but data.declineCode is 51"),
        ("result", json!(long), "SUCCESS, but result is \"FAILED  "),
        ("error", json!({ "\u{202e}": 1 }), r#"SUCCESS, but error is {"\u{202e}":1}"#),
    ] {
        let (verdict, body) = verdict("SUCCESS", member, &value.to_string());
        let shown = verdict.to_string();
        assert!(is_contradiction(&verdict) && shown.contains(says), "{body}: {shown}");
        assert!(shown.len() < 150, "{shown}");
    }
    // Only one level deep, and no arrays: what cannot be read says nothing.
    for value in [json!({ "data": { "result": "failed" } }), json!([{ "status": "FAILED" }])] {
        assert_eq!(verdict("SUCCESS", "data", &value.to_string()).0, Verdict::Captured);
    }
}

/// The reason of a FAILED reply with these members: message, code and field of each entry.
fn reasons(members: &str) -> Vec<(String, String, String)> {
    let body = format!(r#"{{"status":"FAILED","success":true,{members}}}"#);
    match Verdict::of(&capture(), &reply(200, &[], body.clone())) {
        Verdict::Refused(Reason::Declined(errors)) => errors.into_iter().map(parts).collect(),
        other => panic!("{body}: {other:?}"),
    }
}

fn parts(error: ApiError) -> (String, String, String) {
    (error.message, error.code.unwrap_or_default(), error.field.unwrap_or_default())
}

/// Wherever the API puts its reason, it is read.
#[test]
fn every_place_of_a_reason_is_read() {
    let one = |message: &str, code: &str, field: &str| {
        vec![(message.to_owned(), code.to_owned(), field.to_owned())]
    };
    for (members, expected) in [
        (r#""responseCode":"2001","responseMessage":"m""#, one("m", "2001", "")),
        (r#""ResponseCode":2001,"ResponseMessage":"m""#, one("m", "2001", "")),
        (r#""responseCode":"05""#, one("", "05", "")),
        (r#""errorMessage":"m","errorCode":"E1""#, one("m", "E1", "")),
        (r#""declineReason":"m","declineCode":"51""#, one("m", "51", "")),
        (r#""message":"m""#, one("m", "", "")),
        (r#""result":"m","statusCode":"402""#, one("m", "402", "")),
        (r#""error":"m""#, one("m", "", "")),
        (r#""error":{"code":"c","message":"m","target":"t"}"#, one("m", "c", "")),
        (
            r#""errors":[{"title":"t","detail":"d","code":"c","status":"409"}]"#,
            one("t: d", "c", ""),
        ),
        (r#""errors":[{"title":"t","status":"409"}]"#, one("t", "409", "")),
        (r#""errors":[{"detail":"d","source":{"pointer":"/amount"}}]"#, one("d", "", "/amount")),
        (r#""errors":[{"detail":"d","source":{"parameter":"p"}}]"#, one("d", "", "p")),
        (r#""Errors":[{"Message":"m","ErrorCode":"c","PropertyName":"p"}]"#, one("m", "c", "p")),
        (r#""data":{"errors":["m"]}"#, one("m", "", "")),
        (r#""data":{"responseMessage":"m","responseCode":"2001"}"#, one("m", "2001", "")),
        (r#""result":{"error":{"message":"m"}}"#, one("m", "", "")),
        // Said twice, listed once; and phrases that give no reason are none.
        (r#""errors":["m"],"responseMessage":"m""#, one("m", "", "")),
        (r#""errors":[{"item1":"m","item2":"2001"}],"responseCode":"2001""#, one("m", "2001", "")),
        (r#""result":"Success","responseMessage":"FAILED","statusCode":"200""#, vec![]),
        (r#""error":null,"errorCode":"","data":[],"message":{}"#, vec![]),
    ] {
        assert_eq!(reasons(members), expected, "{members}");
    }
    let both = [one("m", "", "")[0].clone(), one("n", "2001", "")[0].clone()];
    let members = r#""errors":["m"],"responseMessage":"n","responseCode":"2001""#;
    assert_eq!(reasons(members), both);
}

/// The same in a refusal by status.
#[test]
fn a_4xx_says_all_that_it_says() {
    for (body, expected) in [
        (r#"{"status":422,"title":"t","detail":"d"}"#, "the API refused the request (422): t: d"),
        (
            r#"{"success":false,"responseMessage":"m","responseCode":"2001"}"#,
            "the API refused the request (422): m (2001)",
        ),
        (
            r#"{"success":false,"errors":[{"detail":"d","code":"c","source":{"pointer":"/amount"}}]}"#,
            "the API refused the request (422): /amount: d (c)",
        ),
        (
            r#"{"success":false,"errors":["a","b","c","d","e"]}"#,
            "the API refused the request (422): a; b; c, and 2 more",
        ),
        (
            r#"{"success":false,"errors":["a",{},{},"d"]}"#,
            "the API refused the request (422): a; d",
        ),
        (r#"{"success":false,"errors":[{}]}"#, "the API refused the request (422)"),
        (r#"{"success":false,"errors":[{"code":"c"}]}"#, "the API refused the request (422): (c)"),
    ] {
        let verdict = Verdict::of(&capture(), &reply(422, &[], body));
        assert_eq!(verdict.to_string(), expected, "{body}");
    }
}

/// The order under a key that may have been used for another one.
fn under_own_key() -> Capture {
    let key = "1d120e99-7a63-4210-98dc-78f56fde12cf".parse().unwrap();
    Capture::new(capture().order_id(), capture().money(), key)
}

#[test]
fn success_under_a_key_of_ones_own_needs_the_orders_id() {
    const SUCCESS: &str = r#"{"status":"SUCCESS","success":true}"#;
    let named = |id: &str| format!(r#"{{"status":"SUCCESS","success":true,"orderId":{id}}}"#);
    let ours = named(&format!("\"{}\"", capture().order_id()));
    let other = named(r#""11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81""#);
    let code = |capture: &Capture, body: &str| match Verdict::of(
        capture,
        &reply(200, &[], body.to_owned()),
    ) {
        Verdict::Captured => "captured",
        Verdict::Ambiguous(doubt, None) => doubt.code(),
        other => panic!("{other:?}"),
    };
    for (body, derived, own) in [
        (SUCCESS, "captured", "unproven_key"),
        (&named("null"), "captured", "unproven_key"),
        (&ours, "captured", "captured"),
        (&other, "foreign_order", "foreign_order"),
    ] {
        assert_eq!(
            (code(&capture(), body), code(&under_own_key(), body)),
            (derived, own),
            "{body}"
        );
    }
    // The key of another order is a key of one's own; and what is stored and read again still knows.
    let other = "11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
    let borrowed =
        Capture::new(capture().order_id(), capture().money(), IdempotencyKey::for_order(other));
    assert!(!borrowed.has_derived_key());
    // So do the keys that follow after a refusal, up to the eighth in all.
    let next = |capture: &Capture| {
        let key = IdempotencyKey::following(capture.idempotency_key());
        Capture::new(capture.order_id(), capture.money(), key)
    };
    let following = std::iter::successors(Some(capture()), |capture| Some(next(capture)));
    let derived: Vec<_> = following.map(|capture| capture.has_derived_key()).take(9).collect();
    assert_eq!(derived, [[true; 8].as_slice(), &[false]].concat());
    assert!(!next(&borrowed).has_derived_key());
    for capture in [capture(), under_own_key()] {
        let stored = serde_json::to_string(&capture).unwrap();
        let read: Capture = serde_json::from_str(&stored).unwrap();
        assert_eq!((read, read.has_derived_key()), (capture, capture.has_derived_key()));
        assert!(!stored.contains("derived"), "{stored}");
    }
}

/// Only the order decides then: the same words would come again, so it is never sent again.
#[test]
fn success_under_a_key_of_ones_own_is_confirmed_by_the_order() {
    const SUCCESS: Say = Reply(200, &[], r#"{"status":"SUCCESS","success":true}"#);
    const COMPLETED: Say =
        Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7}"#);
    const CANCELLED: Say =
        Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":2}"#);
    const WAITING: Say =
        Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":5}"#);
    let run = |lookups, policy: Policy| {
        let start = base();
        let step = under_own_key().start(&api(), &policy, start);
        drive(step, start, &mut Replies::new(&[SUCCESS], lookups, &[])).outcome
    };
    let captures = |outcome: &Outcome| {
        let is_capture = |attempt: &&Attempt| attempt.operation == Operation::Capture;
        outcome.attempts().iter().filter(is_capture).count()
    };
    for (lookups, ending) in [
        (&[COMPLETED][..], ("captured", "order_status")),
        (&[WAITING, WAITING, COMPLETED], ("captured", "order_status")),
        (&[CANCELLED], ("not_captured", "order_cancelled")),
        (&[WAITING], ("unknown", "unproven_key")),
    ] {
        let outcome = run(lookups, Policy::default());
        assert_eq!((outcome.name(), outcome.code()), ending);
        assert_eq!(captures(&outcome), 1, "{lookups:?}");
        if let Outcome::Captured(receipt) = outcome {
            assert!(!receipt.amount_verified(), "a status shows no amount");
        }
    }
    let outcome = run(&[COMPLETED], Policy::default().with_lookup(false));
    assert_eq!((outcome.name(), outcome.code()), ("unknown", "unproven_key"));
    assert_eq!(captures(&outcome), 1);
}
