//! The clients by name: each adapter, and the code by hand over the same HTTP client, set up alike.

use std::num::NonZeroU32;
use std::sync::Arc;

use capture_core::{Environment, Outcome, Setup};
use capture_hyper::Hyper;
use capture_ureq::Ureq;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::endpoint::Endpoint;
use crate::peers::hand;
use crate::peers::serde::Body;
use crate::subject::{Subject, concurrent, threaded};
use crate::{inputs, loopback};

/// Name and title of each. `/hand` is the other side of a comparison, in the same conversation as ours: a
/// connection for each request, unless it is HTTP/2. `/kept` keeps its connection, as HTTP clients do
/// unless told otherwise. `tls` and `h2` say what the connection is.
pub const NAMES: [(&str, &str); 22] = [
    ("hyper", "capture-hyper"),
    ("hyper/hand", "hyper-util by hand"),
    ("hyper/kept", "the same, connection kept"),
    ("reqwest", "capture-reqwest"),
    ("reqwest/hand", "reqwest by hand"),
    ("reqwest/kept", "the same, connection kept"),
    ("ureq", "capture-ureq"),
    ("ureq/hand", "ureq by hand"),
    ("ureq/kept", "the same, connection kept"),
    ("hyper-h2", "capture-hyper, HTTP/2"),
    ("hyper-h2/hand", "hyper-util by hand, HTTP/2"),
    ("hyper-tls", "capture-hyper, TLS"),
    ("hyper-tls/hand", "hyper-util by hand, TLS"),
    ("hyper-tls/kept", "the same, connection kept"),
    ("reqwest-tls", "capture-reqwest, TLS"),
    ("reqwest-tls/hand", "reqwest by hand, TLS"),
    ("ureq-tls", "capture-ureq, TLS"),
    ("ureq-tls/hand", "ureq by hand, TLS"),
    ("hyper-tls-h2", "capture-hyper, TLS, HTTP/2"),
    ("hyper-tls-h2/hand", "hyper-util by hand, TLS, HTTP/2"),
    ("reqwest-tls-h2", "capture-reqwest, TLS, HTTP/2"),
    ("reqwest-tls-h2/hand", "reqwest by hand, TLS, HTTP/2"),
];

/// As many idle connections as the largest load needs; ureq's own default is three for a host.
const LARGE_POOL: usize = 1_024;

/// As many captures at a time as the largest load has.
const MAX_IN_FLIGHT: NonZeroU32 = NonZeroU32::new(1_024).expect("not 0");

/// Whether the gate counts the benchmark of that name. It does without TLS, whose instructions depend
/// on the processor.
pub fn is_gated(name: &str) -> bool {
    !name.contains("-tls")
}

/// Whether a benchmark's name is that of a client.
pub fn is_client(name: &str) -> bool {
    NAMES.iter().any(|known| known.0 == name)
}

/// The client of that name, one of [`NAMES`].
pub fn subject(name: &str, endpoint: &str) -> Subject {
    let endpoint: Endpoint = endpoint.parse().expect("an endpoint");
    let (kind, side) = name.split_once('/').unwrap_or((name, ""));
    let has = |word| kind.split('-').any(|part| part == word);
    let (is_tls, is_h2) = (has("tls"), has("h2"));
    let spec = Spec { endpoint, is_tls, is_h2, closes: side == "hand" && !is_h2 };
    match (kind.split('-').next(), side) {
        (Some("hyper"), "") => ours_hyper(&spec),
        (Some("hyper"), _) => hand_hyper(&spec),
        (Some("reqwest"), "") => ours_reqwest(&spec),
        (Some("reqwest"), _) => hand_reqwest(&spec),
        (_, "") => ours_ureq(&spec),
        (_, _) => hand_ureq(&spec),
    }
}

/// What a name asks for.
struct Spec {
    endpoint: Endpoint,
    is_tls: bool,
    is_h2: bool,
    /// Whether code by hand says that its connection ends with the reply, as ours does.
    closes: bool,
}

fn ours_hyper(spec: &Spec) -> Subject {
    let setup = spec.setup();
    match (spec.is_tls, spec.is_h2) {
        (true, _) => hyper(capture_hyper::Client::over(setup, Hyper::over(spec.https()))),
        (false, true) => hyper(capture_hyper::Client::over(setup, Hyper::over(loopback::Http2))),
        (false, false) => hyper(capture_hyper::Client::new(setup).expect("a client")),
    }
}

fn hyper<C: Connect + Clone + Send + Sync + 'static>(client: capture_hyper::Client<C>) -> Subject {
    let (client, capture) = (Arc::new(client), inputs::capture());
    concurrent(move || {
        let client = client.clone();
        async move { captured(&client.capture(&capture).await) }
    })
}

fn hand_hyper(spec: &Spec) -> Subject {
    let call = spec.by_hand();
    let builder = legacy::Client::builder(TokioExecutor::new());
    if spec.is_tls {
        let client = builder.build(spec.https());
        let client = Arc::new(hand::Hyper { client, call });
        return concurrent(move || client.clone().capture());
    }
    if spec.is_h2 {
        let client = builder.build(loopback::Http2);
        let client = Arc::new(hand::Hyper { client, call });
        return concurrent(move || client.clone().capture());
    }
    let client = builder.build(tcp());
    let client = Arc::new(hand::Hyper { client, call });
    concurrent(move || client.clone().capture())
}

fn ours_reqwest(spec: &Spec) -> Subject {
    let capture = inputs::capture();
    let client = if spec.is_tls {
        let http = reqwest::Client::builder().tls_backend_preconfigured(spec.trust());
        let http = http.redirect(reqwest::redirect::Policy::none());
        let http = http.retry(reqwest::retry::never()).build().expect("a client");
        capture_reqwest::Client::over(spec.setup(), http.into())
    } else {
        capture_reqwest::Client::new(spec.setup()).expect("a client")
    };
    let client = Arc::new(client);
    concurrent(move || {
        let client = client.clone();
        async move { captured(&client.capture(&capture).await) }
    })
}

fn hand_reqwest(spec: &Spec) -> Subject {
    let call = spec.by_hand();
    let client = reqwest::Client::builder().tls_backend_preconfigured(spec.trust());
    let client = client.timeout(hand::TIMEOUT).build().expect("a client");
    let client = Arc::new(hand::Reqwest { client, call });
    concurrent(move || client.clone().capture())
}

fn ours_ureq(spec: &Spec) -> Subject {
    let (setup, capture) = (spec.setup(), inputs::capture());
    let client = if spec.is_tls {
        capture_ureq::Client::blocking(setup, Ureq::hardened(spec.roots(), None))
    } else {
        capture_ureq::Client::new(setup).expect("a client")
    };
    threaded(move || captured(&client.capture(&capture)))
}

fn hand_ureq(spec: &Spec) -> Subject {
    let client = hand::Ureq { agent: spec.agent(), call: spec.by_hand() };
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

impl Spec {
    fn origin(&self) -> String {
        match self.is_tls {
            true => format!("https://{}", self.endpoint.tls),
            false => format!("http://{}", self.endpoint.plain),
        }
    }

    fn setup(&self) -> Setup {
        let environment: Environment = self.origin().parse().expect("a URL");
        Setup::new(&environment, inputs::token()).with_max_in_flight(MAX_IN_FLIGHT)
    }

    fn by_hand(&self) -> hand::Call {
        hand::Call {
            url: format!("{}/v1/capture", self.origin()),
            token: inputs::token_text(),
            body: Body::new(),
            closes: self.closes,
        }
    }

    /// Trusts the server's certificate and no other.
    fn trust(&self) -> rustls::ClientConfig {
        let mut roots = rustls::RootCertStore::empty();
        let certificate = CertificateDer::from(self.endpoint.certificate.clone());
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

    fn roots(&self) -> RootCerts {
        let certificate = Certificate::from_der(&self.endpoint.certificate).to_owned();
        RootCerts::new_with_certs(&[certificate])
    }

    fn agent(&self) -> ureq::Agent {
        let config = ureq::Agent::config_builder().timeout_global(Some(hand::TIMEOUT));
        let config = config.max_idle_connections(LARGE_POOL);
        let mut config = config.max_idle_connections_per_host(LARGE_POOL);
        if self.is_tls {
            let tls = TlsConfig::builder().root_certs(self.roots());
            let tls = tls.unversioned_rustls_crypto_provider(capture_tls::provider());
            config = config.tls_config(tls.build());
        }
        config.build().into()
    }
}
