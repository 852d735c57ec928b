//! What all connections of a server share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::Semaphore;

use crate::sandbox::Sandbox;

/// Bodies beyond these wait.
const MOST_BODIES: usize = 256;

/// What all connections of a server share.
pub(crate) struct Shared {
    sandbox: Mutex<Sandbox>,
    /// The time, if it stands still.
    clock: Option<SystemTime>,
    /// Permits for bodies that arrive over HTTP/2, which can be many more than connections.
    pub(crate) bodies: Semaphore,
}

impl Shared {
    pub(crate) fn new(sandbox: Sandbox, clock: Option<SystemTime>) -> Self {
        let bodies = Semaphore::new(MOST_BODIES);
        Self { sandbox: Mutex::new(sandbox), clock, bodies }
    }

    /// The time that the sandbox is told.
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.unwrap_or_else(SystemTime::now)
    }

    /// The sandbox, locked for as long as the guard lives. Never await while holding it.
    pub(crate) fn sandbox(&self) -> MutexGuard<'_, Sandbox> {
        self.sandbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
