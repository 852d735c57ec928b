//! HTTP clients of the user's own with unsafe settings: what we override, what we notice, and what the
//! libraries give us no way to see (`docs/adapters.md`).

use std::time::Duration;

use capture_conformance::fixture::{capture, setup};
use capture_conformance::notation::{attempts, ending};
use capture_conformance::replies::{json, with};
use capture_conformance::wire::http2::{LATER, REFUSED};
use capture_conformance::wire::{Act, Dialogue, Do, Endpoint, Server, on_capture};
use capture_core::{Outcome, Policy, Setup};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;

use super::authority::Authority;
use super::drivers;
use super::secured::secured;

/// The server that a client is sent to, and one that must receive nothing.
struct Servers {
    server: Server,
    trap: Server,
}

impl Servers {
    fn new(dialogue: Dialogue) -> Self {
        let trap = Server::start(Dialogue::default());
        Self { server: Server::with(dialogue, None, Some(trap.address())), trap }
    }

    fn setup(&self) -> Setup {
        let policy = Policy::default().with_attempt_timeout(Duration::from_millis(1500));
        setup(&format!("http://{}", self.server.address()), true).with_policy(policy)
    }

    /// The outcome, the attempts, and how many captures came in at each server.
    fn saw(&self, outcome: &Outcome) -> (String, String, usize, usize) {
        let captures = |seen: Vec<capture_conformance::wire::Seen>| {
            seen.iter().filter(|seen| seen.endpoint == Endpoint::Capture).count()
        };
        let name = ending(outcome);
        (name, attempts(outcome), captures(self.server.seen()), captures(self.trap.seen()))
    }
}

fn redirect(status: u16, target: &str) -> Dialogue {
    on_capture([Act::say(with(status, &format!("location: {target}\r\n"), ""))])
}

fn reqwest_builder() -> reqwest::ClientBuilder {
    let tls = drivers::client_config(Authority::new().root());
    reqwest::Client::builder().tls_backend_preconfigured(tls)
}

fn via_reqwest(setup: Setup, http: reqwest::ClientBuilder) -> Outcome {
    let http = capture_reqwest::Reqwest::from(http.build().expect("a client"));
    drivers::block_on(capture_reqwest::Client::over(setup, http).capture(&capture()))
}

fn via_ureq(setup: Setup, config: ureq::config::Config) -> Outcome {
    let agent = capture_ureq::Ureq::from(ureq::Agent::new_with_config(config));
    capture_ureq::Client::blocking(setup, agent).capture(&capture())
}

#[test]
fn reqwest_with_redirects_on_is_noticed() {
    for (status, target, there) in [
        (302, "http://TRAP/v1/capture", 0),
        // The body left for another origin. That cannot be undone, but it is never believed.
        (307, "http://TRAP/v1/capture", 1),
        (308, "http://TRAP/v1/capture", 1),
        (307, "http://SELF/v1/elsewhere", 0),
    ] {
        let servers = Servers::new(redirect(status, target));
        let outcome = via_reqwest(servers.setup(), reqwest_builder());
        let expect = ("unknown no_reply".to_owned(), "C? L503".to_owned(), 1, there);
        assert_eq!(servers.saw(&outcome), expect, "{status} {target}: {outcome:?}");
    }
}

/// Documented: a redirect to the very same URL leaves no trace. Same key and same bytes go out, so
/// that the reply is as good as the first one's.
#[test]
fn reqwest_with_redirects_on_hides_one_to_the_same_url() {
    let servers = Servers::new(redirect(307, "http://SELF/v1/capture"));
    let outcome = via_reqwest(servers.setup(), reqwest_builder());
    assert_eq!(servers.saw(&outcome), ("captured reply".to_owned(), "C200".to_owned(), 2, 0));
}

/// Documented: with reqwest's own retries the record has fewer sends than the wire. The key is the
/// same, so nothing is captured twice.
#[test]
fn reqwest_with_its_retries_on_sends_more_than_the_record_shows() {
    let authority = Authority::new();
    let never = |http: reqwest::ClientBuilder| http.retry(reqwest::retry::never());
    for (retries, sends) in [(never as fn(_) -> _, 1), (|http| http, 2)] {
        let dialogue = Dialogue { frames: vec![REFUSED, LATER], ..Dialogue::default() };
        let server = Server::with(dialogue, Some(authority.server(&["h2"])), None);
        let mut tls = drivers::client_config(authority.root());
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let http = retries(reqwest::Client::builder().tls_backend_preconfigured(tls));
        let setup = setup(&format!("https://{}", server.address()), true);
        let outcome = via_reqwest(setup, http);
        let captures = server.seen().iter().filter(|s| s.endpoint == Endpoint::Capture).count();
        assert_eq!(captures, sends, "{outcome:?}");
        assert_eq!(attempts(&outcome).matches('C').count(), 1, "{outcome:?}");
    }
}

#[test]
fn ureq_with_errors_for_statuses_and_redirects_on_is_overruled() {
    let config = || {
        let config = ureq::Agent::config_builder().proxy(None);
        config.http_status_as_error(true).max_redirects(10).max_redirects_will_error(true).build()
    };
    for (dialogue, outcome, came) in [
        (redirect(302, "http://TRAP/v1/capture"), "unknown redirect", "C302 L503"),
        (redirect(307, "http://SELF/v1/capture"), "unknown redirect", "C307 L503"),
        (on_capture([Act::say(json(500, ""))]), "unknown undecided_status", "C500 L503"),
        (
            on_capture([Act::say(json(400, r#"{"title":"t","status":400}"#))]),
            "unknown unconfirmed_refusal",
            "C400 L503",
        ),
        // The agent has no timeout; the policy has.
        (on_capture([Act::does(vec![Do::Hang])]), "unknown no_reply", "C? L503"),
    ] {
        let servers = Servers::new(dialogue);
        let result = via_ureq(servers.setup(), config());
        assert_eq!(servers.saw(&result), (outcome.into(), came.into(), 1, 0), "{result:?}");
    }
}

/// The agent's own connector marks no failure, and this one is known all the same (A4).
#[test]
fn ureq_of_ones_own_knows_a_certificate_that_does_not_verify() {
    let config = Authority::new().config(|_| {}, false, rustls::DEFAULT_VERSIONS);
    let server = Server::with(Dialogue::default(), Some(secured(config)), None);
    let tls = ureq::tls::TlsConfig::builder()
        .unversioned_rustls_crypto_provider(drivers::provider())
        .build();
    let agent = ureq::Agent::config_builder().tls_config(tls).build();
    let policy = Policy::default().with_deadline(Duration::from_millis(300));
    let setup = setup(&format!("https://{}", server.address()), true).with_policy(policy);
    let outcome = via_ureq(setup, agent);
    assert_eq!(ending(&outcome), "not_captured never_sent", "{outcome:?}");
    assert_eq!(attempts(&outcome), "C!", "{outcome:?}");
}

/// Fault 8: a proxy that is down is named as the cause, and what is wrong with it is shown.
#[test]
fn a_proxy_that_is_down_is_named() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{nobody}");
    let policy = Policy::default().with_deadline(Duration::from_millis(300));
    let setup = || setup("https://api.invalid", true).with_policy(policy);

    let through = reqwest::Proxy::all(&url).expect("a proxy");
    let tls = drivers::client_config(Authority::new().root());
    let http = capture_reqwest::Reqwest::hardened(tls, Some(through)).expect("a client");
    let reqwest =
        drivers::block_on(capture_reqwest::Client::over(setup(), http).capture(&capture()));
    let through = Some(ureq::Proxy::new(&url).expect("a proxy"));
    let http = capture_ureq::Ureq::hardened(ureq::tls::RootCerts::WebPki, through);
    let ureq = capture_ureq::Client::blocking(setup(), http).capture(&capture());
    for (whose, outcome) in [("reqwest", reqwest), ("ureq", ureq)] {
        let came = (outcome.code(), outcome.cause(), attempts(&outcome));
        assert_eq!(came, ("never_sent", Some("proxy"), "C!".into()), "{whose}: {outcome:?}");
        assert!(outcome.to_string().contains("refused"), "{whose}: {outcome}");
        assert!(outcome.next_step().starts_with("Check the proxy"), "{whose}: {outcome}");
    }
}

/// Fault 8: a proxy of the user's own grants no tunnel, in whatever way; the capture was never sent.
#[test]
fn a_refused_tunnel_is_not_sent() {
    for (name, act, foreign_came) in [
        ("403", Act::say(with(403, "", "")), "C!"),
        ("407", Act::say(with(407, "proxy-authenticate: Basic\r\n", "")), "C!"),
        ("502", Act::say(with(502, "", "")), "C!"),
        ("a redirect", Act::say(with(302, "location: http://SELF/\r\n", "")), "C!"),
        ("the end", Act::does(vec![Do::Finish]), "C!"),
        ("reset", Act::does(vec![Do::Reset]), "C?"),
        ("garbage", Act::say("HELLO\r\n\r\n").then(Do::Finish), "C?"),
        (
            "no TLS behind it",
            Act::say("HTTP/1.1 200 OK\r\n\r\nHELLO\r\n\r\n").then(Do::Finish),
            "C?",
        ),
    ] {
        let others = vec![act; 4];
        let proxy = Server::start(Dialogue { other: others, ..Dialogue::default() });
        let url = format!("http://{}", proxy.address());
        let policy = Policy::default().with_deadline(Duration::from_millis(300));
        let setup = || setup("https://api.invalid", true).with_policy(policy);
        let tls = || drivers::client_config(Authority::new().root());

        let through = reqwest::Proxy::all(&url).expect("a proxy");
        let http = capture_reqwest::Reqwest::hardened(tls(), Some(through)).expect("a client");
        let client = capture_reqwest::Client::over(setup(), http);
        let reqwest = drivers::block_on(client.capture(&capture()));

        let through = || Some(ureq::Proxy::new(&url).expect("a proxy"));
        let ours = capture_ureq::Ureq::hardened(ureq::tls::RootCerts::WebPki, through());
        let ours = capture_ureq::Client::blocking(setup(), ours).capture(&capture());
        let tls_of_its_own = ureq::tls::TlsConfig::builder()
            .unversioned_rustls_crypto_provider(drivers::provider())
            .build();
        let foreign = ureq::Agent::config_builder().tls_config(tls_of_its_own).proxy(through());
        let foreign = via_ureq(setup(), foreign.build());

        let hyper = drivers::block_on(async {
            let tunnel = Tunnel::new(url.parse().expect("a URI"), HttpConnector::new());
            let https = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls());
            let connector = https.https_only().enable_http1().wrap_connector(tunnel);
            let http = capture_hyper::Hyper::over(connector);
            capture_hyper::Client::over(setup(), http).capture(&capture()).await
        });
        for (whose, outcome) in [("reqwest", reqwest), ("ureq", ours), ("hyper", hyper)] {
            let came = (outcome.code(), attempts(&outcome));
            assert_eq!(came, ("never_sent", "C!".into()), "{name}, {whose}: {outcome:?}");
        }
        // A foreign agent's failures are told apart only where ureq itself names the proxy.
        assert_eq!(attempts(&foreign), foreign_came, "{name}: {foreign:?}");
        assert_eq!(proxy.seen().len(), 4, "{name}");
        let shown = proxy.seen().iter().any(|seen| seen.head.contains("canary"));
        assert!(!shown, "{name}: the token went out");
    }
}
