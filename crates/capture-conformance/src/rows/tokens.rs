//! Faults 86 to 95: the login. Crowds (91, 92) are in `crowd.rs`.

use super::row::Row;
use crate::replies::{captured, granted, json, later, order, raw, with};
use crate::wire::{Act, Dialogue, Do, on_capture};

pub(super) fn rows() -> Vec<Row> {
    let login = |acts: Vec<Act>| Dialogue { token: acts, ..Dialogue::default() };
    let later = || Act::say(later());
    let mut rows = vec![
        Row::new(
            "86 the login says 503 until tomorrow",
            login(vec![later()]),
            "not_captured login_unavailable",
            "",
            "T",
        ),
        Row::new(
            "86 the token in use is still good",
            Dialogue {
                token: vec![Act::say(granted("canary-token-number-0")), later()],
                ..Dialogue::default()
            },
            "captured reply",
            "C200",
            "T C C",
        )
        .captures(2),
        Row::new(
            "95 a login fails while the order is looked up",
            Dialogue {
                token: vec![Act::say(granted("canary-token-number-0")), later()],
                capture: vec![Act::does(vec![Do::Finish])],
                lookup: vec![Act::say(with(401, "", ""))],
                ..Dialogue::default()
            },
            "unknown no_reply",
            "C? L401",
            "T C L T",
        ),
        Row::new(
            "95 a lookup needs another token",
            Dialogue {
                capture: vec![Act::does(vec![Do::Finish])],
                lookup: vec![Act::say(with(401, "", "")), Act::say(order(7))],
                ..Dialogue::default()
            },
            "captured order_status",
            "C? L401 L200",
            "T C L T L",
        ),
    ];
    let whole = granted("canary-token-number-0");
    let cut = whole[..whole.len() - 9].to_vec();
    for (name, act, code) in [
        ("86 the login says 500", Act::say(with(500, "", "")), "login_unavailable"),
        ("86 the login says 502", Act::say(with(502, "", "")), "login_unavailable"),
        ("86 the login says 429", Act::say(with(429, "retry-after: 1\r\n", "")), "login_throttled"),
        ("86 the login says 408", Act::say(with(408, "", "")), "login_unavailable"),
        ("86 the login gets no answer", Act::does(vec![Do::Finish]), "login_no_reply"),
        ("86 the login is reset", Act::does(vec![Do::Reset]), "login_no_reply"),
        ("86 the login's answer is cut", Act::say(cut).then(Do::Finish), "login_no_reply"),
        (
            "86 the login's answer is garbage",
            Act::say(*b"HELLO\r\n\r\n").then(Do::Finish),
            "login_no_reply",
        ),
    ] {
        rows.push(Row::new(name, login(vec![act.clone()]), "captured reply", "C200", "T T C"));
        let always = login(vec![act; 3]);
        let ends = format!("not_captured {code}");
        rows.push(Row::new(&format!("{name}, always"), always, &ends, "", "T T").sends(2));
    }
    rows.push(
        Row::new(
            "86 the login hangs",
            login(vec![Act::does(vec![Do::Hang])]),
            "captured reply",
            "C200",
            "T T C",
        )
        .hangs(),
    );
    rows.push(
        Row::new(
            "86 the login's answer hangs",
            login(vec![
                Act::say(raw("HTTP/1.1 200 OK", "content-length: 99\r\n", "{")).then(Do::Hang),
            ]),
            "captured reply",
            "C200",
            "T T C",
        )
        .hangs(),
    );
    for (name, reply, code) in [
        (
            "87 the credentials are refused with a 400",
            json(400, r#"{"message":"Invalid credentials"}"#),
            "credentials_refused",
        ),
        ("87 the credentials are refused with a 401", json(401, ""), "credentials_refused"),
        ("87 the credentials are refused with a 403", json(403, "{}"), "login_blocked"),
        ("87 the login is not there", json(404, ""), "login_not_the_api"),
        ("88 no token in a 200", json(200, r#"{"success":true}"#), "login_without_token"),
        ("88 an empty token", granted(""), "login_without_token"),
        ("88 a token with CR and LF", granted(r"a\r\nx-injected: 1"), "login_without_token"),
        ("88 a token with spaces", granted("a b"), "login_without_token"),
        ("88 a token of 900 KiB", granted(&"a".repeat(900 << 10)), "login_without_token"),
        ("88 a token that is a number", json(200, r#"{"accessToken":7}"#), "login_without_token"),
        (
            "88 two tokens",
            json(200, r#"{"accessToken":"a","AccessToken":"b"}"#),
            "login_without_token",
        ),
        (
            "88 a page in a 200",
            with(200, "content-type: text/html\r\n", "<html></html>"),
            "login_not_the_api",
        ),
        ("88 a 201 with a token", json(201, r#"{"accessToken":"a"}"#), "login_without_token"),
        ("88 a 204", raw("HTTP/1.1 204 X", "", ""), "login_without_token"),
    ] {
        let ends = format!("not_captured {code}");
        rows.push(Row::new(name, login(vec![Act::say(reply)]), &ends, "", "T"));
    }
    let date = "content-type: application/json\r\ndate: Tue, 01 Sep 2026 10:00:00 GMT\r\n";
    let expires = |value: &str| {
        let body = format!(r#"{{"accessToken":"canary-token-number-0","expires":{value}}}"#);
        login(vec![Act::say(with(200, date, body))])
    };
    // 2026-09-01 10:00:00 is 1 788 256 800 seconds after the epoch.
    for (name, value, wire) in [
        ("89 expires as text", r#""1788257400000""#, "T C C"),
        ("89 expires in seconds", "1788257400", "T C C"),
        ("89 expires in the past", "1788256799000", "T C C"),
        ("89 expires in the year 9999", "253402300799000", "T C C"),
        ("89 expires out of range", "99999999999999999999999", "T C C"),
        ("89 expires is an object", "{}", "T C C"),
        ("89 expires a millisecond from now", "1788256800001", "T C T C"),
    ] {
        rows.push(Row::new(name, expires(value), "captured reply", "C200", wire).captures(2));
    }
    rows.push(Row::new(
        "90 the token expired on its way",
        on_capture([Act::say(with(401, "www-authenticate: Bearer\r\n", "")), Act::say(captured())]),
        "captured reply",
        "C401 C200",
        "T C T C",
    ));
    rows
}
