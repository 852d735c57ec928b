//! Faults 2 and 5 to 7: TLS, with an authority of the test's own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use capture_conformance::fixture::{capture, setup};
use capture_conformance::notation::{attempts, ending};
use capture_conformance::parallel::{all_ended, run_rows};
use capture_conformance::replies;
use capture_conformance::wire::{Act, Dialogue, Do, Meet, Server, on_capture};
use capture_core::{Policy, Resend, Setup};
use rcgen::{CertificateParams, SanType, date_time_ymd};
use rustls::pki_types::CertificateDer;
use rustls::version::{TLS12, TLS13};
use rustls::{DEFAULT_VERSIONS, HandshakeKind, ServerConfig};

use super::authority::Authority;
use super::canaries;
use super::drivers::Driver;
use super::secured::{secured, watched};

/// A TLS 1.2 alert: fatal, handshake failure.
const ALERT: &[u8] = b"\x15\x03\x03\x00\x02\x02\x28";

/// How a client is made from its setup and the root of the authority.
type Make<D> = fn(Setup, CertificateDer<'static>) -> D;

/// One row: its name, the client, the dialogue, the server, and what must come of it.
struct TlsRow<D>(&'static str, Make<D>, Dialogue, ServerConfig, &'static str, &'static str);

const NEVER: &str = "not_captured never_sent";
const NO_REPLY: &str = "unknown no_reply";

/// Every row through this adapter.
pub(crate) fn check<D: Driver>() {
    let authority = Authority::new();
    a_client_certificate_is_wanted::<D>(&authority);
    the_next_connection_resumes_the_session::<D>(&authority);
    let rows: Arc<[_]> = rows::<D>(&authority).into();
    let act = move |TlsRow(name, make, dialogue, config, outcome, came): &TlsRow<D>| {
        let server = Server::with(dialogue.clone(), Some(secured(config.clone())), None);
        let policy = Policy::default()
            .with_attempt_timeout(Duration::from_secs(3))
            .with_deadline(Duration::from_secs(9));
        let setup = setup(&format!("https://{}", server.address()), true).with_policy(policy);
        let client = make(setup, authority.root());
        let result = client.capture(&capture());
        canaries::show(&client, &result);
        assert_eq!(ending(&result), *outcome, "{name}: {result:?}");
        assert_eq!(attempts(&result), *came, "{name}: {result:?}");
        let answered = result.attempts().iter().filter(|attempt| attempt.status.is_some()).count();
        assert_eq!(server.seen().len(), answered, "{name}");
    };
    all_ended(run_rows(&rows, rows.len(), |row| row.0.to_owned(), act));
}

/// The name of every row.
pub(crate) fn names<D: Driver>() -> impl Iterator<Item = String> {
    rows::<D>(&Authority::new()).into_iter().map(|row| row.0.to_owned())
}

fn rows<D: Driver>(ours: &Authority) -> Vec<TlsRow<D>> {
    let (tls12, tls13): (&[_], &[_]) = (&[&TLS12], &[&TLS13]);
    let plain = |_: &mut CertificateParams| {};
    let past = |params: &mut CertificateParams| params.not_after = date_time_ymd(2001, 1, 1);
    let future = |params: &mut CertificateParams| params.not_before = date_time_ymd(4000, 1, 1);
    let elsewhere = |params: &mut CertificateParams| {
        let name = "api.example.com".try_into().expect("a name");
        params.subject_alt_names = vec![SanType::DnsName(name)];
    };
    let good = || ours.config(plain, false, DEFAULT_VERSIONS);
    let quiet = Dialogue::default;
    let trusting: Make<D> = D::trusting;
    let own: Make<D> = |setup, _| D::new(setup);

    // Through a client of the user's own, which trusts our authority.
    let mut rows = vec![
        TlsRow(
            "TLS 1.3",
            trusting,
            quiet(),
            ours.config(plain, false, tls13),
            "captured reply",
            "C200",
        ),
        TlsRow(
            "TLS 1.2",
            trusting,
            quiet(),
            ours.config(plain, false, tls12),
            "captured reply",
            "C200",
        ),
        TlsRow(
            "5 another authority",
            trusting,
            quiet(),
            Authority::new().config(plain, false, DEFAULT_VERSIONS),
            NEVER,
            "C!",
        ),
    ];
    for (name, config) in [
        ("5 expired", ours.config(past, false, DEFAULT_VERSIONS)),
        ("5 not valid yet", ours.config(future, false, DEFAULT_VERSIONS)),
        ("2 a private address under another name", ours.config(elsewhere, false, DEFAULT_VERSIONS)),
    ] {
        rows.push(TlsRow(name, trusting, quiet(), config, NEVER, "C!"));
    }
    for (name, does) in [
        ("7 the end right after the handshake", Do::Finish),
        ("7 the end right after the handshake, without a close_notify", Do::Truncate),
        ("7 reset right after the handshake", Do::Reset),
        ("7 silence after the handshake", Do::Hang),
    ] {
        let dialogue = Dialogue { connections: vec![Meet::Handshake(vec![does])], ..quiet() };
        rows.push(TlsRow(name, trusting, dialogue, good(), NO_REPLY, "C? L503"));
    }
    // TLS tells a whole body from a cut one, but not every library checks it. That does no harm:
    // a body is believed only if it is one complete object.
    let half = replies::raw("HTTP/1.1 200 OK", "", &replies::SUCCESS[..20]);
    let dialogue = on_capture([Act::say(half).then(Do::Truncate)]);
    let (outcome, came) = match D::SEES_TRUNCATION {
        true => ("unknown cut_reply", "C200~ L503"),
        false => ("unknown unreadable_reply", "C200 L503"),
    };
    let name = "25 no length, and half a body ends without a close_notify";
    rows.push(TlsRow(name, trusting, dialogue, good(), outcome, came));

    // Through our own client, which trusts the public authorities only. A broken handshake is
    // tried again; the next one meets a certificate that does not verify, which is final.
    rows.push(TlsRow("5 an unknown authority", own, quiet(), good(), NEVER, "C!"));
    let html = b"HTTP/1.1 400 X\r\n\r\n";
    for (name, does) in [
        ("6 reset in the handshake", vec![Do::Reset]),
        ("6 the end in the handshake", vec![Do::Finish]),
        ("6 an alert", vec![Do::Say(ALERT.to_vec()), Do::Finish]),
        ("6 not TLS at all", vec![Do::Say(html.to_vec()), Do::Finish]),
        ("6 half a record", vec![Do::Say(ALERT[..4].to_vec()), Do::Finish]),
    ] {
        let dialogue = Dialogue { connections: vec![Meet::Unread(does)], ..quiet() };
        rows.push(TlsRow(name, own, dialogue, good(), NEVER, "C! C!"));
    }
    // Two attempts fit into the deadline: connecting, TLS included, has a timeout of its own (10 s).
    let slow: Make<D> = |setup, _| {
        let policy = Policy::default()
            .with_attempt_timeout(Duration::from_secs(15))
            .with_deadline(Duration::from_secs(13));
        D::new(setup.with_policy(policy))
    };
    let dialogue = Dialogue { connections: vec![Meet::Unread(vec![Do::Hang])], ..quiet() };
    rows.push(TlsRow("6 silence in the handshake", slow, dialogue, good(), NEVER, "C! C!"));
    rows
}

/// Fault 7: with TLS 1.3 the client completes its handshake, and sends, before it is refused.
fn a_client_certificate_is_wanted<D: Driver>(authority: &Authority) {
    let config = authority.config(|_| {}, true, &[&TLS13]);
    let server = Server::with(Dialogue::default(), Some(secured(config)), None);
    // Every lookup would be refused as well.
    let policy = Policy::default().with_lookup(false).with_resend(Resend::Never);
    let setup = setup(&format!("https://{}", server.address()), true).with_policy(policy);
    let result = D::trusting(setup, authority.root()).capture(&capture());
    assert_eq!((result.code(), attempts(&result)), ("no_reply", "C?".to_owned()), "{result:?}");
}

/// Each request has a connection of its own over HTTP/1.1; only the first pays for a whole handshake.
fn the_next_connection_resumes_the_session<D: Driver>(authority: &Authority) {
    for version in [&TLS12, &TLS13] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let see = Arc::clone(&seen);
        let config = authority.config(|_| {}, false, &[version]);
        let handshake = watched(config, move |kind| see.lock().expect("no panic").push(kind));
        let server = Server::with(Dialogue::default(), Some(handshake), None);
        let setup = setup(&format!("https://{}", server.address()), true);
        let client = D::trusting(setup, authority.root());
        for _ in 0..2 {
            assert_eq!(ending(&client.capture(&capture())), "captured reply");
        }
        let kinds = [HandshakeKind::Full, HandshakeKind::Resumed];
        assert_eq!(*seen.lock().expect("no panic"), kinds, "{version:?}");
    }
}
