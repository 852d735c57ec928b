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

use capture_client::driver::TransportError;
use http_body_util::{BodyExt, Limited};
use reqwest::{Proxy, redirect, retry};
use tokio::time::{Instant, sleep, timeout_at};

pub use capture_client::*;
pub use capture_tls::{ClientConfig, client_config};

/// A capture client over reqwest.
pub type Client = capture_client::Client<Reqwest>;

/// reqwest as a transport.
#[derive(Debug)]
pub struct Reqwest(Pool<reqwest::Client>);

impl Reqwest {
    /// Connections with these TLS settings, perhaps through your own proxy: HTTP/1.1 or HTTP/2, no
    /// redirects, no retries by the library, no proxy from the environment, no decompression.
    ///
    /// # Errors
    /// Whatever reqwest reports when it cannot be set up.
    pub fn hardened(mut tls: ClientConfig, proxy: Option<Proxy>) -> Result<Self, BuildError> {
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let make = move || {
            let http = reqwest::Client::builder().tls_backend_preconfigured(tls.clone()).no_proxy();
            let http = http.redirect(redirect::Policy::none()).retry(retry::never());
            let http = http.no_gzip().no_brotli().no_zstd().no_deflate();
            let http = http
                .connect_timeout(driver::CONNECT_TIMEOUT)
                .http1_max_headers(driver::MAX_HEADERS);
            let http = http
                .http2_keep_alive_interval(driver::PING_INTERVAL)
                .http2_keep_alive_while_idle(true);
            let http = http.http2_keep_alive_timeout(driver::PING_TIMEOUT);
            proxy.clone().into_iter().fold(http, reqwest::ClientBuilder::proxy).build()
        };
        Ok(Self(Pool::new(make().map_err(BuildError::new)?, move || make().ok())))
    }
}

/// A client that you configured. Redirects and retries must be off, which reqwest gives no way to
/// see: a followed redirect is noticed by its URL and counts as doubt, retries would make the
/// record of attempts untrue. Its connections are kept, also one on which an attempt timed out.
impl From<reqwest::Client> for Reqwest {
    fn from(http: reqwest::Client) -> Self {
        Self(Pool::new(http, || None))
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
        let send = |http: &reqwest::Client| {
            let (url, reply) = (request.url().clone(), http.execute(request));
            async move {
                let reply = timeout_at(deadline, reply).await;
                let reply = reply.map_err(TransportError::maybe_sent)?.map_err(classify)?;
                if *reply.url() != url {
                    let why = "the HTTP client followed a redirect; turn redirects off";
                    return Err(TransportError::maybe_sent(why));
                }
                let (head, body) = http::Response::from(reply).into_parts();
                let read = async {
                    driver::check_framing(&head.headers)?;
                    timeout_at(deadline, Limited::new(body, driver::MAX_BODY).collect()).await?
                };
                match read.await {
                    Ok(body) => Ok(http::Response::from_parts(head, body.to_bytes())),
                    Err(error) => Err(TransportError::in_reply(head.status, head.headers, error)),
                }
            }
        };
        self.0.send(send).await
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
    let url = reqwest::Url::parse(&url).map_err(TransportError::cannot_be_sent)?;
    let mut request = reqwest::Request::new(head.method, url);
    *request.headers_mut() = head.headers;
    *request.body_mut() = Some(body.into());
    Ok(request)
}

/// Only a connection that was never established is "not sent".
fn classify(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    match error.is_connect() {
        true => capture_tls::not_connected(error),
        false => TransportError::maybe_sent(error),
    }
}
