//! What scripts do on the wire: every kind of reply and end, over real sockets.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use capture_sandbox::{Sandbox, Script, Server};
use serde_json::{Value, json};

use crate::socket::{capture, connect, login, post, reply};
use crate::world::money;

/// All that comes, and how it ends.
fn read_all(stream: &mut TcpStream) -> (String, &'static str) {
    let mut bytes = Vec::new();
    let end = match stream.read_to_end(&mut bytes) {
        Ok(_) => "closed",
        Err(error) if error.kind() == ErrorKind::ConnectionReset => "reset",
        Err(error) => panic!("{error}"),
    };
    (String::from_utf8_lossy(&bytes).into_owned(), end)
}

/// What the next capture meets.
pub(crate) fn script(server: &Server, act: &Value) {
    let written = json!({ "rules": [{ "on": { "operation": "capture" }, "do": act }] });
    server.script(Script::from_json(&written.to_string()).unwrap());
}

/// Scripted words, and more.
pub(crate) fn with(more: Value) -> Value {
    let mut act = json!({ "status": 200, "body": "abcdef", "effect": false });
    let Value::Object(more) = more else { panic!("{more} is no object") };
    act.as_object_mut().unwrap().extend(more);
    act
}

#[test]
fn every_reply_and_every_end() {
    let server = Sandbox::start();
    let token = login(&server);
    let huge = "\r\n\r\nffffffffffffffff\r\nab\r\n0\r\n\r\n";
    let rows = [
        (json!({ "close": true, "effect": true }), "", "", "closed", 1),
        (json!({ "close": "after-reading", "effect": false }), "", "", "closed", 0),
        (json!({ "reset": true, "effect": true }), "", "", "reset", 1),
        (json!({ "reset": true, "effect": false }), "", "", "reset", 0),
        (json!({ "close": "mid-head", "effect": true }), "HTTP/1.1 200 OK\r\n", "", "closed", 1),
        (json!({ "reset": "mid-head", "effect": true }), "HTTP/1.1 200 OK\r\n", "", "reset", 1),
        (with(json!({ "close": "mid-body" })), "content-length: 6\r\n\r\n", "abc", "closed", 0),
        (with(json!({ "reset": "mid-body" })), "content-length: 6\r\n\r\n", "abc", "reset", 0),
        (
            with(json!({ "close": "after-reply" })),
            "content-length: 6\r\n\r\n",
            "abcdef",
            "closed",
            0,
        ),
        (with(json!({ "reset": "after-reply", "effect": true })), "200 OK", "abcdef", "reset", 1),
        (with(json!({ "content_length": 9 })), "content-length: 9\r\n", "abcdef", "closed", 0),
        (with(json!({ "content_length": 2 })), "content-length: 2\r\n", "abcdef", "closed", 0),
        (
            with(json!({ "framing": "chunked" })),
            "chunked\r\n",
            "3\r\ndef\r\n0\r\n\r\n",
            "closed",
            0,
        ),
        (
            with(json!({ "framing": "unfinished-chunks" })),
            "chunked\r\n",
            "3\r\ndef\r\n",
            "closed",
            0,
        ),
        (with(json!({ "framing": "huge-chunk", "body": "ab" })), "chunked\r\n", huge, "closed", 0),
        (
            with(json!({ "framing": "trailers" })),
            "chunked\r\n",
            "status: FAILED\r\n\r\n",
            "closed",
            0,
        ),
        (
            with(json!({ "framing": "two-lengths" })),
            "content-length: 6\r\ncontent-length: 7\r\n",
            "abcdef",
            "closed",
            0,
        ),
        (
            with(json!({ "framing": "until-close" })),
            "connection: close\r\n\r\nabcdef",
            "abcdef",
            "closed",
            0,
        ),
        (with(json!({ "drip": { "bytes": 7, "every_ms": 0 } })), "200 OK", "abcdef", "closed", 0),
        (with(json!({ "body": { "hex": "61ff" } })), "content-length: 2\r\n", "a\u{fffd}", "", 0),
        (
            with(json!({ "body": { "text": "ab", "times": 3 } })),
            "content-length: 6\r\n",
            "ababab",
            "",
            0,
        ),
        (with(json!({ "truncate": 4 })), "content-length: 4\r\n", "abcd", "", 0),
        (
            json!({ "raw": "HTTP/1.1 099 Odd\r\n\r\nx", "effect": false }),
            "HTTP/1.1 099 Odd\r\n\r\nx",
            "",
            "closed",
            0,
        ),
        (
            json!({ "raw": "hello", "reset": "after-reply", "effect": true }),
            "hello",
            "",
            "reset",
            1,
        ),
        (
            json!({ "headers": { "content-encoding": "gzip" } }),
            "content-encoding: gzip\r\n",
            "}",
            "",
            1,
        ),
        (json!({ "members": "upper" }), r#""STATUS":"SUCCESS""#, "}", "", 1),
        (json!({ "members": "pascal" }), r#""StatusCode":null"#, "}", "", 1),
    ];
    for (key, (act, has, ends, end, captures)) in (1..).zip(rows) {
        let order = server.create_order(money("1.00"));
        script(&server, &act);
        let mut stream = connect(&server);
        let mut request = capture(&token, order, key);
        if end.is_empty() {
            // It would go on; to see its end it is asked not to.
            request = request.replacen("\r\n", "\r\nconnection: close\r\n", 1);
        }
        stream.write_all(request.as_bytes()).unwrap();
        let (text, found) = read_all(&mut stream);
        assert!(text.contains(has) && text.ends_with(ends), "{act}: {text}");
        assert_eq!(found, if end.is_empty() { "closed" } else { end }, "{act}");
        assert_eq!(server.ledger().captures(order), captures, "{act}");
    }
}

#[test]
fn a_connection_ends_before_the_body_is_read() {
    let server = Sandbox::start();
    let token = login(&server);
    let order = server.create_order(money("1.00"));
    for (end, expect) in [("close", "closed"), ("reset", "reset")] {
        script(&server, &json!({ end: "before-reading" }));
        let mut stream = connect(&server);
        let whole = capture(&token, order, 1);
        let (head, _body) = whole.split_once("\r\n\r\n").unwrap();
        stream.write_all(format!("{head}\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(read_all(&mut stream), (String::new(), expect));
    }
    // The whole request at once is the same to a script.
    script(&server, &json!({ "close": "before-reading" }));
    let mut stream = connect(&server);
    stream.write_all(capture(&token, order, 1).as_bytes()).unwrap();
    assert_eq!(read_all(&mut stream), (String::new(), "closed"));
    // Also over what the server has not read.
    script(&server, &json!({ "close": "before-reading" }));
    let mut stream = connect(&server);
    let large = post("/v1/capture", &token, &" ".repeat(300_000));
    stream.write_all(large.as_bytes()).unwrap();
    assert_eq!(read_all(&mut stream), (String::new(), "closed"));
    assert_eq!(server.ledger().captures(order), 0);
    assert_eq!(server.rules(), Script::default(), "all are spent");
    let seen: Vec<_> = server.transcript().into_iter().filter_map(|seen| seen.script).collect();
    let words = |end| format!("{end} before reading, not carried out");
    assert_eq!(seen, [words("closed"), words("reset"), words("closed"), words("closed")]);
}

#[test]
fn held_open_until_the_client_goes_away_or_the_server_stops() {
    let server = Sandbox::start();
    let token = login(&server);
    for (key, place, begins) in
        [(1, json!(true), ""), (2, json!("mid-body"), "HTTP/1.1 200 OK\r\n")]
    {
        let order = server.create_order(money("1.00"));
        script(&server, &json!({ "hang": place, "effect": true }));
        let mut held = connect(&server);
        held.write_all(capture(&token, order, key).as_bytes()).unwrap();
        while server.ledger().captures(order) == 0 {
            std::thread::yield_now();
        }
        let mut head = vec![0; begins.len()];
        held.read_exact(&mut head).unwrap();
        assert_eq!(String::from_utf8(head).unwrap(), begins);
        held.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let quiet = loop {
            match held.read(&mut [0; 4096]) {
                Ok(0) => panic!("it was closed"),
                Ok(_) => {}
                Err(error) => break error.kind(),
            }
        };
        assert!(matches!(quiet, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{quiet}");
    }
    let mut held = connect(&server);
    script(&server, &json!({ "hang": true, "effect": false }));
    let order = server.create_order(money("1.00"));
    held.write_all(capture(&token, order, 9).as_bytes()).unwrap();
    while server.rules() != Script::default() {
        std::thread::yield_now();
    }
    drop(server); // does not wait for the hour
    assert_eq!(read_all(&mut held).0, "");
}

#[test]
fn an_unannounced_end_hits_the_next_request() {
    let server = Sandbox::start();
    let token = login(&server);
    let order = server.create_order(money("1.00"));
    script(&server, &json!({ "close": "after-reply", "effect": true }));
    let mut stream = connect(&server);
    stream.write_all(capture(&token, order, 1).as_bytes()).unwrap();
    let (head, _) = reply(&mut stream);
    assert!(!head.contains("connection: close"), "{head}");
    assert_eq!(read_all(&mut stream).0, "");
    let mut stream = connect(&server);
    stream.write_all(capture(&token, order, 1).as_bytes()).unwrap();
    assert!(reply(&mut stream).1.contains("SUCCESS"));
}

#[test]
fn a_rule_stubs_a_path_that_the_api_does_not_have() {
    let server = Sandbox::start();
    let token = login(&server);
    let ask = |path: &str| {
        let mut stream = connect(&server);
        stream.write_all(post(path, &token, r#"{"card":"4111"}"#).as_bytes()).unwrap();
        let (head, body) = reply(&mut stream);
        (head[9..12].parse::<u16>().unwrap(), body)
    };
    // A rule without a path is about the API alone.
    server
        .script(Script::from_json(r#"{"rules":[{"do":{"status":500,"effect":false}}]}"#).unwrap());
    assert_eq!(ask("/v1/tokenize").0, 404);
    server.clear_script();

    let stub = json!({ "rules": [
        { "on": { "path": "/v1/tokenize" }, "times": 2,
          "do": { "status": 201, "body": "{\"token\":\"t\"}", "effect": false } },
        { "on": { "path": "/v1/sites/*" }, "times": "always",
          "do": { "status": 204, "effect": false } },
    ] });
    let mut stream = connect(&server);
    stream.write_all(post("/_sandbox/script", "", &stub.to_string()).as_bytes()).unwrap();
    assert!(reply(&mut stream).0.starts_with("HTTP/1.1 200 "));
    for (path, status, body) in [
        ("/v1/tokenize", 201, r#"{"token":"t"}"#),
        ("/v1/tokenize?to=1", 201, r#"{"token":"t"}"#),
        ("/v1/tokenize", 404, r#"{"message":"Not Found"}"#),
        ("/v1/tokenize/x", 404, r#"{"message":"Not Found"}"#),
        ("/v1/sites/7", 204, ""),
        ("/v1/sites/7/users", 204, ""),
    ] {
        assert_eq!(ask(path), (status, body.to_owned()), "{path}");
    }
    let last = server.transcript().pop().unwrap();
    let script = last.script.unwrap();
    assert_eq!(
        (last.operation, script.as_str()),
        (None, "answered 204 No Content, not carried out")
    );

    // It may also name a path of the API, by any method, and end the connection before the body.
    server.script(Script::status(503).path("/v1/orders"));
    assert_eq!(ask("/v1/orders").0, 503, "GET alone is the API's");
    assert_eq!(ask("/v1/orders").0, 405);
    let early = r#"{"rules":[{"on":{"path":"/v1/tokenize"},"do":{"reset":"before-reading"}}]}"#;
    server.script(Script::from_json(early).unwrap());
    let mut stream = connect(&server);
    let head = b"POST /v1/tokenize HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n";
    stream.write_all(head).unwrap();
    assert_eq!(read_all(&mut stream), (String::new(), "reset"));
}
