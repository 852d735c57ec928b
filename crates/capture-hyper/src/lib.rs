//! Capture over any connection: the client of `capture-client` over hyper and a connector of your
//! choice.
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
//! let client: Client = Client::new(Setup::new(&sandbox.environment(), sandbox.credentials()))?;
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

mod connector;

use std::time::Duration;

use bytes::Bytes;
use capture_client::driver::TransportError;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::{self, Error, connect};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, sleep, timeout_at};

pub use capture_client::*;
pub use capture_tls::{ClientConfig, client_config};
pub use connector::Connector;

/// A capture client over hyper and the connector `C`.
pub type Client<C = Connector> = capture_client::Client<Hyper<C>>;

/// hyper's pooled client as a transport.
#[derive(Debug)]
pub struct Hyper<C = Connector>(Pool<legacy::Client<C, Full<Bytes>>>);

impl<C: connect::Connect + Clone + Send + Sync + 'static> Hyper<C> {
    /// Connections made by a connector of your own. It should set TCP nodelay and a connect timeout,
    /// as [`Connector`] does.
    pub fn over(connector: C) -> Self {
        let mut http = legacy::Client::builder(TokioExecutor::new());
        http.retry_canceled_requests(false); // the machine counts every send
        http.pool_timer(TokioTimer::new()).timer(TokioTimer::new()); // for idle connections and pings
        http.http1_max_headers(driver::MAX_HEADERS);
        http.http2_keep_alive_interval(driver::PING_INTERVAL).http2_keep_alive_while_idle(true);
        http.http2_keep_alive_timeout(driver::PING_TIMEOUT);
        let make = move || http.build(connector.clone());
        Self(Pool::new(make(), move || Some(make())))
    }
}

impl Connect for Hyper {
    fn connect(pem: &[u8]) -> Result<Self, BuildError> {
        client_config(pem).map(Connector::new).map(Self::over).map_err(BuildError::new)
    }
}

impl<C: connect::Connect + Clone + Send + Sync + 'static> Transport for Hyper<C> {
    fn send(
        &self,
        request: wire::Request,
        timeout: Duration,
    ) -> impl Future<Output = Result<wire::Response, TransportError>> + Send {
        let deadline = Instant::now() + timeout;
        self.0.send(move |http| {
            let reply = timeout_at(deadline, http.request(request.map(Full::new)));
            async move {
                let reply = reply.await.map_err(TransportError::maybe_sent)?.map_err(classify)?;
                let (head, body) = reply.into_parts();
                let read = async {
                    driver::check_framing(&head.headers)?;
                    timeout_at(deadline, Limited::new(body, driver::MAX_BODY).collect()).await?
                };
                match read.await {
                    Ok(body) => Ok(http::Response::from_parts(head, body.to_bytes())),
                    Err(error) => Err(TransportError::in_reply(head.status, head.headers, error)),
                }
            }
        })
    }

    async fn sleep(&self, time: Duration) {
        sleep(time).await;
    }
}

/// Only a connection that was never established is "not sent".
fn classify(error: Error) -> TransportError {
    match error.is_connect() {
        true => capture_tls::not_connected(error),
        false => TransportError::maybe_sent(error),
    }
}
