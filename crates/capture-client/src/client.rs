//! The client: one for all transports, with what its clones share and what each call may change.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use capture_core::driver::Now;
use capture_core::http::{HeaderName, HeaderValue};
use capture_core::{
    Capture, ListError, Listed, Order, OrderId, OrderStatus, Outcome, Policy, Search, Setup,
    StatusError, Ticket,
};

use crate::call::Call;
use crate::engine::Engine;
use crate::event::Observer;
use crate::settings::Settings;
use crate::stop::Stop;
use crate::transport::Transport;

/// A capture client over the transport `T`.
///
/// Clones share connections, the token, its single login, and the retry budget. The methods that
/// start with `with_` make a clone that differs in one setting: a short policy for a web request
/// beside a long one for a worker, a trace header for one order.
///
/// It keeps no record: store each capture before it is sent, and resume what was stored. Never
/// capture a stored capture afresh.
pub struct Client<T> {
    pub(crate) engine: Arc<Engine>,
    pub(crate) transport: Arc<T>,
    pub(crate) settings: Settings,
}

impl<T> Client<T> {
    pub(crate) fn build(setup: Setup, transport: T) -> Self {
        let Setup { api, shared, policy, max_in_flight, .. } = setup;
        Self {
            engine: Arc::new(Engine::new(api, shared, max_in_flight)),
            transport: Arc::new(transport),
            settings: Settings::new(policy),
        }
    }

    /// The same client with another policy.
    #[must_use]
    pub fn with_policy(&self, policy: Policy) -> Self {
        self.with(|settings| settings.policy = policy)
    }

    /// The same client with this header on every request, such as `traceparent` or a correlation id.
    /// It never replaces a header that Capture sets.
    #[must_use]
    pub fn with_header(&self, name: HeaderName, value: HeaderValue) -> Self {
        self.with(|settings| {
            settings.headers.insert(name, value);
        })
    }

    /// The same client, watched by this observer too.
    #[must_use]
    pub fn with_observer(&self, observer: impl Observer + 'static) -> Self {
        self.with(|settings| settings.observers.push(Arc::new(observer)))
    }

    /// The same client; its captures end once this is stopped, each with its outcome and attempts.
    #[must_use]
    pub fn with_stop(&self, stop: &Stop) -> Self {
        self.with(|settings| settings.stop = Some(stop.clone()))
    }

    /// The time by the clocks that its captures go by.
    #[must_use]
    pub fn now(&self) -> Now {
        self.engine.now()
    }

    fn with(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut client = self.clone();
        change(&mut client.settings);
        client
    }
}

impl<T: Transport> Client<T> {
    /// A client over a transport that you configured.
    #[must_use]
    pub fn over(setup: Setup, transport: T) -> Self {
        Self::build(setup, transport)
    }

    /// Captures, and says what happened. There is no other error.
    ///
    /// **Dropping the future** may leave a request in flight: it counts as maybe sent. Resume the
    /// stored capture with [`Ticket::interrupted`] and [`Client::resume`].
    pub async fn capture(&self, capture: &Capture) -> Outcome {
        self.call().capture(capture).await
    }

    /// Resumes an unknown outcome, beginning with the order's status.
    pub async fn resume(&self, ticket: Ticket) -> Outcome {
        self.call().resume(ticket).await
    }

    /// Reads the definitive status of an order.
    ///
    /// # Errors
    /// When no token is available, no complete reply came, or it does not describe this order.
    pub async fn status(&self, order: OrderId) -> Result<OrderStatus, StatusError> {
        self.order(order).await.map(|order| order.status)
    }

    /// Reads what the API shows of an order: its status, and its currency where that is shown.
    ///
    /// # Errors
    /// As for [`status`](Self::status).
    pub async fn order(&self, order: OrderId) -> Result<Order, StatusError> {
        self.call().order(order).await
    }

    /// Reads which orders wait for their capture, page by page.
    ///
    /// # Errors
    /// When no token is available, a page does not come or cannot be read, or the list does not end.
    pub async fn waiting_orders(&self, search: &Search) -> Result<Listed, ListError> {
        self.call().waiting_orders(search).await
    }

    /// Waits this long, by the transport's timer.
    pub async fn sleep(&self, time: Duration) {
        self.transport.sleep(time).await;
    }

    fn call(&self) -> Call<'_, T> {
        Call { engine: &self.engine, transport: &*self.transport, settings: &self.settings }
    }
}

impl<T> Clone for Client<T> {
    fn clone(&self) -> Self {
        Self {
            engine: Arc::clone(&self.engine),
            transport: Arc::clone(&self.transport),
            settings: self.settings.clone(),
        }
    }
}

impl<T> fmt::Debug for Client<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("engine", &self.engine)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
