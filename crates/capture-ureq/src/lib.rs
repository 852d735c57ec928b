//! Capture for blocking Rust: the capture machine of `capture-core` over [`ureq`].
//!
//! ```
//! use capture_ureq::{Capture, Client, IdempotencyKey, Money, Outcome, Setup};
//!
//! let sandbox = capture_sandbox::Sandbox::start(); // in production: Environment::Production
//! let money = Money::parse("100.00", "USD")?;
//! let order = sandbox.create_order(money);
//! let client = Client::new(Setup::new(&sandbox.environment(), sandbox.credentials()));
//! let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
//! // Store `capture` here, before it is sent: the key is the promise.
//!
//! match client.capture(&capture) {
//!     Outcome::Captured(_receipt) => println!("ship it"),
//!     Outcome::NotCaptured(refusal) => println!("{}", refusal.next_step()),
//!     Outcome::Unknown(ticket) => println!("keep the ticket, resume it later: {}", ticket.next_step()),
//! }
//! # assert_eq!(sandbox.ledger().captures(order), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod connector;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use connector::Marking;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Body, Error, Proxy};

pub use capture_core::*;

/// A blocking capture client. Clones share connections, the token and its single login.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    api: Api,
    policy: Policy,
    shared: Arc<Mutex<Shared>>,
}

impl Client {
    /// A client with connections of its own, [`hardened`], under the roots of this crate's features.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let roots = match (cfg!(feature = "platform-verifier"), cfg!(feature = "webpki-roots")) {
            (true, _) => RootCerts::PlatformVerifier,
            (false, true) => RootCerts::WebPki,
            (false, false) => RootCerts::new_with_certs(&[]),
        };
        Self::with_agent(setup, hardened(roots, None))
    }

    /// A client over an agent that you configured; [`hardened`] makes one.
    ///
    /// Its redirects, status errors and timeouts are overruled. With a connector that is not ours,
    /// fewer failures can be told apart, and more count as maybe sent.
    #[must_use]
    pub fn with_agent(setup: Setup, agent: Agent) -> Self {
        let Setup { api, shared, policy, .. } = setup;
        Self { agent, api, policy, shared: Arc::new(Mutex::new(shared)) }
    }

    /// Captures, and says what happened. It never fails otherwise.
    pub fn capture(&self, capture: &Capture) -> Outcome {
        self.drive(capture.start(&self.api, &self.policy, Instant::now(), SystemTime::now()))
    }

    /// Takes an unknown outcome up again, beginning with the order's status.
    pub fn resume(&self, ticket: Ticket) -> Outcome {
        self.drive(ticket.resume(&self.api, &self.policy, Instant::now(), SystemTime::now()))
    }

    /// Reads the definitive status of an order.
    ///
    /// # Errors
    /// When no token could be had, no complete reply came, or it does not describe this order.
    pub fn status(&self, order: OrderId) -> Result<OrderStatus, StatusError> {
        let mut query = StatusQuery::new(&self.api, order);
        loop {
            let request = query.request(self.token(query.token_request())?);
            if let Some(result) = query.answered(self.send(request)) {
                return result;
            }
        }
    }

    fn drive(&self, mut step: Step) -> Outcome {
        loop {
            step = match step {
                Step::Authorize(need) => match self.token(need.token_request()) {
                    Ok(token) => need.authorized(token, Instant::now()),
                    Err(denied) => need.denied(denied, Instant::now()),
                },
                Step::Send(request, open) => match self.send(request) {
                    Ok(reply) => open.received(reply, Instant::now()),
                    Err(lost) => open.lost(&lost, Instant::now()),
                },
                Step::Wait(until, open) => {
                    std::thread::sleep(until.saturating_duration_since(Instant::now()));
                    open.elapsed(Instant::now())
                }
                Step::Done(outcome) => return outcome,
            }
        }
    }

    /// The lock is held while a login is in flight, so that any number of captures make one.
    fn token(&self, wish: TokenRequest<'_>) -> Result<BearerToken, TokenError> {
        let asked = Instant::now();
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        match shared.ask(&self.api, wish, asked, Instant::now()) {
            TokenAction::Use(token) => Ok(token),
            TokenAction::Fail(denied) => Err(denied),
            TokenAction::Login(request) => shared.answered(&self.send(request), Instant::now()),
        }
    }

    fn send(&self, mut request: wire::Request) -> Result<wire::Response, TransportError> {
        add_headers(&mut request);
        let (head, body) = request.into_parts();
        let reply = if body.is_empty() {
            self.run(http::Request::from_parts(head, ())) // an empty slice would be announced
        } else {
            self.run(http::Request::from_parts(head, &body[..]))
        };
        let (head, mut body) = reply.map_err(connector::classify)?.into_parts();
        // ureq calls a body too long that ends right at its limit.
        match body.with_config().limit(MAX_BODY as u64 + 1).read_to_vec() {
            Ok(body) => Ok(http::Response::from_parts(head, Bytes::from(body))),
            Err(error) => Err(TransportError::in_reply(head.status, head.headers, error)),
        }
    }

    fn run(&self, request: http::Request<impl AsSendBody>) -> Result<http::Response<Body>, Error> {
        let request = self.agent.configure_request(request);
        let request = request.http_status_as_error(false).max_redirects(0);
        self.agent.run(request.timeout_global(Some(self.policy.attempt_timeout())).build())
    }
}

/// The agent of [`Client::new`], with roots and a proxy of your own: rustls, HTTP/1.1, no proxy from
/// the environment, and failures to connect told from a request that may have left.
#[must_use]
pub fn hardened(roots: RootCerts, proxy: Option<Proxy>) -> Agent {
    let tls = TlsConfig::builder().root_certs(roots);
    let tls = tls.unversioned_rustls_crypto_provider(capture_tls::provider()).build();
    let config = Agent::config_builder().tls_config(tls).proxy(proxy);
    let config = config.timeout_connect(Some(CONNECT_TIMEOUT)).build();
    Agent::with_parts(config, Marking::default(), Marking::default())
}
