//! What all clones of a client share: the API, the clock, the token and the retry budget.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use capture_core::driver::{Api, Now, Shared};
use tokio::sync;

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) api: Api,
    /// Held while a login is in flight, so that any number of captures share one.
    pub(crate) login: sync::Mutex<()>,
    shared: Mutex<Shared>,
    began: Instant,
}

impl Engine {
    pub(crate) fn new(api: Api, shared: Shared) -> Self {
        let (login, shared) = (sync::Mutex::new(()), Mutex::new(shared));
        Self { api, login, shared, began: Instant::now() }
    }

    pub(crate) fn now(&self) -> Now {
        Now::new(self.began.elapsed(), SystemTime::now())
    }

    /// Never held across an await.
    pub(crate) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
