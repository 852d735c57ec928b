//! Who is answered: programs on this machine, and no page of another site, on any path.

use std::io::Write as _;

use capture_sandbox::{Sandbox, Script, Server, Settings};

use crate::socket::{address, connect, login, reply};

/// The status of a request with these lines in its head.
fn status(server: &Server, line: &str, headers: &str, body: &str) -> String {
    let mut stream = connect(server);
    let length = body.len();
    let head = format!("{line} HTTP/1.1\r\n{headers}content-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    // A refusal does not wait for the body.
    let _ = stream.write_all(body.as_bytes());
    reply(&mut stream).0[9..12].to_owned()
}

#[test]
fn no_page_of_another_site_is_answered() {
    let server = Sandbox::start();
    let port = address(&server).port();
    let ours = format!("host: 127.0.0.1:{port}\r\n");
    let rebound = format!("host: evil.example:{port}\r\n");
    let token = login(&server);
    // It would end the first request that it meets.
    server
        .script(Script::from_json(r#"{"rules": [{"do": {"close": "before-reading"}}]}"#).unwrap());
    let asked = server.transcript().len();
    for headers in [
        rebound,
        format!("host: localhost:{}\r\n", port ^ 1),
        format!("{ours}origin: http://evil.example\r\n"),
        format!("{ours}origin: null\r\n"),
        format!("{ours}sec-fetch-site: cross-site\r\n"),
    ] {
        for (line, body) in [
            ("GET /v1/orders", ""),
            ("POST /v1/capture", "{}"),
            (
                "POST /v1/oauth2/token",
                r#"{"AppKey":"sandbox/app+key=","AppSecret":"sandbox/app+secret="}"#,
            ),
            ("POST /_sandbox/reset", ""),
            ("GET /_sandbox/", ""),
            ("GET /nothing", ""),
        ] {
            let headers = format!("{headers}authorization: Bearer {token}\r\n");
            assert_eq!(status(&server, line, &headers, body), "403", "{line} {headers}");
        }
    }
    assert_ne!(server.rules(), Script::default(), "the rule still waits");
    assert_eq!((server.transcript().len(), server.logins()), (asked, 1), "nothing is counted");
    server.clear_script();
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        for line in ["GET /v1/orders", "GET /_sandbox/ledger"] {
            let headers = format!("host: {host}:{port}\r\nauthorization: Bearer {token}\r\n");
            assert_eq!(status(&server, line, &headers, ""), "200", "{line} {host}");
        }
    }
}

#[test]
fn other_machines_are_answered_where_the_settings_say_so() {
    let settings = Settings { remote: true, ..Settings::default() };
    let server = Sandbox::builder().settings(settings).start().unwrap();
    for (headers, expect) in [
        ("host: sandbox:9000\r\n", "200"),
        ("host: sandbox:9000\r\norigin: http://sandbox:9000\r\n", "200"),
        ("host: sandbox:9000\r\norigin: http://evil.example\r\n", "403"),
        ("host: sandbox:9000\r\nsec-fetch-site: cross-site\r\n", "403"),
    ] {
        assert_eq!(status(&server, "GET /_sandbox/ledger", headers, ""), expect, "{headers}");
    }
}
