//! What all clones of a client share: the API, the clock, the token and the retry budget.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use capture_core::driver::{Api, Now, Shared};
use tokio::sync;

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) api: Api,
    /// Held while a login is in flight, so that any number of captures share one.
    pub(crate) login: sync::Mutex<()>,
    places: sync::Semaphore,
    shared: Mutex<Shared>,
    began: Instant,
}

impl Engine {
    pub(crate) fn new(api: Api, shared: Shared, max_in_flight: NonZeroU32) -> Self {
        let (login, shared) = (sync::Mutex::new(()), Mutex::new(shared));
        let places = sync::Semaphore::new(max_in_flight.get() as usize);
        Self { api, login, places, shared, began: Instant::now() }
    }

    pub(crate) fn now(&self) -> Now {
        Now::new(self.began.elapsed(), SystemTime::now())
    }

    /// One of the places for captures that are sent at a time. Waiting for it is no part of an attempt.
    pub(crate) async fn place(&self) -> sync::SemaphorePermit<'_> {
        self.places.acquire().await.expect("never closed")
    }

    /// Never held across an await.
    pub(crate) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
