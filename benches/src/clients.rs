//! The clients by name: an adapter of ours, or code written by hand, set up alike.

use std::sync::Arc;

use capture_core::{Environment, Outcome, Setup};
use capture_hyper::Hyper;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::net::{Drive, Place, concurrent, threaded};
use crate::peers::Body;
use crate::{hand, inputs, loopback};

/// As many idle connections as the largest load needs; ureq's own default is three for a host.
const LARGE_POOL: usize = 1_024;

struct Wanted {
    place: Place,
    is_tls: bool,
    is_h2: bool,
    has_pool: bool,
}

/// The client of that name, one of [`crate::net::NAMES`].
pub fn drive(name: &str, place: &str) -> Drive {
    let place: Place = place.parse().expect("a place");
    let (kind, by_hand) = (name.trim_end_matches("/hand"), name.ends_with("/hand"));
    let has = |word| kind.split('-').any(|part| part == word);
    let (is_tls, is_h2, has_pool) = (has("tls"), has("h2"), has("pool"));
    let wanted = Wanted { place, is_tls, is_h2, has_pool };
    match (kind.split('-').next(), by_hand) {
        (Some("hyper"), false) => ours_hyper(&wanted),
        (Some("hyper"), true) => hand_hyper(&wanted),
        (Some("reqwest"), false) => ours_reqwest(&wanted),
        (Some("reqwest"), true) => hand_reqwest(&wanted),
        (_, false) => ours_ureq(&wanted),
        (_, true) => hand_ureq(&wanted),
    }
}

fn ours_hyper(wanted: &Wanted) -> Drive {
    let setup = wanted.setup();
    match (wanted.is_tls, wanted.is_h2) {
        (true, _) => hyper(capture_hyper::Client::over(setup, Hyper::over(wanted.https()))),
        (false, true) => hyper(capture_hyper::Client::over(setup, Hyper::over(loopback::Http2))),
        (false, false) => hyper(capture_hyper::Client::new(setup).expect("a client")),
    }
}

fn hyper<C: Connect + Clone + Send + Sync + 'static>(client: capture_hyper::Client<C>) -> Drive {
    let (client, capture) = (Arc::new(client), inputs::capture());
    concurrent(move || {
        let client = client.clone();
        async move { captured(&client.capture(&capture).await) }
    })
}

fn hand_hyper(wanted: &Wanted) -> Drive {
    let (url, token, body) = wanted.by_hand();
    let mut builder = Client::builder(TokioExecutor::new());
    if wanted.is_tls {
        let client = builder.build(wanted.https());
        let client = Arc::new(hand::Hyper { client, url, token, body });
        return concurrent(move || client.clone().capture());
    }
    let client = builder.http2_only(wanted.is_h2).build(tcp());
    let client = Arc::new(hand::Hyper { client, url, token, body });
    concurrent(move || client.clone().capture())
}

fn ours_reqwest(wanted: &Wanted) -> Drive {
    let capture = inputs::capture();
    let client = if wanted.is_tls {
        let http = reqwest::Client::builder().tls_backend_preconfigured(wanted.trust());
        let http = http.redirect(reqwest::redirect::Policy::none());
        let http = http.retry(reqwest::retry::never()).build().expect("a client");
        capture_reqwest::Client::over(wanted.setup(), http.into())
    } else {
        capture_reqwest::Client::new(wanted.setup()).expect("a client")
    };
    let client = Arc::new(client);
    concurrent(move || {
        let client = client.clone();
        async move { captured(&client.capture(&capture).await) }
    })
}

fn hand_reqwest(wanted: &Wanted) -> Drive {
    let (url, token, body) = wanted.by_hand();
    let client = reqwest::Client::builder().tls_backend_preconfigured(wanted.trust());
    let client = client.timeout(hand::TIMEOUT).build().expect("a client");
    let client = Arc::new(hand::Reqwest { client, url, token, body });
    concurrent(move || client.clone().capture())
}

fn ours_ureq(wanted: &Wanted) -> Drive {
    let (setup, capture) = (wanted.setup(), inputs::capture());
    let client = if wanted.has_pool {
        capture_ureq::Client::blocking(setup, wanted.agent().into())
    } else {
        capture_ureq::Client::new(setup).expect("a client")
    };
    threaded(move || captured(&client.capture(&capture)))
}

fn hand_ureq(wanted: &Wanted) -> Drive {
    let (url, token, body) = wanted.by_hand();
    let client = hand::Ureq { agent: wanted.agent(), url, token, body };
    threaded(move || client.capture())
}

fn captured(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Captured(_)), "{outcome}");
}

fn tcp() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector
}

impl Wanted {
    fn origin(&self) -> String {
        match self.is_tls {
            true => format!("https://{}", self.place.tls),
            false => format!("http://{}", self.place.plain),
        }
    }

    fn setup(&self) -> Setup {
        let environment: Environment = self.origin().parse().expect("a URL");
        Setup::new(&environment, inputs::token())
    }

    fn by_hand(&self) -> (String, String, Body) {
        (format!("{}/v1/capture", self.origin()), inputs::token_text(), Body::new())
    }

    /// Trusts the server's certificate and no other.
    fn trust(&self) -> rustls::ClientConfig {
        let mut roots = rustls::RootCertStore::empty();
        let certificate = CertificateDer::from(self.place.certificate.clone());
        roots.add(certificate).expect("a certificate");
        let config = rustls::ClientConfig::builder_with_provider(capture_tls::provider());
        let config = config.with_safe_default_protocol_versions().expect("versions");
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        if self.is_h2 {
            config.alpn_protocols = vec![b"h2".to_vec()];
        }
        config
    }

    fn https(&self) -> HttpsConnector<HttpConnector> {
        let mut trust = self.trust();
        trust.alpn_protocols.clear(); // the builder sets them
        let builder = HttpsConnectorBuilder::new().with_tls_config(trust).https_only();
        match self.is_h2 {
            true => builder.enable_http2().wrap_connector(tcp()),
            false => builder.enable_http1().wrap_connector(tcp()),
        }
    }

    fn agent(&self) -> ureq::Agent {
        let mut config = ureq::Agent::config_builder().timeout_global(Some(hand::TIMEOUT));
        if self.has_pool {
            config = config.max_idle_connections(LARGE_POOL);
            config = config.max_idle_connections_per_host(LARGE_POOL);
        }
        if self.is_tls {
            let certificate = Certificate::from_der(&self.place.certificate).to_owned();
            let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[certificate]));
            let tls = tls.unversioned_rustls_crypto_provider(capture_tls::provider());
            config = config.tls_config(tls.build());
        }
        config.build().into()
    }
}
