//! One client over any of the three transports: the only place that knows there are three.

use std::error::Error;
use std::time::Duration;

use capture_client::driver::TransportError;
use capture_client::{Observer, Stop, blocking, wire};
use capture_core::{
    Capture, ListError, Listed, Order, OrderId, OrderStatus, Outcome, Search, Setup, StatusError,
};
use capture_journal::{Durable, DurableError, End, News, Pace, Recorded, RunError};
use capture_ureq::Ureq;
use futures_util::future::join_all;
use tokio::runtime::{Builder, Runtime};
use tokio::task::spawn_blocking;

use crate::args::Transport;
use crate::config::BadInput;
use crate::connections::{self, Connections};
use crate::route::Route;
use crate::store::Store;

/// A client that blocks, whatever it runs on.
pub(crate) struct Client {
    /// Taken when the client is dropped.
    runtime: Option<Runtime>,
    over: Over,
}

#[allow(clippy::large_enum_variant, reason = "one value exists, and it lives on the stack")]
enum Over {
    Reqwest(capture_reqwest::Client),
    Ureq(capture_client::Client<OnThread>),
    Hyper(capture_hyper::Client<Connections>),
}

impl Client {
    /// Connects nothing yet; it fails where TLS, the proxy or the runtime cannot be set up.
    pub(crate) fn new(transport: Transport, setup: Setup, route: &Route) -> Result<Self, BadInput> {
        let over = match transport {
            Transport::Reqwest => connections::reqwest(route)
                .map(|http| Over::Reqwest(capture_reqwest::Client::over(setup, http))),
            Transport::Ureq => connections::ureq(route)
                .map(|http| Over::Ureq(capture_client::Client::over(setup, OnThread(http)))),
            Transport::Hyper => connections::hyper(route)
                .map(|http| Over::Hyper(capture_hyper::Client::over(setup, http))),
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(not_set_up)?;
        Ok(Self { runtime: Some(runtime), over: over.map_err(not_set_up)? })
    }

    /// The same client, whose captures this stop ends.
    pub(crate) fn with_stop(mut self, stop: &Stop) -> Self {
        self.over = match &self.over {
            Over::Reqwest(client) => Over::Reqwest(client.with_stop(stop)),
            Over::Ureq(client) => Over::Ureq(client.with_stop(stop)),
            Over::Hyper(client) => Over::Hyper(client.with_stop(stop)),
        };
        self
    }

    /// The same client, watched.
    pub(crate) fn with_observer(mut self, observer: impl Observer + Clone + 'static) -> Self {
        self.over = match &self.over {
            Over::Reqwest(client) => Over::Reqwest(client.with_observer(observer)),
            Over::Ureq(client) => Over::Ureq(client.with_observer(observer)),
            Over::Hyper(client) => Over::Hyper(client.with_observer(observer)),
        };
        self
    }

    pub(crate) fn capture(&self, capture: &Capture) -> Outcome {
        match &self.over {
            Over::Reqwest(client) => self.block_on(client.capture(capture)),
            Over::Ureq(client) => self.block_on(client.capture(capture)),
            Over::Hyper(client) => self.block_on(client.capture(capture)),
        }
    }

    /// Captures once, whatever became of earlier runs.
    pub(crate) fn durably(
        &self,
        journal: Store,
        capture: &Capture,
    ) -> Result<Recorded, DurableError> {
        match &self.over {
            Over::Reqwest(client) => self.record(client.clone(), journal, capture),
            Over::Ureq(client) => self.record(client.clone(), journal, capture),
            Over::Hyper(client) => self.record(client.clone(), journal, capture),
        }
    }

    fn record<T: capture_client::Transport>(
        &self,
        client: capture_client::Client<T>,
        journal: Store,
        capture: &Capture,
    ) -> Result<Recorded, DurableError> {
        self.block_on(Durable::new(client, journal).capture(capture))
    }

    /// Works off what is in the journal.
    pub(crate) fn run(
        &self,
        journal: Store,
        pace: &Pace,
        stop: &Stop,
        news: impl FnMut(News<'_>),
    ) -> Result<End, RunError> {
        match &self.over {
            Over::Reqwest(client) => {
                self.block_on(Durable::new(client.clone(), journal).run(pace, stop, news))
            }
            Over::Ureq(client) => {
                self.block_on(Durable::new(client.clone(), journal).run(pace, stop, news))
            }
            Over::Hyper(client) => {
                self.block_on(Durable::new(client.clone(), journal).run(pace, stop, news))
            }
        }
    }

    pub(crate) fn status(&self, order: OrderId) -> Result<OrderStatus, StatusError> {
        match &self.over {
            Over::Reqwest(client) => self.block_on(client.status(order)),
            Over::Ureq(client) => self.block_on(client.status(order)),
            Over::Hyper(client) => self.block_on(client.status(order)),
        }
    }

    /// What the API shows of these orders, all asked for at once.
    pub(crate) fn orders(&self, orders: &[OrderId]) -> Vec<Result<Order, StatusError>> {
        let orders = orders.iter();
        match &self.over {
            Over::Reqwest(client) => self.block_on(join_all(orders.map(|it| client.order(*it)))),
            Over::Ureq(client) => self.block_on(join_all(orders.map(|it| client.order(*it)))),
            Over::Hyper(client) => self.block_on(join_all(orders.map(|it| client.order(*it)))),
        }
    }

    pub(crate) fn waiting_orders(&self, search: &Search) -> Result<Listed, ListError> {
        match &self.over {
            Over::Reqwest(client) => self.block_on(client.waiting_orders(search)),
            Over::Ureq(client) => self.block_on(client.waiting_orders(search)),
            Over::Hyper(client) => self.block_on(client.waiting_orders(search)),
        }
    }

    fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("taken on drop only").block_on(work)
    }
}

/// A name resolution or a blocking request cannot be cancelled. A runtime that is merely dropped waits
/// for it, long after the outcome was reported.
impl Drop for Client {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// ureq on a thread of its own, so that Ctrl-C need not wait for its request.
#[derive(Clone)]
struct OnThread(Ureq);

impl capture_client::Transport for OnThread {
    async fn send(
        &self,
        request: wire::Request,
        timeout: Duration,
    ) -> Result<wire::Response, TransportError> {
        let Self(ureq) = self.clone();
        let sent = spawn_blocking(move || blocking::Transport::send(&ureq, request, timeout));
        sent.await.unwrap_or_else(|panicked| Err(TransportError::maybe_sent(panicked)))
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

fn not_set_up(error: impl Into<Box<dyn Error + Send + Sync>>) -> BadInput {
    let error = error.into();
    BadInput::new("transport", format!("transport: {}", capture_core::one_line(&*error)))
}
