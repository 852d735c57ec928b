//! Fault 21: a connection that misbehaves after its reply. What comes late, or twice, belongs to the
//! request before, and must not be believed for the next one.

use std::time::Duration;

use super::row::Row;
use crate::replies::{captured, granted, json, waiting};
use crate::wire::{Act, Dialogue, Do};

pub(super) fn rows() -> Vec<Row> {
    let failed = json(200, r#"{"status":"FAILED","success":true,"errors":[]}"#);
    let gateway_timeout = json(504, r#"{"message":"Endpoint request timed out"}"#);
    let rejected =
        json(400, r#"{"title":"Invalid","status":400,"errors":{"Amount":["too high"]}}"#);
    let mut rows = Vec::new();
    for (reply, first, stale, second, outcome) in [
        ("SUCCESS", &gateway_timeout, &captured(), &failed, "not_captured declined"),
        ("another SUCCESS", &captured(), &captured(), &failed, "not_captured declined"),
        ("FAILED", &gateway_timeout, &failed, &captured(), "captured reply"),
        ("another FAILED", &failed, &failed, &captured(), "captured reply"),
        ("a 400", &gateway_timeout, &rejected, &captured(), "captured reply"),
        ("another 504", &gateway_timeout, &gateway_timeout, &captured(), "captured reply"),
    ] {
        for (when, act) in [
            ("lies there", lies_there(first, stale)),
            ("comes late", Act::say(&first[..]).then(Do::Late(stale.clone()))),
        ] {
            let name = format!("21 {reply} {when} when the next capture is sent");
            let acts = vec![act, Act::say(&second[..])];
            let dialogue = Dialogue { capture: acts, ..Dialogue::default() };
            let row = Row::new(&name, dialogue, outcome, "C200", "C C").own_token().captures(2);
            // One send each: what the second one is told must be its own reply.
            rows.push(row.sends(1).policy(|policy| policy.with_lookup(false)));
        }
    }
    let token = granted("canary-token-number-0");
    for (when, act) in [
        ("lies there", lies_there(&token, &token)),
        ("comes late", Act::say(&token[..]).then(Do::Late(token.clone()))),
    ] {
        let name = format!("21 another token {when} when the capture is sent");
        let dialogue = Dialogue { token: vec![act], ..Dialogue::default() };
        rows.push(Row::new(&name, dialogue, "captured reply", "C200", "T C"));
    }
    // The lookup that settles one capture must not swallow the reply to the next.
    let dialogue = Dialogue {
        capture: vec![Act::say(gateway_timeout).then(Do::Late(captured())), Act::say(captured())],
        lookup: vec![Act::say(waiting())],
        ..Dialogue::default()
    };
    let name = "21 SUCCESS comes late when the order is looked up";
    rows.push(Row::new(name, dialogue, "captured reply", "C504 L200 C200", "T C L C"));
    rows
}

/// The stale reply is at the client's socket long before the next request is written.
fn lies_there(first: &[u8], stale: &[u8]) -> Act {
    Act::say(first).then(Do::Pause(Duration::from_millis(100))).then(Do::Say(stale.to_vec()))
}
