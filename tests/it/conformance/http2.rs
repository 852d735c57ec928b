//! HTTP/2: refused streams, GOAWAY and replies, as frames over TLS.
//!
//! The one difference between the adapters is pinned here: ureq has no HTTP/2 and speaks HTTP/1.1 to
//! the same server.

use std::time::Duration;

use capture_conformance::fixture::{capture, setup};
use capture_conformance::notation::{attempts, ending};
use capture_conformance::parallel::{all_ended, run_rows};
use capture_conformance::wire::Frame::{Close, GoAway, Head, Reset, Silence};
use capture_conformance::wire::http2::{
    CANCEL, CAPTURED, ENHANCE_YOUR_CALM, GOAWAY_THEN_REPLY, INTERNAL_ERROR, LATER, NO_ERROR,
    REFUSED, WAITING,
};
use capture_conformance::wire::{Dialogue, Endpoint, Frames, Server};
use capture_core::Policy;

use super::authority::Authority;
use super::canaries;
use super::drivers::Driver;

/// The rows: what happens, the frames that the first request is met with, the outcome, the attempts.
pub(crate) const ROWS: &[(&str, Frames, &str, &str)] = &[
    ("a reply", CAPTURED, "captured reply", "C200"),
    ("33 REFUSED_STREAM", REFUSED, "unknown no_reply", "C? L503"),
    ("33 GOAWAY above our stream", &[GoAway(0, NO_ERROR), Close], "unknown no_reply", "C? L503"),
    ("34 GOAWAY with our stream", &[GoAway(1, NO_ERROR), Close], "unknown no_reply", "C? L503"),
    ("34 GOAWAY for calm", &[GoAway(0, ENHANCE_YOUR_CALM), Close], "unknown no_reply", "C? L503"),
    ("34 RST_STREAM CANCEL", &[Reset(CANCEL)], "unknown no_reply", "C? L503"),
    ("34 RST_STREAM INTERNAL_ERROR", &[Reset(INTERNAL_ERROR)], "unknown no_reply", "C? L503"),
    ("34 RST_STREAM NO_ERROR", &[Reset(NO_ERROR)], "unknown no_reply", "C? L503"),
    ("34 the connection ends", &[Close], "unknown no_reply", "C? L503"),
    ("34 RST_STREAM in the body", &[Head, Reset(CANCEL)], "unknown cut_reply", "C200~ L503"),
    ("34 the connection ends in the body", &[Head, Close], "unknown cut_reply", "C200~ L503"),
    ("34 silence", &[Silence], "unknown no_reply", "C? L503"),
    ("34 silence in the body", &[Head, Silence], "unknown cut_reply", "C200~ L503"),
    ("34 GOAWAY, then the reply", GOAWAY_THEN_REPLY, "captured reply", "C200"),
];

/// Every row through this adapter. "Not executed" (33) is *maybe sent* to us: the adapters call only
/// a connection that was never made *not sent*, and one lookup settles it.
pub(crate) fn check<D: Driver>() {
    let authority = Authority::new();
    if !D::HTTP2 {
        return speaks_http1_instead::<D>(&authority);
    }
    let act = move |(name, act, outcome, came): &(&str, Frames, &str, &str)| {
        ends_as::<D>(&authority, name, &[act, LATER], outcome, came);
        if outcome.starts_with("unknown") {
            // A library that repeats by itself would make more requests than the record has.
            let first = came.split(' ').next().expect("an attempt");
            let came = format!("{first} L200 C200");
            ends_as::<D>(&authority, name, &[act, WAITING, CAPTURED], "captured reply", &came);
        }
    };
    all_ended(run_rows(&ROWS.into(), ROWS.len(), |row| row.0.to_owned(), act));
}

fn ends_as<D: Driver>(
    authority: &Authority,
    name: &str,
    acts: &[Frames],
    outcome: &str,
    came: &str,
) {
    let dialogue = Dialogue { frames: acts.to_vec(), ..Dialogue::default() };
    let server = Server::with(dialogue, Some(authority.server(&["h2"])), None);
    let mut setup = setup(&format!("https://{}", server.address()), true);
    if name.contains("silence") {
        let short = Duration::from_millis(1500);
        setup = setup.with_policy(Policy::default().with_attempt_timeout(short));
    }
    let client = D::trusting(setup, authority.root());
    let result = client.capture(&capture());
    canaries::show(&client, &result);
    assert_eq!(ending(&result), outcome, "{name}: {result:?}");
    assert_eq!(attempts(&result), came, "{name}");
    let sent = result.attempts().iter().map(|attempt| attempt.operation);
    let sent: Vec<_> = sent.collect();
    let seen = server.seen();
    let seen: Vec<_> = seen.iter().map(|seen| (seen.endpoint, seen.body.clone())).collect();
    assert_eq!(
        seen.len(),
        sent.len(),
        "{name}: the wire carried {seen:?}, the record says {sent:?}"
    );
    let bodies: Vec<_> = seen.iter().filter(|(what, _)| *what == Endpoint::Capture).collect();
    assert!(
        bodies.iter().all(|(_, body)| *body == capture_core::wire::capture::body(&capture())),
        "{name}"
    );
}

fn speaks_http1_instead<D: Driver>(authority: &Authority) {
    let server =
        Server::with(Dialogue::default(), Some(authority.server(&["h2", "http/1.1"])), None);
    let client =
        D::trusting(setup(&format!("https://{}", server.address()), true), authority.root());
    assert_eq!(client.capture(&capture()).name(), "captured");
    let seen = server.seen();
    assert!(seen[0].head.starts_with("POST /v1/capture HTTP/1.1\r\n"), "{}", seen[0].head);
}
