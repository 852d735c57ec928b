//! The three adapters behind one interface, each driven as its users drive it.

use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use capture_conformance::parallel::side_by_side;
use capture_core::{
    Capture, ListError, Listed, OrderId, OrderStatus, Outcome, Search, Setup, StatusError, Ticket,
};
use rustls::pki_types::CertificateDer;
use tokio::runtime::{Builder, Runtime};

use super::canaries;

/// A client over one adapter. The constants are all the differences there are; each is pinned by a
/// test and described in `docs/adapters.md`.
pub(crate) trait Driver: Sized + Send + Sync + Debug + 'static {
    /// Whether the HTTP library can speak HTTP/2.
    const HTTP2: bool;
    /// Whether it notices that TLS ended without a `close_notify`.
    const SEES_TRUNCATION: bool;
    /// Log targets that must appear; `ureq_proto::util` logs, at trace level, every byte that it sends and receives.
    const LOGS: &[&str];
    /// Whether the library silently replaces a pooled connection that it finds dead at the last moment.
    const REPEATS_THE_UNWRITTEN: bool;
    /// Whether its futures can be dropped.
    const ASYNC: bool;

    /// The adapter's own client, with its hardening.
    fn new(setup: Setup) -> Self;
    /// A client of the user's own that trusts this authority and nobody else.
    fn trusting(setup: Setup, authority: CertificateDer<'static>) -> Self;
    fn capture(&self, capture: &Capture) -> Outcome;
    fn resume(&self, ticket: Ticket) -> Outcome;
    fn status(&self, order: OrderId) -> Result<OrderStatus, StatusError>;
    fn waiting_orders(&self, search: &Search) -> Result<Listed, ListError>;
    /// Captures, unless the future is dropped after so many polls.
    fn capture_for(&self, capture: &Capture, polls: usize) -> Option<Outcome>;
    /// All of these, so many at a time, through this one client.
    fn crowd(&self, captures: &[Capture], at_a_time: usize) -> Vec<Outcome>;
    /// Lets the connections notice what happened to them.
    fn settle(&self);
    /// Captures at the moment when the connections could notice.
    fn capture_unsettled(&self, capture: &Capture) -> Outcome;
}

/// An async client and a runtime of its own, of one thread: what the client spawned moves only while
/// something is being waited for, so that every run is the same.
#[derive(Debug)]
pub(crate) struct Async<C> {
    client: C,
    runtime: Runtime,
}

pub(crate) type Reqwest = Async<capture_reqwest::Client>;
pub(crate) type Hyper = Async<capture_hyper::Client>;

impl<C> Async<C> {
    pub(crate) fn of(make: impl FnOnce() -> C) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = {
            let _inside = runtime.enter();
            make()
        };
        Self { client, runtime }
    }

    /// Advances the runtime's clock by this much, and then lets it run again. The machine uses another
    /// clock.
    pub(crate) fn pass(&self, time: Duration) {
        self.runtime.block_on(async {
            tokio::time::pause();
            tokio::time::advance(time).await;
            tokio::time::resume();
        });
    }
}

/// Both async clients have the same methods but share no trait, so this cannot be generic.
macro_rules! asynchronous {
    ($Client:ty) => {
        fn capture(&self, capture: &Capture) -> Outcome {
            self.runtime.block_on(self.client.capture(capture))
        }

        fn resume(&self, ticket: Ticket) -> Outcome {
            self.runtime.block_on(self.client.resume(ticket))
        }

        fn status(&self, order: OrderId) -> Result<OrderStatus, StatusError> {
            self.runtime.block_on(self.client.status(order))
        }

        fn waiting_orders(&self, search: &Search) -> Result<Listed, ListError> {
            self.runtime.block_on(self.client.waiting_orders(search))
        }

        fn capture_for(&self, capture: &Capture, polls: usize) -> Option<Outcome> {
            self.runtime.block_on(at_most(polls, self.client.capture(capture)))
        }

        fn crowd(&self, captures: &[Capture], at_a_time: usize) -> Vec<Outcome> {
            let gate = Arc::new(tokio::sync::Semaphore::new(at_a_time));
            let run = |capture: Capture| {
                let (client, gate) = (self.client.clone(), Arc::clone(&gate));
                self.runtime.spawn(async move {
                    let _pass = gate.acquire().await.expect("never closed");
                    client.capture(&capture).await
                })
            };
            let tasks: Vec<_> = captures.iter().copied().map(run).collect();
            self.runtime.block_on(async {
                let mut outcomes = Vec::new();
                for task in tasks {
                    outcomes.push(task.await.expect("no panic"));
                }
                outcomes
            })
        }

        fn capture_unsettled(&self, capture: &Capture) -> Outcome {
            // The turn looks at the sockets; then this runs before what they woke.
            self.runtime.block_on(async {
                tokio::task::yield_now().await;
                self.client.capture(capture).await
            })
        }

        fn settle(&self) {
            // Each turn lets the runtime look at its sockets and run what they woke.
            self.runtime.block_on(async {
                for _ in 0..200 {
                    tokio::task::yield_now().await;
                }
            });
        }
    };
}

impl Driver for Reqwest {
    const HTTP2: bool = true;
    const SEES_TRUNCATION: bool = true;
    const LOGS: &[&str] = &["reqwest::connect", "rustls::client::hs", "h2::frame::headers"];
    const REPEATS_THE_UNWRITTEN: bool = true;
    const ASYNC: bool = true;

    fn new(setup: Setup) -> Self {
        Self::of(|| {
            capture_reqwest::Client::new(setup).expect("a client").with_observer(canaries::see)
        })
    }

    fn trusting(setup: Setup, authority: CertificateDer<'static>) -> Self {
        let http = capture_reqwest::Reqwest::hardened(client_config(authority), None);
        Self::of(|| capture_reqwest::Client::over(setup, http.expect("a client")))
    }

    asynchronous!(capture_reqwest::Client);
}

impl Driver for Hyper {
    const HTTP2: bool = true;
    const SEES_TRUNCATION: bool = true;
    const LOGS: &[&str] = &["hyper_util::client::legacy::pool", "h2::frame::headers"];
    const REPEATS_THE_UNWRITTEN: bool = false;
    const ASYNC: bool = true;

    fn new(setup: Setup) -> Self {
        Self::of(|| {
            capture_hyper::Client::new(setup).expect("a client").with_observer(canaries::see)
        })
    }

    fn trusting(setup: Setup, authority: CertificateDer<'static>) -> Self {
        let connector = capture_hyper::Connector::new(client_config(authority));
        Self::of(|| capture_hyper::Client::over(setup, capture_hyper::Hyper::over(connector)))
    }

    asynchronous!(capture_hyper::Client);
}

/// The blocking client as it is.
#[derive(Debug)]
pub(crate) struct Ureq(capture_ureq::Client);

impl Driver for Ureq {
    const HTTP2: bool = false;
    const SEES_TRUNCATION: bool = false;
    const LOGS: &[&str] = &["ureq::run", "ureq_proto::util", "rustls::client::hs"];
    const REPEATS_THE_UNWRITTEN: bool = true;
    const ASYNC: bool = false;

    fn new(setup: Setup) -> Self {
        Self(capture_ureq::Client::new(setup).expect("a client").with_observer(canaries::see))
    }

    fn trusting(setup: Setup, authority: CertificateDer<'static>) -> Self {
        let authority = ureq::tls::Certificate::from_der(&authority).to_owned();
        let roots = ureq::tls::RootCerts::new_with_certs(&[authority]);
        Self(capture_ureq::Client::blocking(setup, capture_ureq::Ureq::hardened(roots, None)))
    }

    fn capture(&self, capture: &Capture) -> Outcome {
        self.0.capture(capture)
    }

    fn resume(&self, ticket: Ticket) -> Outcome {
        self.0.resume(ticket)
    }

    fn status(&self, order: OrderId) -> Result<OrderStatus, StatusError> {
        self.0.status(order)
    }

    fn waiting_orders(&self, search: &Search) -> Result<Listed, ListError> {
        self.0.waiting_orders(search)
    }

    fn capture_for(&self, capture: &Capture, _polls: usize) -> Option<Outcome> {
        Some(self.0.capture(capture))
    }

    fn crowd(&self, captures: &[Capture], at_a_time: usize) -> Vec<Outcome> {
        side_by_side(captures, at_a_time.min(32), |capture| self.0.capture(capture))
    }

    fn settle(&self) {}

    fn capture_unsettled(&self, capture: &Capture) -> Outcome {
        self.0.capture(capture)
    }
}

/// The future's result, unless it needs more polls than these; then it is dropped.
async fn at_most<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left <= 1 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Runs one future to its end.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

pub(crate) fn client_config(authority: CertificateDer<'static>) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority).expect("a certificate");
    rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
