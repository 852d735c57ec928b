//! HTTP/2 connections whose path went dead without a word (fault 34): pings find out. ureq, which has
//! none, opens a connection for each request.

use std::time::Duration;

use capture_conformance::fixture::{capture, setup};
use capture_conformance::notation::{attempts, ending};
use capture_conformance::replies;
use capture_conformance::wire::Frame::{Reply, Silence};
use capture_conformance::wire::{Dialogue, Frames, Server, http2};
use capture_core::Finding;
use capture_core::driver::{PING_INTERVAL, PING_TIMEOUT};

use super::authority::Authority;
use super::drivers::{Async, Driver, Hyper, Reqwest};

const CAPTURED_THEN_SILENCE: Frames = &[Reply(200, 0, replies::SUCCESS), Silence];

/// A capture in flight ends before its own 35 s are over, and its lookup has a new connection.
fn ends_what_is_under_way<D: Driver>() {
    let (server, client) = meeting::<D>(vec![&[Silence], http2::LATER]);
    let result = client.capture(&capture());
    assert_eq!((&*ending(&result), &*attempts(&result)), ("unknown no_reply", "C? L503"));
    let Finding::Lost(why) = &result.attempts()[0].finding else { panic!("{result:?}") };
    assert!(why.contains("keep-alive timed out"), "it was not a ping that ended it: {why}");
    assert_eq!(server.connections(), 2);
}

/// With nothing under way the connection is closed, so that no capture is sent into it at all.
fn closes_what_is_idle<C>()
where
    Async<C>: Driver,
{
    let (server, client) = meeting::<Async<C>>(vec![CAPTURED_THEN_SILENCE, http2::CAPTURED]);
    assert_eq!(client.capture(&capture()).code(), "reply");
    client.settle();
    for time in [PING_INTERVAL, PING_TIMEOUT] {
        client.pass(time + Duration::from_secs(1));
        client.settle();
    }
    server.wait_until_left();
}

fn meeting<D: Driver>(frames: Vec<Frames>) -> (Server, D) {
    let authority = Authority::new();
    let dialogue = Dialogue { frames, ..Dialogue::default() };
    let server = Server::with(dialogue, Some(authority.server(&["h2"])), None);
    let setup = setup(&format!("https://{}", server.address()), true);
    (server, D::trusting(setup, authority.root()))
}

#[test]
fn reqwest_gives_up_a_silent_connection_under_a_capture() {
    ends_what_is_under_way::<Reqwest>();
}

#[test]
fn hyper_gives_up_a_silent_connection_under_a_capture() {
    ends_what_is_under_way::<Hyper>();
}

#[test]
fn reqwest_closes_a_silent_idle_connection() {
    closes_what_is_idle::<capture_reqwest::Client>();
}

#[test]
fn hyper_closes_a_silent_idle_connection() {
    closes_what_is_idle::<capture_hyper::Client>();
}
