//! Capture for async Rust: the capture machine of `capture-core` over [`reqwest`].
//!
//! ```
//! use capture_reqwest::{Capture, Client, IdempotencyKey, Money, Outcome, Setup};
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

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use capture_tls::ClientConfig;
use reqwest::{redirect, retry};
use tokio::sync::Mutex;
use tokio::time::{sleep_until, timeout_at};

pub use capture_core::*;

/// A capture client. Clones share connections, the token and its single login.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    api: Api,
    policy: Policy,
    shared: Arc<Mutex<Shared>>,
}

/// The client could not be built: the system's roots could not be read, or its TLS not set up.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up")]
pub struct BuildError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Client {
    /// A client with connections of its own, [`hardened`], under the roots of this crate's features.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(setup: Setup) -> Result<Self, BuildError> {
        let tls = capture_tls::client_config().map_err(|error| BuildError(error.into()))?;
        let http = hardened(tls).build().map_err(|error| BuildError(error.into()))?;
        Ok(Self::with_http(setup, http))
    }

    /// A client over connections that you configured; begin with [`hardened`].
    ///
    /// reqwest gives no way to see redirects and retries, which must be off. A followed redirect is
    /// noticed by its URL and counts as doubt; retries would make the record of attempts untrue.
    #[must_use]
    pub fn with_http(setup: Setup, http: reqwest::Client) -> Self {
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
            let token = self.token(query.token_request()).await?;
            let answer = self.send(query.request(token)).await;
            if let Some(result) = query.answered(answer) {
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

    /// A token other than the refused one. The lock is held while a login is in flight, so that any
    /// number of captures make one.
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
        let request = convert(request)?;
        let url = request.url().clone();
        let reply = timeout_at(deadline, self.http.execute(request)).await;
        let mut reply = reply.map_err(TransportError::maybe_sent)?.map_err(classify)?;
        if *reply.url() != url {
            return Err(TransportError::maybe_sent(
                "the HTTP client followed a redirect; turn redirects off",
            ));
        }
        let (status, version) = (reply.status(), reply.version());
        let headers = std::mem::take(reply.headers_mut());
        let length = reply.content_length().map_or(0, |length| length.min(MAX_BODY as u64));
        let mut body = Vec::with_capacity(length as usize);
        loop {
            match timeout_at(deadline, reply.chunk()).await {
                Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                Ok(Ok(None)) => break,
                Ok(Err(error)) => {
                    return Err(TransportError::in_reply(status, headers, error.without_url()));
                }
                Err(late) => return Err(TransportError::in_reply(status, headers, late)),
            }
            if body.len() > MAX_BODY {
                return Err(TransportError::in_reply(
                    status,
                    headers,
                    "the body is longer than 1 MiB",
                ));
            }
        }
        let mut response = http::Response::new(Bytes::from(body));
        (*response.status_mut(), *response.version_mut()) = (status, version);
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// What [`Client::new`] is built from, for a client with a private CA, a proxy or a pool of your own:
/// HTTP/1.1 or HTTP/2 over this TLS, no redirects, no library retries, no proxy from the
/// environment, no decompression.
pub fn hardened(mut tls: ClientConfig) -> reqwest::ClientBuilder {
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy();
    let http = http.redirect(redirect::Policy::none()).retry(retry::never());
    http.no_gzip().no_brotli().no_zstd().no_deflate().connect_timeout(CONNECT_TIMEOUT)
}

/// reqwest's own conversion writes the URL in several pieces, each with an allocation.
fn convert(request: wire::Request) -> Result<reqwest::Request, TransportError> {
    let (head, body) = request.into_parts();
    let mut url = String::with_capacity(256);
    let _ = write!(url, "{}", head.uri); // a String takes every write
    let url = reqwest::Url::parse(&url).map_err(TransportError::not_sent_for_good)?;
    let mut request = reqwest::Request::new(head.method, url);
    *request.headers_mut() = head.headers;
    *request.body_mut() = Some(body.into());
    Ok(request)
}

/// Only a connection that never came about is "not sent".
fn classify(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    match error.is_connect() {
        true if capture_tls::is_certificate_error(&error) => {
            TransportError::not_sent_for_good(error)
        }
        true => TransportError::not_sent(error),
        false => TransportError::maybe_sent(error),
    }
}
