//! Capture for async Rust: the client of `capture-client` over [`reqwest`].
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
//! // Store `capture` here. If it is already stored, resume it instead: Ticket::interrupted.
//!
//! match client.capture(&capture).await {
//!     Outcome::Captured(receipt) => println!("{}", receipt.next_step()),
//!     Outcome::NotCaptured(refusal) => println!("{}", refusal.next_step()),
//!     Outcome::Unknown(ticket) => println!("store it, resume it later: {}", ticket.next_step()),
//! }
//! # assert_eq!(sandbox.ledger().captures(order), 1);
//! # Ok(())
//! # }
//! ```

use std::fmt::Write as _;
use std::time::Duration;

use capture_client::driver::{CONNECT_TIMEOUT, MAX_BODY, TransportError};
use reqwest::{Proxy, redirect, retry};
use tokio::time::{Instant, sleep, timeout_at};

pub use capture_client::*;
pub use capture_tls::{ClientConfig, client_config};

/// A capture client over reqwest.
pub type Client = capture_client::Client<Reqwest>;

/// reqwest as a transport.
#[derive(Debug, Clone)]
pub struct Reqwest(reqwest::Client);

impl Reqwest {
    /// Connections with these TLS settings, perhaps through your own proxy: HTTP/1.1 or HTTP/2, no
    /// redirects, no retries by the library, no proxy from the environment, no decompression.
    ///
    /// # Errors
    /// Whatever reqwest reports when it cannot be set up.
    pub fn hardened(mut tls: ClientConfig, proxy: Option<Proxy>) -> Result<Self, BuildError> {
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy();
        let http = http.redirect(redirect::Policy::none()).retry(retry::never());
        let http = http.no_gzip().no_brotli().no_zstd().no_deflate();
        let http = http.connect_timeout(CONNECT_TIMEOUT);
        let http = proxy.into_iter().fold(http, reqwest::ClientBuilder::proxy);
        http.build().map(Self).map_err(BuildError::new)
    }
}

/// A client that you configured. Redirects and retries must be off, which reqwest gives no way to
/// check: a followed redirect is noticed by its URL and counts as doubt, while retries would make the
/// record of attempts untrue.
impl From<reqwest::Client> for Reqwest {
    fn from(http: reqwest::Client) -> Self {
        Self(http)
    }
}

impl Connect for Reqwest {
    fn connect(pem: &[u8]) -> Result<Self, BuildError> {
        Self::hardened(client_config(pem).map_err(BuildError::new)?, None)
    }
}

impl Transport for Reqwest {
    async fn send(
        &self,
        request: wire::Request,
        timeout: Duration,
    ) -> Result<wire::Response, TransportError> {
        let deadline = Instant::now() + timeout;
        let request = convert(request)?;
        let url = request.url().clone();
        let reply = timeout_at(deadline, self.0.execute(request)).await;
        let mut reply = reply.map_err(TransportError::maybe_sent)?.map_err(classify)?;
        if *reply.url() != url {
            let why = "the HTTP client followed a redirect; turn redirects off";
            return Err(TransportError::maybe_sent(why));
        }
        let (status, version) = (reply.status(), reply.version());
        let headers = std::mem::take(reply.headers_mut());
        let length = reply.content_length().map_or(0, |length| length.min(MAX_BODY as u64));
        let mut body = Vec::with_capacity(length as usize);
        let broken: Box<dyn std::error::Error + Send + Sync> = loop {
            match timeout_at(deadline, reply.chunk()).await {
                Ok(Ok(Some(chunk))) if body.len() + chunk.len() <= MAX_BODY => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Ok(Some(_))) => break "the body is longer than 1 MiB".into(),
                Ok(Ok(None)) => {
                    let mut response = http::Response::new(body.into());
                    (*response.status_mut(), *response.version_mut()) = (status, version);
                    *response.headers_mut() = headers;
                    return Ok(response);
                }
                Ok(Err(error)) => break error.without_url().into(),
                Err(late) => break late.into(),
            }
        };
        Err(TransportError::in_reply(status, headers, broken))
    }

    async fn sleep(&self, time: Duration) {
        sleep(time).await;
    }
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

/// Only a connection that was never established is "not sent".
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
