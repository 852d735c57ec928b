//! Who is alive: an opening whose lease has not run out, by the database's clock alone.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use capture_journal::Holder;

use crate::session::Session;

/// How often it looks whether the server said something.
const LISTENS: Duration = Duration::from_millis(50);

/// How often it looks whether it listens by now.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// Renews the lease while no turn does, and hears what the server says, until it is told to stop or the journal is
/// closed.
pub(crate) fn beat(session: &Mutex<Session>, stop: &Receiver<()>, every: Duration) {
    let (mut renewed_at, mut wait) = (Instant::now(), every.min(FIRST_LOOK));
    while stop.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        let mut session = match session.try_lock() {
            Ok(session) => session,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // A turn is being made, and renews it.
            Err(TryLockError::WouldBlock) => continue,
        };
        if renewed_at.elapsed() >= every {
            if session.renew().is_err() {
                return;
            }
            renewed_at = Instant::now();
        }
        let is_listening = session.is_listening();
        if is_listening {
            session.listen();
        }
        wait = if is_listening { LISTENS } else { every.min(FIRST_LOOK) };
    }
}

/// Gives the lease back, so that nobody waits for it to run out.
pub(crate) fn end(session: &Mutex<Session>) {
    session.lock().unwrap_or_else(PoisonError::into_inner).end();
}

/// This process.
pub(crate) fn this() -> Holder {
    #[cfg(unix)]
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let host = std::env::var("COMPUTERNAME").unwrap_or_default();
    Holder { host, process: std::process::id() }
}
