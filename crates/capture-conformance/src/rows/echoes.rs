//! Fault 85: replies that echo our own secrets, or hold an order's personal data, in every place from
//! which something is shown. The search covers every row (`canaries.rs`).

use super::row::Row;
use crate::fixture::ORDER;
use crate::replies::{chunked, granted, json, order_body, with};
use crate::wire::{Act, Dialogue, Do, on_capture};

const TOKEN: &str = "canary-token-number-0";

pub(super) fn rows() -> Vec<Row> {
    let failed = format!(r#"{{"status":"FAILED","success":true,"errors":["{TOKEN}"]}}"#);
    let word = format!(r#"{{"status":"{TOKEN}","success":true}}"#);
    let problem =
        format!(r#"{{"title":"{TOKEN}","status":400,"errors":{{"{TOKEN}":["{TOKEN}"]}}}}"#);
    let headers = format!("apigw-requestid: {TOKEN}\r\nset-cookie: {TOKEN}\r\n");
    let location = format!("location: https://{TOKEN}.example/\r\n");
    let html = "content-type: text/html\r\n";
    let cut = format!("HTTP/1.1 200 OK\r\n{headers}content-length: 99\r\n\r\n{TOKEN}");
    let mut rows = Vec::new();
    let whole = Act::say;
    let ends = |reply: String| Act::say(reply).then(Do::Finish);
    for (name, act, outcome, attempt) in [
        ("in the errors", whole(json(200, &failed)), "unknown unconfirmed_refusal", "200"),
        ("as the word", whole(json(200, &word)), "unknown undecided_word", "200"),
        ("in problem details", whole(json(400, &problem)), "unknown unconfirmed_refusal", "400"),
        ("in the headers", whole(with(500, &headers, TOKEN)), "unknown undecided_status", "500"),
        ("in a redirect", whole(with(302, &location, "")), "unknown redirect", "302"),
        ("in a page", whole(with(200, html, TOKEN)), "unknown unreadable_reply", "200"),
        ("in a chunk size", whole(chunked(TOKEN)).then(Do::Finish), "unknown cut_reply", "200~"),
        ("in a cut reply", ends(cut), "unknown cut_reply", "200~"),
        (
            "in a malformed header",
            ends(format!("HTTP/1.1 200 OK\r\n{TOKEN} {TOKEN}\r\n\r\n")),
            "unknown no_reply",
            "?",
        ),
        ("in a garbage status line", ends(format!("{TOKEN}\r\n\r\n")), "unknown no_reply", "?"),
    ] {
        rows.push(Row::new(
            &format!("85 the token {name}"),
            on_capture([act.clone()]),
            outcome,
            &format!("C{attempt} L503"),
            "T C L",
        ));
        rows.push(Row::new(
            &format!("85 the refused token {name}"),
            on_capture([Act::say(with(401, "", "")), act.clone()]),
            outcome,
            &format!("C401 C{attempt} L503"),
            "T C T C L",
        ));
        let dialogue = Dialogue {
            capture: vec![Act::does(vec![Do::Finish])],
            lookup: vec![act],
            ..Dialogue::default()
        };
        rows.push(Row::new(
            &format!("85 the token {name}, of a lookup"),
            dialogue,
            "unknown no_reply",
            &format!("C? L{attempt} L503"),
            "T C L L",
        ));
    }
    let login = |reply: Vec<u8>| Dialogue { token: vec![Act::say(reply)], ..Dialogue::default() };
    let refusal = json(400, r#"{"message":"canary/key+= canary/secret+="}"#);
    let garbage = "canary/secret+=\r\n\r\n".into();
    let person = json(200, &order_body(ORDER, 7));
    for (name, dialogue, outcome, attempts, wire) in [
        (
            "key and secret in a login's refusal",
            login(refusal),
            "not_captured credentials_refused",
            "",
            "T",
        ),
        ("the secret in a login's garbage", login(garbage), "captured reply", "C200", "T T C"),
        (
            "a token that no header can hold",
            login(granted("canary-token\\r\\nx: y")),
            "not_captured login_without_token",
            "",
            "T",
        ),
        (
            "personal data in the order",
            Dialogue {
                capture: vec![Act::does(vec![Do::Finish])],
                lookup: vec![Act::say(person)],
                ..Dialogue::default()
            },
            "captured order_status",
            "C? L200",
            "T C L",
        ),
    ] {
        rows.push(Row::new(&format!("85 {name}"), dialogue, outcome, attempts, wire));
    }
    rows
}
