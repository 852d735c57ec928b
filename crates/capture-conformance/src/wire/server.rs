//! A server that follows its dialogue: it reads, answers, breaks off, and records
//! every request.

use std::cell::RefCell;
use std::fmt;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::connection::Connection;
use super::dialogue::{Dialogue, Seen};
use super::link::Handshake;
use super::shared::{LONGEST, Shared, lock};

/// A server on a free port of 127.0.0.1, until it is dropped.
pub struct Server {
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(dialogue: Dialogue) -> Self {
        Self::with(dialogue, None, None)
    }

    pub fn with(
        dialogue: Dialogue,
        handshake: Option<Handshake>,
        trap: Option<SocketAddr>,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let (seen, open, accepted) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (acting, still, stopped) = (Mutex::default(), Condvar::new(), AtomicBool::new(false));
        let (left, gone) = (Mutex::default(), Condvar::new());
        #[rustfmt::skip]
        let shared = Arc::new(Shared {
            address, trap, handshake, dialogue, seen, open, accepted, acting, still, left, gone, stopped,
        });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { shared, acceptor: Some(acceptor) }
    }

    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Every request so far, in order.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).clone()
    }

    /// Waits until every act has been carried out; what it sent is then at the client's socket.
    pub fn wait_until_still(&self) {
        let acting = lock(&self.shared.acting);
        let still = self.shared.still.wait_timeout_while(acting, LONGEST, |acting| *acting > 0);
        assert!(!still.unwrap_or_else(PoisonError::into_inner).1.timed_out(), "an act never ends");
    }

    /// Sends FIN on every open connection.
    pub fn hang_up(&self) {
        for stream in lock(&self.shared.open).values() {
            stream.shutdown(Shutdown::Write).expect("an open connection");
        }
    }

    /// Waits until a client has ended a connection on which nothing was under way.
    pub fn wait_until_left(&self) {
        let left = lock(&self.shared.left);
        let left = self.shared.gone.wait_timeout_while(left, LONGEST, |left| *left == 0);
        assert!(
            !left.unwrap_or_else(PoisonError::into_inner).1.timed_out(),
            "no client ended its connection"
        );
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        *lock(&self.shared.accepted)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.shared.address).finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // The acceptor sees the flag when its wait ends, and this ends it.
        let woken = TcpStream::connect(self.shared.address).is_ok();
        for stream in lock(&self.shared.open).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken) {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for number in 0.. {
        let Ok((stream, _)) = listener.accept() else { break };
        if shared.stopped.load(Ordering::SeqCst) {
            break;
        }
        *lock(&shared.accepted) += 1;
        let shared = Arc::clone(shared);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread::spawn(move || {
            if let Ok(handle) = stream.try_clone() {
                lock(&shared.open).insert(number, handle);
            }
            // An error is a client that went away, which a dialogue expects.
            let _ = Connection { shared: &shared, number, late: RefCell::default() }.serve(stream);
            lock(&shared.open).remove(&number);
        }));
    }
    for thread in threads {
        let _ = thread.join();
    }
}
