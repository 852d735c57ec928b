//! The client for code that blocks: the same loop, behind plain functions.

use std::time::Duration;

use capture_core::driver::TransportError;
use capture_core::wire::{Request, Response};
use capture_core::{
    Capture, ListError, Listed, Order, OrderId, OrderStatus, Outcome, Search, Setup, StatusError,
    Ticket,
};

use crate::call::Call;
use crate::connect::{BuildError, Connect};
use crate::stop::Stop;

/// A blocking HTTP library: it sends one request.
///
/// Its duties are in `docs/adapters.md`, A1 to A12; see [`crate::Transport`].
pub trait Transport: Send + Sync {
    /// Sends this request and reads the whole reply, in at most this time. The request is complete:
    /// nothing needs to be added.
    ///
    /// # Errors
    /// An honest account of why there is no complete reply.
    fn send(&self, request: Request, timeout: Duration) -> Result<Response, TransportError>;
}

/// A blocking capture client over the transport `T`; see [`crate::Client`] for what clones share.
pub type Client<T> = crate::Client<Blocking<T>>;

/// Marks a transport that blocks.
#[derive(Debug)]
pub struct Blocking<T>(T);

impl<T: Transport> Client<T> {
    /// A blocking client over a transport that you configured.
    #[must_use]
    pub fn blocking(setup: Setup, transport: T) -> Self {
        Self::build(setup, Blocking(transport))
    }

    /// Captures, and says what happened. There is no other error.
    pub fn capture(&self, capture: &Capture) -> Outcome {
        pollster::block_on(self.blocking_call(&self.thread()).capture(capture))
    }

    /// Resumes an unknown outcome, beginning with the order's status.
    pub fn resume(&self, ticket: Ticket) -> Outcome {
        pollster::block_on(self.blocking_call(&self.thread()).resume(ticket))
    }

    /// Reads the definitive status of an order.
    ///
    /// # Errors
    /// When no token is available, no complete reply came, or it does not describe this order.
    pub fn status(&self, order: OrderId) -> Result<OrderStatus, StatusError> {
        self.order(order).map(|order| order.status)
    }

    /// Reads what the API shows of an order: its status, and its currency where that is shown.
    ///
    /// # Errors
    /// As for [`status`](Self::status).
    pub fn order(&self, order: OrderId) -> Result<Order, StatusError> {
        pollster::block_on(self.blocking_call(&self.thread()).order(order))
    }

    /// Reads which orders wait for their capture, page by page.
    ///
    /// # Errors
    /// When no token is available, a page does not come or cannot be read, or the list does not end.
    pub fn waiting_orders(&self, search: &Search) -> Result<Listed, ListError> {
        pollster::block_on(self.blocking_call(&self.thread()).waiting_orders(search))
    }

    fn thread(&self) -> Thread<'_, T> {
        Thread { transport: &self.transport.0, stop: self.settings.stop.as_ref() }
    }

    fn blocking_call<'c>(&'c self, thread: &'c Thread<'c, T>) -> Call<'c, Thread<'c, T>> {
        Call { engine: &self.engine, transport: thread, settings: &self.settings }
    }
}

impl<T: Connect> Connect for Blocking<T> {
    fn connect(pem: &[u8]) -> Result<Self, BuildError> {
        T::connect(pem).map(Self)
    }
}

/// A thread that blocks in the transport and in every wait: its futures are ready at once.
struct Thread<'c, T> {
    transport: &'c T,
    stop: Option<&'c Stop>,
}

impl<T: Transport> crate::Transport for Thread<'_, T> {
    async fn send(&self, request: Request, timeout: Duration) -> Result<Response, TransportError> {
        self.transport.send(request, timeout)
    }

    async fn sleep(&self, time: Duration) {
        match self.stop {
            Some(stop) => stop.sleep(time),
            None => std::thread::sleep(time),
        }
    }
}
