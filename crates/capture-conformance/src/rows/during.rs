//! Faults 13 to 22: during and after sending.

use std::time::Duration;

use capture_core::Policy;

use super::row::{Row, proven, unclear};
use crate::replies::{captured, json, raw, with};
use crate::wire::{Act, Dialogue, Do, Meet, Reads, on_capture};

pub(super) fn rows() -> Vec<Row> {
    let act = Act::does;
    let head = |does| Act::does(does).reading(Reads::Head);
    let part = |does| Act::does(does).reading(Reads::Part);
    let mut rows = Vec::new();
    for (name, act) in [
        ("13 reset after the head", head(vec![Do::Reset])),
        ("13 reset after a part of the body", part(vec![Do::Reset])),
        ("13 end after the head", head(vec![Do::Finish])),
        ("13 end after a part of the body", part(vec![Do::Finish])),
        ("14 end after the whole request", act(vec![Do::Finish])),
        ("14 reset after the whole request", act(vec![Do::Reset])),
        ("14 end in the status line", Act::say("HTTP/1.1 2").then(Do::Finish)),
        ("14 reset in the status line", Act::say("HTTP/1.1 2").then(Do::Reset)),
        ("14 end in the headers", Act::say("HTTP/1.1 200 OK\r\ncontent-le").then(Do::Finish)),
        ("14 reset in the headers", Act::say("HTTP/1.1 200 OK\r\ncontent-le").then(Do::Reset)),
    ] {
        rows.extend(unclear(name, act.clone(), "no_reply", "C?"));
        rows.push(proven(name, act, "C?"));
    }
    for (name, act) in [
        ("15 no first byte", act(vec![Do::Hang])),
        ("15 no first byte, and the body is unread", head(vec![Do::Hang])),
        ("15 a head that never ends", Act::say("HTTP/1.1 200 OK\r\nx: ").then(Do::Hang)),
        ("15 a head byte by byte", act(vec![Do::Drip(b"HTTP/1.1 200 OK\r\nx:")])),
    ] {
        rows.extend(unclear(name, act, "no_reply", "C?").into_iter().map(Row::hangs));
    }
    let open = "content-type: application/json\r\ncontent-length: 999\r\n";
    let cut = |body: &str| raw("HTTP/1.1 200 OK", open, body);
    let chunked = "content-type: application/json\r\ntransfer-encoding: chunked\r\n";
    let slow = b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n{";
    for (name, act) in [
        ("18 a head, then silence", Act::say(cut("")).then(Do::Hang)),
        ("18 half a body, then silence", Act::say(cut("{\"status\":")).then(Do::Hang)),
        (
            "18 a chunk, then silence",
            Act::say(raw("HTTP/1.1 200 OK", chunked, "1\r\n{\r\n")).then(Do::Hang),
        ),
        ("18 a body that never closes", Act::say(raw("HTTP/1.1 200 OK", "", "{}")).then(Do::Hang)),
        ("19 a body byte by byte", act(vec![Do::Drip(slow)])),
    ] {
        rows.extend(unclear(name, act, "cut_reply", "C200~").into_iter().map(Row::hangs));
    }
    rows.push(
        Row::new(
            "18 a 504, then silence",
            on_capture([Act::say(raw("HTTP/1.1 504 X", open, "")).then(Do::Hang)]),
            "unknown cut_reply",
            "C504~ L503",
            "T C L",
        )
        .hangs(),
    );
    // The head and its body share the time of one attempt: a new timeout for the body would end after
    // the deadline, and leave no time for the lookup.
    let (attempt, deadline) = (Duration::from_secs(6), Duration::from_millis(9_500));
    let shared = |policy: Policy| policy.with_attempt_timeout(attempt).with_deadline(deadline);
    let late = Do::Pause(Duration::from_secs(4));
    for (name, then) in [
        ("18 a late head, then silence", Do::Hang),
        ("19 a late head, then a body byte by byte", Do::Drip(b"{")),
    ] {
        let act = act(vec![late.clone(), Do::Say(cut("")), then]);
        rows.extend(
            unclear(name, act, "cut_reply", "C200~").into_iter().map(|row| row.policy(shared)),
        );
    }
    // The head of a cut reply still says how long to wait, which here is longer than a capture waits.
    let tomorrow = format!("retry-after: 86400\r\n{open}");
    for (name, status, does) in [
        ("18 a 503 that asks to wait, then silence", 503, Do::Hang),
        ("23 a 503 that asks to wait, and the body is cut", 503, Do::Finish),
        ("23 a 200 that asks to wait, and the body is cut", 200, Do::Finish),
    ] {
        let head = raw(&format!("HTTP/1.1 {status} X"), &tomorrow, "");
        let act = on_capture([Act::say(head).then(does)]);
        let attempts = format!("C{status}~");
        rows.push(Row::new(name, act, "unknown cut_reply", &attempts, "T C").hangs());
    }
    for (name, act) in [
        ("20 the answer, and the end behind it", Act::say(captured()).then(Do::Finish)),
        ("20 the answer before the body was read", head(vec![Do::Say(captured()), Do::Finish])),
    ] {
        rows.push(Row::new(name, on_capture([act]), "captured reply", "C200", "T C"));
    }
    // The login's reply comes twice: the second one must never be taken for the capture's.
    let two = |second: Vec<u8>| {
        let first = crate::replies::granted("canary-token-number-0");
        Dialogue { token: vec![Act::say([first, second].concat())], ..Dialogue::default() }
    };
    for (name, second) in [
        (
            "21 a reply too many, behind the login's",
            json(200, r#"{"status":"FAILED","success":true}"#),
        ),
        ("21 half a reply too many, behind the login's", b"HTTP/1.1 400 X\r\ncontent-".to_vec()),
    ] {
        rows.push(Row::new(name, two(second), "captured reply", "C200", "T C"));
    }
    let foreign = format!(
        r#"{{"orderId":"{}","status":"SUCCESS","success":true}}"#,
        crate::fixture::OTHER_ORDER
    );
    rows.extend(unclear(
        "21 the reply to another order",
        Act::say(json(200, &foreign)),
        "foreign_order",
        "C200",
    ));
    let portal = "<html>Welcome to the airport</html>";
    let html = "content-type: text/html\r\n";
    rows.extend(unclear(
        "22 a portal's page",
        Act::say(with(200, html, portal)),
        "unreadable_reply",
        "C200",
    ));
    rows.extend(unclear(
        "22 a portal's 511",
        Act::say(with(511, html, portal)),
        "undecided_status",
        "C511",
    ));
    rows.extend(unclear(
        "22 a portal's redirect",
        Act::say(with(302, "location: http://TRAP/login\r\n", portal)),
        "redirect",
        "C302",
    ));
    let unread = |does| Dialogue { connections: vec![Meet::Unread(does)], ..Dialogue::default() };
    for (name, does) in [
        ("13 reset, and nothing was read", vec![Do::Reset]),
        ("14 end, and nothing was read", vec![Do::Finish]),
    ] {
        rows.push(Row::new(name, unread(does), "unknown no_reply", "C? L503", "L").own_token());
    }
    rows.push(
        Row::new(
            "17 nothing is ever read",
            unread(vec![Do::Hang]),
            "unknown no_reply",
            "C? L503",
            "L",
        )
        .own_token()
        .hangs(),
    );
    rows
}
