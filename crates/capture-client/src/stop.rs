//! Stopping captures gracefully, from anywhere.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// Ends captures at once and gracefully: each has an outcome, and an unknown one has its ticket and
/// its attempts, so that another process can resume it.
///
/// An asynchronous request in flight is dropped, and counts as maybe sent. A blocking request cannot
/// be dropped: its capture ends when the request does, at the latest after its attempt timeout.
///
/// ```
/// use std::time::Duration;
/// use capture_client::driver::TransportError;
/// use capture_client::*;
///
/// struct NobodyListens;
/// impl blocking::Transport for NobodyListens {
///     fn send(&self, _: wire::Request, _: Duration) -> Result<wire::Response, TransportError> {
///         Err(TransportError::maybe_sent("no reply"))
///     }
/// }
///
/// let setup = Setup::new(&Environment::Sandbox, BearerToken::new("token-from-oauth2")?);
/// let stop = Stop::new();
/// let client = Client::blocking(setup, NobodyListens).with_stop(&stop);
/// let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
/// let capture =
///     Capture::new(order, Money::parse("100.00", "USD")?, IdempotencyKey::for_order(order));
/// let working = std::thread::spawn(move || client.capture(&capture));
/// stop.stop(); // on SIGTERM, for example
/// let outcome = working.join().expect("no panic");
/// assert!(!matches!(outcome, Outcome::Captured(_)));
/// # Ok::<(), Invalid>(())
/// ```
#[derive(Clone, Default)]
pub struct Stop(Arc<State>);

#[derive(Default)]
struct State {
    stopped: Mutex<bool>,
    sleepers: Condvar,
    waiters: Notify,
}

impl Stop {
    /// A stop that has not happened yet. Clones share it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends every capture of the clients that were given this stop, now and from now on.
    pub fn stop(&self) {
        *self.state() = true;
        self.0.sleepers.notify_all();
        self.0.waiters.notify_waiters();
    }

    /// Whether it has happened.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.state()
    }

    /// Waits until it happens.
    pub async fn stopped(&self) {
        let mut notified = std::pin::pin!(self.0.waiters.notified());
        // Listen before looking, so that a stop in between is not missed.
        notified.as_mut().enable();
        if !self.is_stopped() {
            notified.await;
        }
    }

    /// Blocks for this long, or until it happens.
    pub(crate) fn sleep(&self, time: Duration) {
        let sleep = self.0.sleepers.wait_timeout_while(self.state(), time, |stopped| !*stopped);
        drop(sleep.unwrap_or_else(PoisonError::into_inner));
    }

    fn state(&self) -> MutexGuard<'_, bool> {
        self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.is_stopped()).finish()
    }
}
