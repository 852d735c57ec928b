//! What all connections of a server share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::sync::Semaphore;

use crate::faults::Reply;
use crate::sandbox::Sandbox;
use crate::server::access::Access;

/// Bodies beyond these wait.
const MOST_BODIES: usize = 256;

/// What all connections of a server share.
pub(crate) struct Shared {
    sandbox: Mutex<Sandbox>,
    /// The time, if it stands still.
    clock: Option<SystemTime>,
    access: Access,
    /// Permits for bodies that arrive over HTTP/2, which can be many more than connections.
    pub(crate) bodies: Semaphore,
}

impl Shared {
    /// A sandbox that listens on this port.
    pub(crate) fn new(sandbox: Sandbox, clock: Option<SystemTime>, port: u16) -> Self {
        let access = Access { port, remote: sandbox.world.settings.remote };
        let bodies = Semaphore::new(MOST_BODIES);
        Self { sandbox: Mutex::new(sandbox), clock, access, bodies }
    }

    /// The answer to a request of a client.
    pub(crate) fn handle(&self, request: &Request<Bytes>) -> Reply {
        let refusal = self.access.refusal(request);
        refusal.unwrap_or_else(|| self.sandbox().handle(request, self.now()))
    }

    /// What to do with a request of which only the head has arrived, if it ends there.
    pub(crate) fn handle_head(&self, head: &Request<()>) -> Option<Reply> {
        let refusal = self.access.refusal(head);
        refusal.or_else(|| self.sandbox().handle_head(head, self.now()))
    }

    /// The answer to bytes that are not an acceptable request.
    pub(crate) fn refuse(&self, status: StatusCode) -> Reply {
        self.sandbox().refuse(status, self.now())
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
