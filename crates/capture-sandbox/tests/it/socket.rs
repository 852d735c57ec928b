//! The server over real sockets, with raw bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, UNIX_EPOCH};

use capture_core::OrderId;
use capture_sandbox::{Answer, Sandbox, Script, Server};

use crate::world::{capture_body, money};

pub(crate) fn address(server: &Server) -> SocketAddr {
    server.base_url().strip_prefix("http://").unwrap().parse().unwrap()
}

pub(crate) fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(address(server)).unwrap();
    // Only so that a broken server makes a test fail instead of hang.
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// One reply: its head, and its body by its length.
pub(crate) fn reply(stream: &mut TcpStream) -> (String, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&head));
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .split("content-length: ")
        .nth(1)
        .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

pub(crate) fn rest(stream: &mut TcpStream) -> String {
    let mut rest = String::new();
    match stream.read_to_string(&mut rest) {
        Ok(_) => rest,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => rest,
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn login(server: &Server) -> String {
    let (key, secret) = (server.app_key(), server.app_secret());
    let body = format!(r#"{{"AppKey":"{key}","AppSecret":"{secret}"}}"#);
    let mut stream = connect(server);
    stream.write_all(post("/v1/oauth2/token", "", &body).as_bytes()).unwrap();
    let (_, body) = reply(&mut stream);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    body["accessToken"].as_str().unwrap().to_owned()
}

pub(crate) fn post(path: &str, token: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

pub(crate) fn capture(token: &str, order: OrderId, key: u8) -> String {
    post("/v1/capture", token, &capture_body(order, key, "1.00"))
}

const LEDGER: &[u8] = b"GET /_sandbox/ledger HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

#[test]
fn one_connection_many_requests() {
    let server = Sandbox::start();
    let token = login(&server);
    let order = server.create_order(money("1.00"));
    let mut stream = connect(&server);
    stream.write_all(capture(&token, order, 1).as_bytes()).unwrap();
    let (head, body) = reply(&mut stream);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("\r\ndate: "), "{head}");
    assert!(body.contains("SUCCESS"));

    // Pipelined, and cut in odd places.
    let two = [LEDGER, LEDGER].concat();
    for part in two.chunks(13) {
        stream.write_all(part).unwrap();
    }
    assert_eq!(reply(&mut stream).1, reply(&mut stream).1);

    let body = capture_body(order, 1, "1.00");
    let (first, second) = body.split_at(20);
    let chunked = format!(
        "POST /v1/capture HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n{:x}\r\n{first}\r\n{:X};a=b\r\n{second}\r\n0\r\nt: u\r\n\r\n",
        first.len(),
        second.len(),
    );
    stream.write_all(chunked.as_bytes()).unwrap();
    let (head, body) = reply(&mut stream);
    assert!(head.contains("connection: close\r\n"), "{head}");
    assert!(body.contains("SUCCESS"));
    assert_eq!(rest(&mut stream), "");
    assert_eq!(server.ledger().captures(order), 1);
    assert_eq!(server.logins(), 1);
}

#[test]
fn a_client_may_wait_for_100_continue() {
    let server = Sandbox::start();
    let body = r#"{"amount":1,"currency":"USD"}"#;
    let mut stream = connect(&server);
    let head = format!(
        "POST /_sandbox/orders HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    assert!(reply(&mut stream).0.starts_with("HTTP/1.1 100 "));
    stream.write_all(body.as_bytes()).unwrap();
    assert!(reply(&mut stream).0.starts_with("HTTP/1.1 201 "));
}

#[test]
fn invalid_requests_are_refused() {
    let server = Sandbox::start();
    let large =
        b"POST /v1/capture HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2000000\r\n\r\n".to_vec();
    let with_body = [large.clone(), vec![b' '; 300_000]].concat();
    let head = [b"GET / HTTP/1.1\r\nhost: localhost\r\na: ".to_vec(), vec![b'a'; 17_000]].concat();
    for (bytes, status) in [
        (b"\x16\x03\x01\x00\x05hello".to_vec(), "400"),
        (b"hello\r\n\r\n".to_vec(), "400"),
        (large, "413"),
        (with_body, "413"),
        (head, "431"),
    ] {
        let mut stream = connect(&server);
        stream.write_all(&bytes).unwrap();
        let (head, _) = reply(&mut stream);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert!(head.contains("connection: close\r\n"), "{head}");
        assert!(head.contains("\r\ndate: "), "{head}");
        assert_eq!(rest(&mut stream), "");
    }
    let mut stream = connect(&server);
    let head = b"HEAD /_sandbox/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(head).unwrap();
    let text = rest(&mut stream);
    assert!(text.starts_with("HTTP/1.1 405 ") && text.ends_with("\r\n\r\n"), "{text}");
}

#[test]
fn a_slow_client_or_a_delay_does_not_block_others() {
    let server = Sandbox::start();
    let token = login(&server);
    let order = server.create_order(money("1.00"));
    let mut slow = connect(&server);
    slow.write_all(&LEDGER[..20]).unwrap();
    server.script(Script::delayed(Duration::from_secs(3600)));
    let mut held = connect(&server);
    held.write_all(capture(&token, order, 1).as_bytes()).unwrap();
    let mut other = connect(&server);
    let captured = || server.ledger().captures(order) == 1;
    while !captured() {
        other.write_all(LEDGER).unwrap();
        assert!(reply(&mut other).0.starts_with("HTTP/1.1 200 "));
    }
    other.write_all(capture(&token, order, 1).as_bytes()).unwrap();
    assert!(reply(&mut other).0.starts_with("HTTP/1.1 409 "), "its twin is held");
    slow.write_all(&LEDGER[20..]).unwrap();
    assert!(reply(&mut slow).0.starts_with("HTTP/1.1 200 "));

    drop(server); // does not wait for the hour
    assert_eq!(rest(&mut held), "");
}

#[test]
fn the_reply_is_lost_and_the_money_is_not() {
    let server = Sandbox::start();
    let token = login(&server);
    for (script, captures) in [(Script::lost_reply(), 1), (Script::close_before(), 0)] {
        let order = server.create_order(money("1.00"));
        server.script(script);
        let mut stream = connect(&server);
        let key = captures + 1;
        stream.write_all(capture(&token, order, key).as_bytes()).unwrap();
        assert_eq!(rest(&mut stream), "");
        assert_eq!(server.ledger().captures(order), usize::from(captures));
        let mut stream = connect(&server);
        stream.write_all(capture(&token, order, key).as_bytes()).unwrap();
        assert!(reply(&mut stream).1.contains("SUCCESS"));
        assert_eq!(server.ledger().captures(order), 1);
    }
    let order = server.create_order(money("1.00"));
    server.script(Script::captured_but(
        Answer::new(504).body("<html>").header("connection", "close"),
    ));
    let mut stream = connect(&server);
    stream.write_all(capture(&token, order, 9).as_bytes()).unwrap();
    let (head, body) = reply(&mut stream);
    assert!(head.starts_with("HTTP/1.1 504 ") && body == "<html>", "{head}");
    assert_eq!(rest(&mut stream), "");
    assert_eq!(server.ledger().captures(order), 1);
}

#[test]
fn a_dropped_server_is_gone_and_its_port_free() {
    let server = Sandbox::start();
    let address = address(&server);
    let environment = server.environment();
    assert_eq!(environment.to_string(), format!("http://{address}/v1"));
    let _ = server.credentials();
    let mut idle = connect(&server);
    idle.write_all(LEDGER).unwrap();
    let _ = reply(&mut idle);
    drop(server);
    assert_eq!(rest(&mut idle), "");
    assert!(TcpStream::connect(address).is_err());
    let again = Sandbox::builder().listen(address).start().unwrap();
    assert_eq!(again.base_url(), format!("http://{address}"));
    assert!(TcpListener::bind(address).is_err());
}

#[test]
fn more_connections_than_are_served() {
    let server = Sandbox::start();
    let mut served = Vec::new();
    for _ in 0..256 {
        let mut stream = connect(&server);
        stream.write_all(LEDGER).unwrap();
        assert!(reply(&mut stream).0.starts_with("HTTP/1.1 200 "));
        served.push(stream);
    }
    let text = rest(&mut connect(&server));
    assert!(text.starts_with("HTTP/1.1 503 "), "{text}");
    let mut last = served.pop().unwrap();
    last.write_all(LEDGER).unwrap();
    assert!(reply(&mut last).0.starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_stopped_clock_makes_every_byte_repeat() {
    let run = || {
        let at = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let server = Sandbox::builder().clock(at).start().unwrap();
        let mut stream = connect(&server);
        let token = login(&server);
        let order = server.create_order(money("1.00"));
        let order = format!("/v1/orders/{order}");
        let mut ask = |path: &str| {
            let request = post(path, &token, "").replace("POST ", "GET ");
            stream.write_all(request.as_bytes()).unwrap();
            reply(&mut stream)
        };
        let mut seen = vec![ask(&order), ask("/_sandbox/clock")];
        assert!(seen[1].1.contains("2023-11-14T22:13:20"), "{seen:?}");
        server.advance(Duration::from_secs(599));
        seen.push(ask(&order));
        server.advance(Duration::from_secs(1));
        seen.push(ask(&order));
        assert!(seen[2].0.starts_with("HTTP/1.1 200 "), "{seen:?}");
        assert!(seen[3].0.starts_with("HTTP/1.1 401 "), "the token lived for 10 minutes");
        seen
    };
    assert_eq!(run(), run());
}

#[test]
fn only_loopback_is_served() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let started = Sandbox::builder().listen(address.parse().unwrap()).start();
        let error = started.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("not a loopback address"), "{error}");
    }
}

#[test]
fn any_address_is_served_where_the_settings_allow_it() {
    let settings = capture_sandbox::Settings { remote: true, ..Default::default() };
    let server = Sandbox::builder().settings(settings).listen("0.0.0.0:0".parse().unwrap());
    let server = server.start().unwrap();
    assert!(server.base_url().starts_with("http://127.0.0.1:"), "{}", server.base_url());
    let mut stream = connect(&server);
    stream
        .write_all(&String::from_utf8_lossy(LEDGER).replace("127.0.0.1", "sandbox").into_bytes())
        .unwrap();
    assert!(reply(&mut stream).0.starts_with("HTTP/1.1 200 "));
}
