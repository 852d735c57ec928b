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

use std::time::Duration;

use capture_client::driver::{CONNECT_TIMEOUT, MAX_BODY, TransportError, check_framing};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{self, ConnectionDetails, Connector, DefaultConnector};
use ureq::{Agent, AsSendBody, Error, Proxy, config::Config, http::Uri};

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

    fn run(&self, request: http::Request<impl AsSendBody>, timeout: Duration) -> Reply {
        let request = self.0.configure_request(request);
        let request = request.http_status_as_error(false).max_redirects(0);
        let reply = self.0.run(request.timeout_global(Some(timeout)).build());
        let (head, mut body) = reply.map_err(classify)?.into_parts();
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

/// An agent that you configured. Its redirects, status errors and timeouts are overridden. With a
/// connector that is not ours, more failures count as maybe sent, and TLS reads the roots each time.
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
    fn send(&self, request: wire::Request, timeout: Duration) -> Reply {
        let (head, body) = request.into_parts();
        match &body[..] {
            b"" => self.run(http::Request::from_parts(head, ()), timeout), // `b""` is announced
            body => self.run(http::Request::from_parts(head, body), timeout),
        }
    }
}

/// ureq's own resolver or connector; its failures travel as [`TransportError`], because ureq reports an
/// unknown name, a broken handshake and a broken request with the same error.
#[derive(Debug, Default)]
struct Marking<T>(T);

type Reply = Result<wire::Response, TransportError>;
type Connected = Result<Option<Box<dyn transport::Transport>>, Error>;
type Resolved = Result<ResolvedSocketAddrs, Error>;

impl Connector for Marking<DefaultConnector> {
    type Out = Box<dyn transport::Transport>;

    fn connect(&self, to: &ConnectionDetails<'_>, chained: Option<()>) -> Connected {
        // A request's own timeout makes all its settings its own, and for such a request ureq reads
        // the roots anew and resumes no session. The TLS settings are always the agent's.
        let to = ConnectionDetails {
            request_level: false,
            uri: to.uri,
            addrs: to.addrs.clone(),
            config: to.config,
            resolver: to.resolver,
            now: to.now,
            timeout: to.timeout,
            current_time: to.current_time.clone(),
            run_connector: to.run_connector.clone(),
            register_shutdown: to.register_shutdown.clone(),
        };
        self.0.connect(&to, chained).map_err(|error| Error::Other(Box::new(not_sent(error))))
    }
}

impl Resolver for Marking<DefaultResolver> {
    fn resolve(&self, uri: &Uri, config: &Config, most: transport::NextTimeout) -> Resolved {
        self.0.resolve(uri, config, most).map_err(|error| Error::Other(Box::new(not_sent(error))))
    }
}

/// Only a connection that was never established is "not sent".
fn classify(error: Error) -> TransportError {
    match error {
        Error::Other(it) => it.downcast().map_or_else(TransportError::maybe_sent, |lost| *lost),
        Error::HostNotFound | Error::ConnectProxyFailed(_) => not_sent(error),
        Error::Io(ref io) if capture_tls::is_certificate_error(io) => not_sent(error),
        _ => TransportError::maybe_sent(error),
    }
}

/// ureq's error hides its cause from `source()`; one of ours inside it is about a proxy.
fn not_sent(error: Error) -> TransportError {
    match error {
        Error::Io(error) => capture_tls::not_connected(error),
        Error::Other(it) => TransportError::not_sent(format!("the proxy: {}", one_line(&*it))),
        _ => TransportError::not_sent(error),
    }
}
