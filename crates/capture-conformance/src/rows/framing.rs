//! Faults 23 to 38: HTTP framing. Those of HTTP/2 (33, 34) are in `http2.rs`.

use std::time::Duration;

use super::row::{Row, unclear};
use crate::fixture::ORDER;
use crate::replies::{SUCCESS, chunked, gzip, json, order_body, raw, with};
use crate::wire::{Act, Dialogue, Do, on_capture};

const OK: &str = "HTTP/1.1 200 OK";
const JSON: &str = "content-type: application/json\r\n";

pub(super) fn rows() -> Vec<Row> {
    let length = |n: usize| format!("{JSON}content-length: {n}\r\n");
    let n = SUCCESS.len();
    let chunk = format!("{n:x}\r\n{SUCCESS}\r\n");
    let both = format!("{}transfer-encoding: chunked\r\n", length(n));
    let say = |reply: Vec<u8>| Act::say(reply);
    let gone = |bytes| say(bytes).then(Do::Finish);
    let coding = |coding: &str| format!("{}transfer-encoding: {coding}\r\n", length(n));
    let headers = |count| (0..count).map(|n| format!("x-{n}: y\r\n")).collect::<String>();
    let mut rows = Vec::new();

    for (name, act) in [
        ("23 the length is larger than the body", gone(raw(OK, &length(n + 1), SUCCESS))),
        ("23 the length is larger, and reset", say(raw(OK, &length(999), SUCCESS)).then(Do::Reset)),
        ("25 the chunked body is cut", gone(chunked(&chunk))),
        (
            "25 the chunked body is cut in a chunk",
            gone(chunked(format!("{:x}\r\n{SUCCESS}", n + 9))),
        ),
        (
            "28 a chunk size that is no number",
            gone(chunked(format!("zz\r\n{SUCCESS}\r\n0\r\n\r\n"))),
        ),
        ("28 a negative chunk size", gone(chunked(format!("-1\r\n{SUCCESS}\r\n0\r\n\r\n")))),
        ("28 a chunk of 2^64 bytes", gone(chunked(format!("10000000000000000\r\n{SUCCESS}")))),
        ("28 a chunk of 2^64 - 1 bytes", gone(chunked(format!("ffffffffffffffff\r\n{SUCCESS}")))),
        (
            "28 a chunk extension without end",
            say(chunked("1;x=")).then(Do::Flood(vec![b'y'; 4096])),
        ),
        ("31 trailers without end", say(chunked("0\r\n")).then(Do::Flood(b"x: y\r\n".repeat(100)))),
    ] {
        rows.extend(unclear(name, act, "cut_reply", "C200~"));
    }
    for (name, codings) in [
        ("28 the coding identity beside a length", "identity"),
        ("28 the coding gzip, without chunks", "gzip"),
        ("28 chunks inside of gzip", "chunked, gzip"),
    ] {
        // Only the end of the connection would end these, and it stays open: a client that reads on
        // has no time left for the lookup.
        let soon = |row: Row| row.policy(|policy| policy.with_deadline(Duration::from_secs(15)));
        let act = say(raw(OK, &coding(codings), SUCCESS));
        rows.extend(unclear(name, act, "cut_reply", "C200~").into_iter().map(soon));
    }
    for (name, act) in [
        ("24 the length is smaller than the body", gone(raw(OK, &length(n - 5), SUCCESS))),
        ("25 no length, and the body is cut", gone(raw(OK, JSON, &SUCCESS[..20]))),
        ("25 no length, and no body", gone(raw(OK, JSON, ""))),
        ("36 a page in a 200", say(with(200, "content-type: text/html\r\n", SUCCESS))),
        ("36 a page in a 200, said to be JSON", say(json(200, "<html></html>"))),
        ("37 an empty 200", say(with(200, "", ""))),
        ("27 a length beside chunks", gone(raw(OK, &both, format!("{chunk}0\r\n\r\n")))),
        ("35 HTTP/1.0 with a whole answer", gone(raw("HTTP/1.0 200 OK", &length(n), SUCCESS))),
        ("35 HTTP/1.0 without a length", gone(raw("HTTP/1.0 200 OK", JSON, SUCCESS))),
        ("32 gzip, not asked for", say(with(200, &coded("gzip"), gzip(SUCCESS.as_bytes())))),
        ("32 a gzip bomb", say(with(200, &coded("gzip"), gzip(&vec![b' '; 8 << 20])))),
        ("32 brotli, not asked for", say(with(200, &coded("br"), SUCCESS))),
        ("32 zstd, not asked for", say(with(200, &coded("zstd"), SUCCESS))),
        ("32 deflate, not asked for", say(with(200, &coded("deflate"), SUCCESS))),
        ("32 a coding that nobody knows", say(with(200, &coded("x-rot13"), SUCCESS))),
    ] {
        rows.extend(unclear(name, act, "unreadable_reply", "C200"));
    }
    let two = format!("{JSON}content-length: {n}\r\ncontent-length: {}\r\n", n + 1);
    let long = format!("x: {}\r\n", "y".repeat(1 << 20));
    let folded = format!("{JSON}x: y\r\n z\r\ncontent-length: {n}\r\n");
    for (name, act) in [
        ("26 two lengths", gone(raw(OK, &two, SUCCESS))),
        ("26 a length that is no number", gone(raw(OK, "content-length: ten\r\n", SUCCESS))),
        ("26 a negative length", gone(raw(OK, "content-length: -1\r\n", SUCCESS))),
        ("26 a length of 2^64", gone(raw(OK, "content-length: 18446744073709551616\r\n", SUCCESS))),
        ("31 10,000 headers", say(raw(OK, &headers(10_000), ""))),
        ("31 129 headers", say(with(200, &headers(128), SUCCESS))),
        ("31 a header of 1 MiB", say(raw(OK, &long, ""))),
        (
            "31 headers without end",
            say(raw(OK, "", "")[..17].into()).then(Do::Flood(b"x: y\r\n".repeat(100))),
        ),
        (
            "31 one header without end",
            say(b"HTTP/1.1 200 OK\r\nx: ".to_vec()).then(Do::Flood(vec![b'y'; 4096])),
        ),
        ("31 a folded header", gone(raw(OK, &folded, SUCCESS))),
        ("31 a header without a name", gone(raw(OK, ": y\r\n", SUCCESS))),
        ("31 a header name with a space", gone(raw(OK, "x y: z\r\n", SUCCESS))),
        ("35 HTTP/0.9, only a body", gone(SUCCESS.into())),
        ("35 a garbage status line", gone(b"HELLO\r\n\r\n".to_vec())),
        ("35 bytes of another protocol", gone(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00".to_vec())),
        ("35 HTTP/3.0", gone(raw("HTTP/3.0 200 OK", &length(n), SUCCESS))),
        ("35 no status", gone(raw("HTTP/1.1", &length(n), SUCCESS))),
        ("38 status 099", gone(raw("HTTP/1.1 099 X", &length(n), SUCCESS))),
        ("38 status 1000", gone(raw("HTTP/1.1 1000 X", &length(n), SUCCESS))),
        ("38 status 20", gone(raw("HTTP/1.1 20 X", &length(n), SUCCESS))),
    ] {
        rows.extend(unclear(name, act, "no_reply", "C?"));
    }
    // A refusal or an order written by an intermediary proves just as little.
    let refusal = r#"{"title":"t","status":400}"#;
    let chunks = |body: &str| format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let two = |body: &str| format!("{}transfer-encoding: chunked\r\n", length(body.len()));
    for (name, act) in [
        (
            "27 a length beside chunks in a 400",
            gone(raw("HTTP/1.1 400 X", &two(refusal), chunks(refusal))),
        ),
        ("35 HTTP/1.0 in a 400", gone(raw("HTTP/1.0 400 X", JSON, refusal))),
    ] {
        rows.extend(unclear(name, act, "undecided_status", "C400"));
    }
    let completed = order_body(ORDER, 7);
    for (name, reply) in [
        ("27 a length beside chunks in an order", raw(OK, &two(&completed), chunks(&completed))),
        ("35 HTTP/1.0 in an order", raw("HTTP/1.0 200 OK", JSON, &completed)),
    ] {
        let dialogue = Dialogue {
            capture: vec![gone(Vec::new())],
            lookup: vec![gone(reply)],
            ..Dialogue::default()
        };
        rows.push(Row::new(name, dialogue, "unknown no_reply", "C? L200 L503", "T C L L"));
    }
    let interim = |line: &str| raw(line, "", "").repeat(200);
    for (name, line) in [
        ("30 100 without end", "HTTP/1.1 100 Continue"),
        ("30 103 without end", "HTTP/1.1 103 Early Hints"),
    ] {
        let act = Act::does(vec![Do::Flood(interim(line))]);
        rows.extend(unclear(name, act, "no_reply", "C?").into_iter().map(Row::hangs));
    }
    for status in [204, 205] {
        let reply = raw(&format!("HTTP/1.1 {status} X"), "", "");
        rows.extend(unclear(
            &format!("37 a {status}"),
            gone(reply),
            "undecided_status",
            &format!("C{status}"),
        ));
    }
    rows.extend(unclear("37 a 304", gone(raw("HTTP/1.1 304 X", "", "")), "redirect", "C304"));
    for status in [600, 999] {
        let act = gone(raw(&format!("HTTP/1.1 {status} X"), &length(n), SUCCESS));
        rows.extend(unclear(
            &format!("38 status {status}"),
            act,
            "undecided_status",
            &format!("C{status}"),
        ));
    }
    let after = |line: &str| [raw(line, "", ""), json(200, SUCCESS)].concat();
    for (name, act) in [
        (
            "29 odd trailers",
            say(chunked(format!("{chunk}0\r\nstatus: FAILED\r\ncontent-length: 5\r\n\r\n"))),
        ),
        ("29 a chunk extension", say(chunked(format!("{n:x};a=b\r\n{SUCCESS}\r\n0\r\n\r\n")))),
        (
            "29 a byte a chunk",
            say(chunked(format!(
                "{}0\r\n\r\n",
                SUCCESS.chars().map(|c| format!("1\r\n{c}\r\n")).collect::<String>()
            ))),
        ),
        ("30 one 100 before the answer", say(after("HTTP/1.1 100 Continue"))),
        ("30 one 103 before the answer", say(after("HTTP/1.1 103 Early Hints"))),
        ("31 128 headers", say(with(200, &headers(127), SUCCESS))),
        ("32 the coding Identity, in another case", say(with(200, &coded("Identity"), SUCCESS))),
        ("25 no length, and the body is whole", gone(raw(OK, JSON, SUCCESS))),
        (
            "26 the same length twice",
            say(raw(OK, &format!("{}content-length: {n}\r\n", length(n)), SUCCESS)),
        ),
    ] {
        rows.push(Row::new(name, on_capture([act]), "captured reply", "C200", "T C"));
    }
    rows
}

fn coded(coding: &str) -> String {
    format!("{JSON}content-encoding: {coding}\r\n")
}
