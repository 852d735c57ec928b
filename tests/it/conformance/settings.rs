//! Settings of one library that no row can check, each tested by its effect.

use std::time::Duration;

use capture_client::Connect as _;
use capture_conformance::fixture::{capture, setup};
use capture_conformance::notation::attempts;
use capture_conformance::wire::{Dialogue, Endpoint, Server, http2};
use tower_service::Service as _;

use super::authority::Authority;
use super::drivers::{Async, Driver, block_on, client_config};

/// Fault 9, over HTTP/2: the connection ended, and the client has not noticed when it sends. The capture
/// never left, and hyper hands it back: it is in the record (A2), as *maybe sent*, because hyper does
/// not promise what its error means. reqwest's pool repeats it unseen. Over HTTP/1.1 no connection is
/// used again.
pub(crate) fn a_dead_connection_is_noticed_late<D: Driver>() {
    let authority = Authority::new();
    let second = if D::REPEATS_THE_UNWRITTEN { http2::CAPTURED } else { http2::LATER };
    let dialogue = Dialogue { frames: vec![http2::CAPTURED, second], ..Dialogue::default() };
    let protocols: &[&str] = if D::HTTP2 { &["h2"] } else { &["http/1.1"] };
    let server = Server::with(dialogue, Some(authority.server(protocols)), None);
    let url = format!("https://{}", server.address());
    let client = D::trusting(setup(&url, true), authority.root());
    assert_eq!(client.capture(&capture()).name(), "captured");
    server.wait_until_still();
    client.settle(); // the connection goes back into the pool
    server.hang_up();
    let outcome = client.capture_unsettled(&capture());
    let (came, next) = match D::REPEATS_THE_UNWRITTEN {
        true => ("C200", Endpoint::Capture),
        false => ("C? L503", Endpoint::Lookup),
    };
    assert_eq!(attempts(&outcome), came, "{outcome:?}");
    let seen: Vec<_> = server.seen().iter().map(|seen| seen.endpoint).collect();
    assert_eq!(seen, [Endpoint::Capture, next]);
    assert_eq!(server.connections(), 2);
}

/// An agent shows a word for each of its roots. No row can show them: nobody here has a certificate that a
/// public authority signed.
#[test]
fn ureq_trusts_the_public_authorities() {
    let shown = format!("{:?}", capture_ureq::Ureq::connect(b"").expect("roots"));
    assert!(shown.matches("Certificate").count() > 100, "{shown}");
}

#[test]
fn hyper_sends_without_delay() {
    let server = Server::start(Dialogue::default());
    let url = format!("http://{}", server.address()).parse().expect("a URI");
    let mut connector = capture_hyper::Connector::new(client_config(Authority::new().root()));
    let stream = block_on(connector.call(url)).expect("a connection");
    let hyper_rustls::MaybeHttpsStream::Http(tcp) = stream else { panic!("TLS to an http URL") };
    assert!(tcp.inner().nodelay().expect("a socket"));
}

#[test]
fn hyper_ends_idle_connections() {
    let authority = Authority::new();
    let dialogue = Dialogue { frames: vec![http2::CAPTURED], ..Dialogue::default() };
    let server = Server::with(dialogue, Some(authority.server(&["h2"])), None);
    let setup = setup(&format!("https://{}", server.address()), true);
    let connector = capture_hyper::Connector::new(client_config(authority.root()));
    let hyper = capture_hyper::Hyper::over(connector);
    let client = Async::of(|| capture_hyper::Client::over(setup, hyper));
    assert_eq!(client.capture(&capture()).name(), "captured");
    client.settle();
    client.pass(Duration::from_secs(1000));
    client.settle();
    server.wait_until_left();
}
