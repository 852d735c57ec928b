//! TLS: the valid certificate, the three invalid ones, and handshakes that fail.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use capture_sandbox::{Handshake, Sandbox, Script, Sent, Server};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;

use crate::socket::reply;

pub(crate) fn server() -> Server {
    Sandbox::builder().tls().start().unwrap()
}

/// A connection to the port of a server with TLS.
pub(crate) fn tcp(server: &Server) -> TcpStream {
    TcpStream::connect(server.base_url().strip_prefix("https://").unwrap()).unwrap()
}

/// Trusts the server's authority and nobody else.
pub(crate) fn config(server: &Server, protocols: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(server.authority().unwrap().to_vec())).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// The reply to a request for the ledger, or why there is none.
fn ledger(server: &Server, host: &'static str) -> Result<String, String> {
    let name = ServerName::try_from(host).unwrap();
    let connection = ClientConnection::new(config(server, &["http/1.1"]), name).unwrap();
    let mut stream = StreamOwned::new(connection, tcp(server));
    let request = b"GET /_sandbox/ledger HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).map_err(why)?;
    let mut text = String::new();
    // The end is an error if it comes without a close_notify.
    stream.read_to_string(&mut text).map_err(why)?;
    Ok(text)
}

/// A request without TLS.
fn plain(server: &Server) {
    let mut stream = tcp(server);
    stream.write_all(b"GET /_sandbox/clock HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    assert!(reply(&mut stream).0.starts_with("HTTP/1.1 200 "));
}

#[allow(clippy::needless_pass_by_value, reason = "as map_err has it")]
fn why(error: std::io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => "the end".into(),
        ErrorKind::ConnectionReset => "reset".into(),
        _ => error.to_string(),
    }
}

#[test]
fn a_client_that_trusts_the_authority_is_served_under_each_name() {
    let server = server();
    for host in ["localhost", "127.0.0.1", "::1"] {
        let text = ledger(&server, host).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{host}: {text}");
    }
    let error = ledger(&server, "example.com").unwrap_err();
    assert!(error.contains("not valid for name"), "{error}");
    assert_eq!(server.transcript(), []);
    let pem = server.authority_pem().unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
    assert!(server.environment().to_string().starts_with("https://127.0.0.1:"));
    assert_ne!(server.authority(), self::server().authority());
}

#[test]
fn scripted_handshakes() {
    let server = server();
    let rows = [
        (Handshake::UnknownAuthority, "UnknownIssuer"),
        (Handshake::Expired, "certificate expired"),
        (Handshake::WrongHost, "not valid for name"),
        (Handshake::Close, "the end"),
        (Handshake::Reset, "reset"),
    ];
    for (meets, expect) in rows {
        server.script(Script::handshake(meets, 2));
        for _ in 0..2 {
            let error = ledger(&server, "localhost").unwrap_err();
            assert!(error.contains(expect), "{meets:?}: {error}");
        }
        assert!(ledger(&server, "localhost").is_ok(), "{meets:?} is spent");
    }
    let seen = server.transcript();
    assert_eq!(seen.len(), 2 * rows.len());
    assert_eq!(seen[2].script.as_deref(), Some("TLS handshake: expired certificate"));
    assert_eq!((seen[2].operation, seen[2].sent), (None, Sent::Closed));

    // One that hangs holds nobody else.
    let written = r#"{ "handshakes": [{ "do": "hang", "skip": 1 }] }"#;
    server.script(Script::from_json(written).unwrap());
    assert!(ledger(&server, "localhost").is_ok());
    let mut held = tcp(&server);
    held.write_all(b"\x16\x03\x01").unwrap();
    let mut turns = 0..10_000;
    while server.transcript().len() == 2 * rows.len() {
        assert!(turns.next().is_some(), "it is met at once");
        plain(&server);
    }
    assert!(ledger(&server, "localhost").is_ok());
    drop(server);
    assert!(matches!(held.read(&mut [0]), Ok(0) | Err(_)), "the server ended it");
}

#[test]
fn a_connection_closed_by_script_is_closed_cleanly() {
    let server = server();
    for act in [json!({ "close": true, "effect": true }), json!({ "close": "before-reading" })] {
        let written = json!({ "rules": [{ "do": act }] }).to_string();
        server.script(Script::from_json(&written).unwrap());
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(config(&server, &["http/1.1"]), name).unwrap();
        let mut stream = StreamOwned::new(connection, tcp(&server));
        stream.write_all(b"GET /v1/orders HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        // Without a close_notify this would be an error.
        assert_eq!(stream.read(&mut [0]).map_err(why), Ok(0), "{written}");
    }
}

#[test]
fn plain_http_is_served_on_the_same_port() {
    let server = server();
    plain(&server);
    let mut stream = tcp(&server);
    stream.write_all(b"\x16\x03\x01\x00\x05hello").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert!(ledger(&server, "localhost").is_ok());
}

#[test]
fn scripts_for_handshakes_are_data() {
    let written = r#"{"rules":[],"handshakes":[{"skip":1,"times":"always","do":"wrong-host"}]}"#;
    let script = Script::from_json(written).unwrap();
    assert_eq!(serde_json::to_string(&script).unwrap(), written);
    for (text, expect) in [
        (r#"{"handshakes":[{"do":"sleep"}]}"#, "handshakes[0].do"),
        (r#"{"handshakes":[{"do":"expired","times":0}]}"#, "handshakes[0].times"),
        (r#"{"handshakes":[{"do":"expired","on":{}}]}"#, "unknown field `on`"),
        (r#"{"handshakes":[{}]}"#, "missing field `do`"),
    ] {
        let error = Script::from_json(text).unwrap_err().to_string();
        assert!(error.contains(expect), "{text}: {error}");
    }
}
