//! Capture over any connection: the capture machine of `capture-core` over raw [`hyper`].
//!
//! The connector is yours to choose (a proxy, a mesh, a Unix socket); the default is TCP with
//! rustls, HTTP/1.1 or HTTP/2.
//!
//! ```
//! use capture_hyper::{Capture, Client, IdempotencyKey, Money, Outcome, Setup};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = capture_sandbox::Sandbox::start(); // in production: Environment::Production
//! let money = Money::parse("100.00", "USD")?;
//! let order = sandbox.create_order(money);
//!
//! let client = Client::new(Setup::new(&sandbox.environment(), sandbox.credentials()))?;
//! let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
//! // Store `capture` here, before it is sent: the key is the promise.
//!
//! match client.capture(&capture).await {
//!     Outcome::Captured(_receipt) => println!("ship it"),
//!     Outcome::NotCaptured(refusal) => println!("{}", refusal.next_step()),
//!     Outcome::Unknown(ticket) => println!("keep the ticket, resume it later: {}", ticket.next_step()),
//! }
//! # assert_eq!(sandbox.ledger().captures(order), 1);
//! # Ok(())
//! # }
//! ```
//!
//! **Dropping a future** (a timeout or `select!` of your own) may leave a request on its way: it
//! counts as maybe sent. Take the stored capture up again with [`Ticket::interrupted`] and
//! [`Client::resume`].

mod connector;

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::connect::Connect;
use hyper_util::client::legacy::{self, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Mutex;
use tokio::time::{sleep_until, timeout_at};

pub use capture_core::*;
pub use connector::Connector;

/// A capture client over the connector `C`. Clones share connections, the token and its login.
#[derive(Debug, Clone)]
pub struct Client<C = Connector> {
    http: legacy::Client<C, Full<Bytes>>,
    api: Api,
    policy: Policy,
    shared: Arc<Mutex<Shared>>,
}

impl Client {
    /// A client over TCP and rustls.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(setup: Setup) -> Result<Self, rustls::Error> {
        Ok(Self::with_connector(setup, Connector::new(capture_tls::client_config()?)))
    }
}

impl<C: Connect + Clone + Send + Sync + 'static> Client<C> {
    /// A client over a connector of your own. It should set TCP nodelay and a connect timeout, as
    /// [`Connector`] does.
    pub fn with_connector(setup: Setup, connector: C) -> Self {
        let http = legacy::Client::builder(TokioExecutor::new())
            .retry_canceled_requests(false) // the machine counts every send
            .pool_timer(TokioTimer::new()) // idle connections end
            .build(connector);
        let Setup { api, shared, policy, .. } = setup;
        Self { http, api, policy, shared: Arc::new(Mutex::new(shared)) }
    }

    /// Captures, and says what happened. It never fails otherwise.
    pub async fn capture(&self, capture: &Capture) -> Outcome {
        self.drive(capture.start(&self.api, &self.policy, Instant::now(), SystemTime::now())).await
    }

    /// Takes an unknown outcome up again, beginning with the order's status.
    pub async fn resume(&self, ticket: Ticket) -> Outcome {
        self.drive(ticket.resume(&self.api, &self.policy, Instant::now(), SystemTime::now())).await
    }

    /// Reads the definitive status of an order.
    ///
    /// # Errors
    /// When no token could be had, no complete reply came, or it does not describe this order.
    pub async fn status(&self, order: OrderId) -> Result<OrderStatus, StatusError> {
        let mut query = StatusQuery::new(&self.api, order);
        loop {
            let request = query.request(self.token(query.token_request()).await?);
            if let Some(result) = query.answered(self.send(request).await) {
                return result;
            }
        }
    }

    async fn drive(&self, mut step: Step) -> Outcome {
        loop {
            step = match step {
                Step::Authorize(need) => match self.token(need.token_request()).await {
                    Ok(token) => need.authorized(token, Instant::now()),
                    Err(denied) => need.denied(denied, Instant::now()),
                },
                Step::Send(request, open) => match self.send(request).await {
                    Ok(reply) => open.received(reply, Instant::now()),
                    Err(lost) => open.lost(&lost, Instant::now()),
                },
                Step::Wait(until, open) => {
                    sleep_until(until.into()).await;
                    open.elapsed(Instant::now())
                }
                Step::Done(outcome) => return outcome,
            }
        }
    }

    /// The lock is held while a login is in flight, so that any number of captures make one.
    async fn token(&self, wish: TokenRequest<'_>) -> Result<BearerToken, TokenError> {
        let asked = Instant::now();
        let mut shared = self.shared.lock().await;
        match shared.ask(&self.api, wish, asked, Instant::now()) {
            TokenAction::Use(token) => Ok(token),
            TokenAction::Fail(denied) => Err(denied),
            TokenAction::Login(request) => {
                shared.answered(&self.send(request).await, Instant::now())
            }
        }
    }

    async fn send(&self, mut request: wire::Request) -> Result<wire::Response, TransportError> {
        add_headers(&mut request);
        let deadline = (Instant::now() + self.policy.attempt_timeout()).into();
        let reply = timeout_at(deadline, self.http.request(request.map(Full::new))).await;
        let (head, body) =
            reply.map_err(TransportError::maybe_sent)?.map_err(classify)?.into_parts();
        match timeout_at(deadline, Limited::new(body, MAX_BODY).collect()).await {
            Ok(Ok(body)) => Ok(http::Response::from_parts(head, body.to_bytes())),
            Ok(Err(error)) => Err(TransportError::in_reply(head.status, head.headers, error)),
            Err(late) => Err(TransportError::in_reply(head.status, head.headers, late)),
        }
    }
}

/// Only a connection that never came about is "not sent".
fn classify(error: Error) -> TransportError {
    match error.is_connect() {
        true if capture_tls::is_certificate_error(&error) => {
            TransportError::not_sent_for_good(error)
        }
        true => TransportError::not_sent(error),
        false => TransportError::maybe_sent(error),
    }
}
