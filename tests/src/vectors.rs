//! Vectors for clients in any language: scripts of wire events with the right outcome.
//!
//! They are made from the catalogue of the exhaustive check and from the real machine, and checked
//! in under `tests/vectors/`; a test keeps them equal. `docs/vectors.md` says how to use them.

use std::time::{Duration, SystemTime};

use capture_core::driver::{Api, Delivery, Now, Step, TransportError};
use capture_core::{BearerToken, Environment, Outcome, Policy};
use serde_json::{Map, Value, json};

use crate::exhaustive::events::{Class, Kind, capture_kinds, lookup_kinds};
use crate::exhaustive::server::Order;
use crate::fixture::{capture, order};

/// The files: name and text.
///
/// # Panics
/// Never: everything in them is plain data.
#[must_use]
pub fn files() -> Vec<(&'static str, String)> {
    let text = |vectors: Vec<Value>| {
        let file = json!({
            "version": 1,
            "order_id": order(),
            "idempotency_key": capture().idempotency_key(),
            "amount": 10_000,
            "currency": "USD",
            "vectors": vectors,
        });
        serde_json::to_string_pretty(&file).expect("plain data") + "\n"
    };
    vec![
        ("first_answer.json", text(first_answers())),
        ("lookups.json", text(lookups())),
        ("second_answer.json", text(second_answers())),
    ]
}

/// Every kind of first answer; where it leaves doubt or needs confirming, the order decides.
fn first_answers() -> Vec<Value> {
    let mut vectors = Vec::new();
    for kind in capture_kinds() {
        for status in [Some(7), Some(2), None] {
            let lookup = status.map_or_else(unknown_order, shown);
            vectors.push(vector(&[&kind], &[&lookup]));
        }
        if matches!(kind.class, Class::Failed | Class::Refused | Class::TurnedAway) {
            vectors.push(vector(&[&kind], &[&shown(5)]));
        }
    }
    vectors
}

/// Every kind of lookup after a lost reply.
fn lookups() -> Vec<Value> {
    let captures = capture_kinds();
    let lost = named(&captures, "no reply");
    let all = [Order::Completed, Order::Cancelled, Order::CaptureRequired];
    let kinds = all.into_iter().flat_map(lookup_kinds);
    let mut seen = std::collections::BTreeSet::new();
    kinds
        .filter(|kind| seen.insert(kind.name.clone()))
        .map(|kind| vector(&[lost], &[&kind]))
        .collect()
}

/// Every kind of second answer after a lost reply, while the order still waits: doubt stays.
fn second_answers() -> Vec<Value> {
    let captures = capture_kinds();
    let lost = named(&captures, "no reply");
    captures.iter().map(|kind| vector(&[lost, kind], &[&shown(5)])).collect()
}

/// Plays a script against the machine. The last answer of each list repeats for ever.
fn vector(captures: &[&Kind], lookups: &[&Kind]) -> Value {
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let mut now = Now::new(Duration::ZERO, wall);
    let api = Api::new(&Environment::Sandbox);
    let mut step = capture().start(&api, &Policy::default(), now);
    let (mut sends, mut looks, mut logins) = (0, 0, 0);
    let outcome = loop {
        let has_token = step.progress().is_some_and(|progress| progress.has_token);
        step = match step {
            Step::Authorize(need) => {
                logins += usize::from(!has_token);
                let token = BearerToken::new(&format!("token-{logins}")).expect("a token");
                need.authorized(token, now)
            }
            Step::Send(request, open) => {
                let (kinds, count) = if request.method() == http::Method::POST {
                    (captures, &mut sends)
                } else {
                    (lookups, &mut looks)
                };
                let kind = kinds[usize::min(*count, kinds.len() - 1)];
                *count += 1;
                match kind.answer() {
                    Ok(reply) => open.received(reply, now),
                    Err(lost) => open.failed(&lost, now),
                }
            }
            Step::Wait(delay, open) => {
                now += delay;
                open.elapsed(now)
            }
            Step::Done(outcome) => break outcome,
        }
    };
    let names = |kinds: &[&Kind]| kinds.iter().map(|kind| kind.name.clone()).collect::<Vec<_>>();
    let answers = |kinds: &[&Kind]| kinds.iter().map(|kind| answer(kind)).collect::<Vec<_>>();
    let first: Vec<&str> =
        outcome.attempts().iter().map(|attempt| attempt.operation.code()).take(6).collect();
    json!({
        "name": format!("{} | {}", names(captures).join(", then "), names(lookups).join(", then ")),
        "captures": answers(captures),
        "lookups": answers(lookups),
        "expect": {
            "outcome": outcome.name(),
            "reason": outcome.code(),
            "begins_with": first,
            "sends": sends,
            "lookups_at_least": usize::from(looks > 0),
            "logins": logins,
            "retry_after_s": retry_after(&outcome),
        },
    })
}

fn retry_after(outcome: &Outcome) -> Option<u64> {
    match outcome {
        Outcome::Unknown(ticket) => ticket.retry_after().map(|wait| wait.as_secs()),
        _ => None,
    }
}

fn answer(kind: &Kind) -> Value {
    match kind.answer() {
        Ok(reply) => {
            let mut headers = Map::new();
            for (name, value) in reply.headers() {
                headers.insert(name.to_string(), json!(value.to_str().unwrap_or_default()));
            }
            let body = String::from_utf8_lossy(reply.body());
            json!({ "status": reply.status().as_u16(), "headers": headers, "body": body })
        }
        Err(lost) => lost_answer(&lost),
    }
}

fn lost_answer(lost: &TransportError) -> Value {
    match (lost.delivery(), lost.head()) {
        (Delivery::NotSent, _) => json!({ "lost": "not_sent", "lasting": lost.is_lasting() }),
        (Delivery::MaybeSent, None) => json!({ "lost": "maybe_sent" }),
        (Delivery::MaybeSent, Some((status, _))) => {
            json!({ "lost": "cut_reply", "status": status.as_u16() })
        }
    }
}

fn named<'a>(kinds: &'a [Kind], name: &str) -> &'a Kind {
    kinds.iter().find(|kind| kind.name == name).expect("a kind of the catalogue")
}

fn shown(status: u8) -> Kind {
    let kinds = [Order::Completed, Order::Cancelled, Order::CaptureRequired].map(lookup_kinds);
    let found = kinds
        .into_iter()
        .flatten()
        .find(|kind| kind.name.contains(&format!("\"status\":{status},")));
    found.expect("a kind of the catalogue")
}

fn unknown_order() -> Kind {
    named(&lookup_kinds(Order::CaptureRequired), "404 {\"message\":\"Not Found\"}").clone()
}
