//! Faults 2 and 5 to 7: TLS, with an authority of the test's own.

use std::sync::Arc;
use std::time::Duration;

use capture_core::{Policy, Resend, Setup};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{DEFAULT_VERSIONS, RootCertStore, ServerConfig};

use super::drivers::{Driver, side_by_side};
use super::rows::{attempts, on_capture, setup};
use super::wire::{Act, Do, Meet, Script, Server};
use super::{capture, replies, secrets};

/// A certificate authority that nobody else trusts.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).expect("a certificate").der().clone();
        Self { issuer: Issuer::new(params, key), root }
    }

    pub(crate) fn root(&self) -> CertificateDer<'static> {
        self.root.clone()
    }

    /// A server with a good certificate that speaks these protocols.
    pub(crate) fn server(&self, protocols: &[&str]) -> Arc<ServerConfig> {
        let mut config = self.config(|_| {}, false, DEFAULT_VERSIONS);
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// A server with a certificate for 127.0.0.1, after this change to it.
    fn config(
        &self,
        change: impl FnOnce(&mut CertificateParams),
        wants_client: bool,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> ServerConfig {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
        change(&mut params);
        let certificate =
            params.signed_by(&key, &self.issuer).expect("a certificate").der().clone();
        let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_protocol_versions(versions).expect("versions");
        let config = if wants_client {
            let mut roots = RootCertStore::empty();
            roots.add(self.root()).expect("a certificate");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            config.with_client_cert_verifier(verifier.build().expect("a verifier"))
        } else {
            config.with_no_client_auth()
        };
        config.with_single_cert(vec![certificate], private).expect("a configuration")
    }
}

/// A TLS 1.2 alert: fatal, handshake failure.
const ALERT: &[u8] = b"\x15\x03\x03\x00\x02\x02\x28";

/// How a client is made from its setup and the root of the authority.
type Make<D> = fn(Setup, CertificateDer<'static>) -> D;

/// One row: its name, the client, the script, the server, and what must come of it.
struct Row<D>(&'static str, Make<D>, Script, ServerConfig, &'static str, &'static str);

const NEVER: &str = "not_captured never_sent";
const NO_REPLY: &str = "unknown no_reply";

/// Every row through this adapter.
pub(crate) fn check<D: Driver>() {
    let authority = Authority::new();
    a_client_certificate_is_wanted::<D>(&authority);
    let rows = rows::<D>(&authority);
    side_by_side(&rows, rows.len(), |Row(name, make, script, config, outcome, came)| {
        let server = Server::with(script.clone(), Some(Arc::new(config.clone())), None);
        let policy = Policy::default()
            .with_attempt_timeout(Duration::from_secs(3))
            .with_deadline(Duration::from_secs(9));
        let setup = setup(&format!("https://{}", server.address()), true).with_policy(policy);
        let client = make(setup, authority.root());
        let result = client.capture(&capture());
        secrets::show(&client, &result);
        assert_eq!(format!("{} {}", result.name(), result.code()), *outcome, "{name}: {result:?}");
        assert_eq!(attempts(&result), *came, "{name}: {result:?}");
        let answered = result.attempts().iter().filter(|attempt| attempt.status.is_some()).count();
        assert_eq!(server.seen().len(), answered, "{name}");
    });
}

fn rows<D: Driver>(ours: &Authority) -> Vec<Row<D>> {
    let (tls12, tls13): (&[_], &[_]) = (&[&TLS12], &[&TLS13]);
    let plain = |_: &mut CertificateParams| {};
    let past = |params: &mut CertificateParams| params.not_after = date_time_ymd(2001, 1, 1);
    let future = |params: &mut CertificateParams| params.not_before = date_time_ymd(4000, 1, 1);
    let elsewhere = |params: &mut CertificateParams| {
        let name = "api.example.com".try_into().expect("a name");
        params.subject_alt_names = vec![SanType::DnsName(name)];
    };
    let good = || ours.config(plain, false, DEFAULT_VERSIONS);
    let quiet = Script::default;
    let trusting: Make<D> = D::trusting;
    let own: Make<D> = |setup, _| D::new(setup);

    // Through a client of the user's own, which trusts our authority.
    let mut rows = vec![
        Row(
            "TLS 1.3",
            trusting,
            quiet(),
            ours.config(plain, false, tls13),
            "captured reply",
            "C200",
        ),
        Row(
            "TLS 1.2",
            trusting,
            quiet(),
            ours.config(plain, false, tls12),
            "captured reply",
            "C200",
        ),
        Row(
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
        rows.push(Row(name, trusting, quiet(), config, NEVER, "C!"));
    }
    for (name, does) in [
        ("7 the end right after the handshake", Do::Finish),
        ("7 the end right after the handshake, without a close_notify", Do::Truncate),
        ("7 reset right after the handshake", Do::Reset),
        ("7 silence after the handshake", Do::Hang),
    ] {
        let script = Script { connections: vec![Meet::Handshake(vec![does])], ..quiet() };
        rows.push(Row(name, trusting, script, good(), NO_REPLY, "C? L503"));
    }
    // TLS would tell a whole body from a cut one, but not every library listens. That costs nothing:
    // a body is believed only if it is one complete object.
    let half = replies::raw("HTTP/1.1 200 OK", "", &replies::SUCCESS[..20]);
    let script = on_capture([Act::say(half).then(Do::Truncate)]);
    let (outcome, came) = match D::SEES_TRUNCATION {
        true => ("unknown cut_reply", "C200~ L503"),
        false => ("unknown unreadable_reply", "C200 L503"),
    };
    let name = "25 no length, and half a body ends without a close_notify";
    rows.push(Row(name, trusting, script, good(), outcome, came));

    // Through our own client, which trusts the public authorities only. A broken handshake may mend,
    // so it is tried again; then comes a certificate that does not verify, which is the end.
    rows.push(Row("5 an unknown authority", own, quiet(), good(), NEVER, "C!"));
    let html = b"HTTP/1.1 400 X\r\n\r\n";
    for (name, does) in [
        ("6 reset in the handshake", vec![Do::Reset]),
        ("6 the end in the handshake", vec![Do::Finish]),
        ("6 an alert", vec![Do::Say(ALERT.to_vec()), Do::Finish]),
        ("6 not TLS at all", vec![Do::Say(html.to_vec()), Do::Finish]),
        ("6 half a record", vec![Do::Say(ALERT[..4].to_vec()), Do::Finish]),
    ] {
        let script = Script { connections: vec![Meet::Unread(does)], ..quiet() };
        rows.push(Row(name, own, script, good(), NEVER, "C! C!"));
    }
    // Two attempts fit into the deadline: connecting, TLS included, has a timeout of its own (10 s).
    let slow: Make<D> = |setup, _| {
        let policy = Policy::default()
            .with_attempt_timeout(Duration::from_secs(15))
            .with_deadline(Duration::from_secs(13));
        D::new(setup.with_policy(policy))
    };
    let script = Script { connections: vec![Meet::Unread(vec![Do::Hang])], ..quiet() };
    rows.push(Row("6 silence in the handshake", slow, script, good(), NEVER, "C! C!"));
    rows
}

/// Fault 7: with TLS 1.3 the client believes in its handshake, and sends, before it is refused.
fn a_client_certificate_is_wanted<D: Driver>(authority: &Authority) {
    let config = authority.config(|_| {}, true, &[&TLS13]);
    let server = Server::with(Script::default(), Some(Arc::new(config)), None);
    // Every lookup would be refused as well.
    let policy = Policy::default().with_lookup(false).with_resend(Resend::Never);
    let setup = setup(&format!("https://{}", server.address()), true).with_policy(policy);
    let result = D::trusting(setup, authority.root()).capture(&capture());
    assert_eq!((result.code(), attempts(&result)), ("no_reply", "C?".to_owned()), "{result:?}");
}
