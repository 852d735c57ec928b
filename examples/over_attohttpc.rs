//! The blocking client over attohttpc: `cargo run -p capture-examples --bin over-attohttpc`.

use std::io::{self, ErrorKind, Read};
use std::net::ToSocketAddrs;
use std::time::Duration;

use attohttpc::{ProxySettings, RequestBuilder};
use capture_client::driver::{CONNECT_TIMEOUT, MAX_BODY, MAX_HEADERS, TransportError};
use capture_client::http::header::CONTENT_LENGTH;
use capture_client::http::{Response, Uri};
use capture_client::{Capture, Client, IdempotencyKey, Money, Setup, blocking, wire};

// docs: a transport of your own
/// A connection for each request, which attohttpc neither pools nor repeats (A2).
struct Atto;

impl blocking::Transport for Atto {
    fn send(
        &self,
        request: wire::Request,
        timeout: Duration,
    ) -> Result<wire::Response, TransportError> {
        resolve(request.uri())?;
        let (head, body) = request.into_parts();
        let mut request = RequestBuilder::try_new(head.method, head.uri.to_string())
            .map_err(TransportError::not_sent)?
            .follow_redirects(false) // A1
            .connect_timeout(CONNECT_TIMEOUT.min(timeout)) // A5
            .read_timeout(timeout)
            .timeout(timeout)
            .max_headers(MAX_HEADERS) // A12
            .proxy_settings(ProxySettings::builder().build()) // A8: none, whatever the environment says
            .bytes(body);
        request.headers_mut().extend(head.headers);
        let (status, headers, body) = request.send().map_err(classify)?.split();

        let broken = |why: io::Error| TransportError::in_reply(status, headers.clone(), why); // A7
        let mut bytes = Vec::new();
        let read = body.take(MAX_BODY as u64 + 1).read_to_end(&mut bytes); // A6
        read.map_err(broken)?;
        // attohttpc does not notice that a connection ended before the announced length.
        let length =
            headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if bytes.len() > MAX_BODY || length.is_some_and(|length: usize| length > bytes.len()) {
            return Err(broken(io::Error::other("the body is too long, or was cut")));
        }
        let mut reply = Response::new(bytes.into());
        (*reply.status_mut(), *reply.headers_mut()) = (status, headers);
        Ok(reply)
    }
}

/// Whether the name means anything: attohttpc cannot tell such an error from a broken reply.
fn resolve(uri: &Uri) -> Result<(), TransportError> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    (host, 0).to_socket_addrs().map(drop).map_err(TransportError::not_sent)
}

/// Only a connection that was refused provably never came about, or one without the TLS it needs (A4).
fn classify(error: attohttpc::Error) -> TransportError {
    match error.kind() {
        attohttpc::ErrorKind::TlsDisabled => TransportError::cannot_be_sent(error),
        attohttpc::ErrorKind::Io(io) if io.kind() == ErrorKind::ConnectionRefused => {
            TransportError::not_sent(error)
        }
        _ => TransportError::maybe_sent(error), // A3
    }
}
// docs: end

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = capture_sandbox::Sandbox::start();
    let money = Money::parse("100.00", "USD")?;
    let order = sandbox.create_order(money);
    let client = Client::blocking(Setup::new(&sandbox.environment(), sandbox.credentials()), Atto);
    let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
    let outcome = client.capture(&capture);
    println!("{outcome}");
    assert_eq!((outcome.name(), sandbox.ledger().captures(order)), ("captured", 1));
    Ok(())
}

#[test]
fn attohttpc_tells_the_truth() {
    let hidden = "attohttpc hides the version and the transfer coding: such a reply is believed";
    let interim = "attohttpc takes an interim reply for the reply; it proves nothing";
    let dropped = "attohttpc drops such a line and goes on";
    capture_conformance::Suite::new()
        .without("4 ", "attohttpc does not say whether connecting took too long: maybe sent")
        .without("27 a length beside chunks", hidden)
        .without("28 the coding", "attohttpc hides it: such a reply is believed")
        .without("28 chunks inside of gzip", "attohttpc hides the coding, and reads to the end")
        .without("29 odd trailers", "attohttpc refuses them; it is a cut reply")
        .without("30 ", interim)
        .without("31 a header without a name", dropped)
        .without("31 a header name with a space", dropped)
        .without("35 HTTP/1.0", hidden)
        .without("35 HTTP/3.0", hidden)
        .without("88 a 204", "attohttpc waits for a body; it is a cut reply")
        .check(|setup| {
            let client = Client::blocking(setup, Atto);
            move |capture: &Capture| client.capture(capture)
        });
}
