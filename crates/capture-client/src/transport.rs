//! What an asynchronous HTTP library owes the client.

use std::time::Duration;

use capture_core::driver::TransportError;
use capture_core::wire::{Request, Response};

/// An asynchronous HTTP library: it sends one request, and it can wait.
///
/// Its duties are in `docs/adapters.md`, A1 to A12. In short: no redirects, no retries, no decoding;
/// *not sent* only where that is proven ([`TransportError`]); at most
/// [`MAX_BODY`](capture_core::driver::MAX_BODY) bytes of body; https unless loopback; status and
/// headers are handed over even if the body breaks.
pub trait Transport: Send + Sync {
    /// Sends this request and reads the whole reply, in at most this time. The request is complete:
    /// nothing needs to be added.
    fn send(
        &self,
        request: Request,
        timeout: Duration,
    ) -> impl Future<Output = Result<Response, TransportError>> + Send;

    /// Waits this long.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;
}
