//! What the threads of one server share: its dialogue, and what came in.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::AtomicBool;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::dialogue::{Dialogue, Seen};
use super::link::Handshake;

pub(super) struct Shared {
    pub(super) address: SocketAddr,
    pub(super) trap: Option<SocketAddr>,
    pub(super) handshake: Option<Handshake>,
    pub(super) dialogue: Dialogue,
    pub(super) seen: Mutex<Vec<Seen>>,
    /// A second handle on each open connection, to end it from outside.
    pub(super) open: Mutex<BTreeMap<usize, TcpStream>>,
    pub(super) accepted: Mutex<usize>,
    /// How many connections are in the middle of an act.
    pub(super) acting: Mutex<usize>,
    pub(super) still: Condvar,
    /// How many connections clients have ended between two requests.
    pub(super) left: Mutex<usize>,
    pub(super) gone: Condvar,
    pub(super) stopped: AtomicBool,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// No read and no write of the server takes longer; a client gives up long before.
pub(super) const LONGEST: Duration = Duration::from_secs(30);
