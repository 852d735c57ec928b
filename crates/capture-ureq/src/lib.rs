//! Capture for blocking Rust: the client of `capture-client` over [`ureq`].
//!
//! ```
//! use capture_ureq::{Capture, Client, IdempotencyKey, Money, Outcome, Setup};
//!
//! let sandbox = capture_sandbox::Sandbox::start(); // in production: Environment::Production
//! let money = Money::parse("100.00", "USD")?;
//! let order = sandbox.create_order(money);
//! let client = Client::new(Setup::new(&sandbox.environment(), sandbox.credentials()))?;
//! let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
//! // Store `capture` here. If it is already stored, resume it instead: Ticket::interrupted.
//!
//! match client.capture(&capture) {
//!     Outcome::Captured(receipt) => println!("{}", receipt.next_step()),
//!     Outcome::NotCaptured(refusal) => println!("{}", refusal.next_step()),
//!     Outcome::Unknown(ticket) => println!("store it, resume it later: {}", ticket.next_step()),
//! }
//! # assert_eq!(sandbox.ledger().captures(order), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod connector;

use std::time::Duration;

use capture_client::driver::{CONNECT_TIMEOUT, MAX_BODY, TransportError, check_framing};
use connector::Marking;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Body, Error, Proxy};

pub use capture_client::*;

/// A blocking capture client over ureq.
pub type Client = blocking::Client<Ureq>;

/// ureq as a transport.
#[derive(Debug, Clone)]
pub struct Ureq(Agent);

impl Ureq {
    /// Connections with these roots, perhaps through your own proxy: rustls, HTTP/1.1, no proxy from
    /// the environment, and failures to connect told from a request that may have been sent.
    #[must_use]
    pub fn hardened(roots: RootCerts, proxy: Option<Proxy>) -> Self {
        let tls = TlsConfig::builder().root_certs(roots);
        let tls = tls.unversioned_rustls_crypto_provider(capture_tls::provider()).build();
        let config = Agent::config_builder().tls_config(tls).proxy(proxy);
        let config = config.timeout_connect(Some(CONNECT_TIMEOUT)).build();
        Self(Agent::with_parts(config, Marking::default(), Marking::default()))
    }

    fn run(
        &self,
        request: http::Request<impl AsSendBody>,
        timeout: Duration,
    ) -> Result<http::Response<Body>, Error> {
        let request = self.0.configure_request(request);
        let request = request.http_status_as_error(false).max_redirects(0);
        self.0.run(request.timeout_global(Some(timeout)).build())
    }
}

/// An agent that you configured. Its redirects, status errors and timeouts are overridden. With a
/// connector that is not ours, fewer failures can be told apart, and more count as maybe sent.
impl From<Agent> for Ureq {
    fn from(agent: Agent) -> Self {
        Self(agent)
    }
}

impl Connect for Ureq {
    fn connect(pem: &[u8]) -> Result<Self, BuildError> {
        let roots = capture_tls::root_certificates(pem).map_err(BuildError::new)?;
        let roots = roots.map_or(RootCerts::PlatformVerifier, |roots| {
            let roots = roots.iter().map(|root| Certificate::from_der(root).to_owned());
            RootCerts::from(roots.collect::<Vec<_>>())
        });
        Ok(Self::hardened(roots, None))
    }
}

impl blocking::Transport for Ureq {
    fn send(
        &self,
        request: wire::Request,
        timeout: Duration,
    ) -> Result<wire::Response, TransportError> {
        let (head, body) = request.into_parts();
        let reply = match &body[..] {
            b"" => self.run(http::Request::from_parts(head, ()), timeout), // `b""` is announced
            body => self.run(http::Request::from_parts(head, body), timeout),
        };
        let (head, mut body) = reply.map_err(connector::classify)?.into_parts();
        if let Err(why) = check_framing(&head.headers) {
            return Err(TransportError::in_reply(head.status, head.headers, why));
        }
        // ureq rejects a body that ends exactly at its limit.
        match body.with_config().limit(MAX_BODY as u64 + 1).read_to_vec() {
            Ok(body) => Ok(http::Response::from_parts(head, body.into())),
            Err(error) => Err(TransportError::in_reply(head.status, head.headers, error)),
        }
    }
}
