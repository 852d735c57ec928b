//! A server that does as its script says, over TCP or TLS: it reads, answers, breaks off, and
//! records every request. A script is data.

mod connection;

use std::collections::BTreeMap;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::ServerConfig;

use super::http2;

/// What a server does. Where a list of acts is over, the server behaves: it grants a token, captures,
/// and asks whoever looks an order up to come back tomorrow.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    /// What the first connections meet; later ones are served.
    pub(crate) connections: Vec<Meet>,
    pub(crate) token: Vec<Act>,
    pub(crate) capture: Vec<Act>,
    pub(crate) lookup: Vec<Act>,
    /// Any other request, such as a CONNECT.
    pub(crate) other: Vec<Act>,
    /// The same by frames, for a client that chose HTTP/2.
    pub(crate) frames: Vec<http2::Act>,
}

/// What a connection meets.
#[derive(Debug, Clone)]
pub(crate) enum Meet {
    /// The client begins to talk; nothing of that is read, and this is done.
    Unread(Vec<Do>),
    /// The TLS handshake; then nothing more is read, and this is done.
    Handshake(Vec<Do>),
}

/// How one request is met: so much of it is read, then this is done.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub(crate) reads: Reads,
    pub(crate) does: Vec<Do>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    Head,
    /// The head and the first ten bytes of the body.
    Part,
    All,
}

/// One thing to do on a connection. The last four end it; without them it serves on.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    /// Writes this; `TRAP` and `SELF` stand for the addresses of the other server and of this one.
    Say(Vec<u8>),
    /// Writes this byte by byte, for as long as the client listens.
    Drip(&'static [u8]),
    /// Writes this over and over, more than any client should take, and then says nothing.
    Flood(Vec<u8>),
    /// Says nothing, for as long as the client listens.
    Hang,
    /// Sends FIN (over TLS after a `close_notify`) and reads what still comes.
    Finish,
    /// Sends FIN without the `close_notify` that TLS wants.
    Truncate,
    /// Sends RST.
    Reset,
}

impl Act {
    /// Reads the whole request, then says this.
    pub(crate) fn say(reply: impl Into<Vec<u8>>) -> Self {
        Self { reads: Reads::All, does: vec![Do::Say(reply.into())] }
    }

    pub(crate) fn does(does: Vec<Do>) -> Self {
        Self { reads: Reads::All, does }
    }

    pub(crate) fn then(mut self, next: Do) -> Self {
        self.does.push(next);
        self
    }

    pub(crate) fn reading(self, reads: Reads) -> Self {
        Self { reads, ..self }
    }
}

/// One request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) operation: Operation,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Token,
    Capture,
    Lookup,
    Other,
}

/// A server on a free port of 127.0.0.1, until it is dropped.
pub(crate) struct Server {
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    address: SocketAddr,
    trap: Option<SocketAddr>,
    tls: Option<Arc<ServerConfig>>,
    script: Script,
    seen: Mutex<Vec<Seen>>,
    /// A second handle on each open connection, to end it from outside.
    open: Mutex<BTreeMap<usize, TcpStream>>,
    accepted: Mutex<usize>,
    /// How many connections are in the middle of an act.
    acting: Mutex<usize>,
    still: Condvar,
    /// How many connections clients have ended between two requests.
    left: Mutex<usize>,
    gone: Condvar,
    stopped: AtomicBool,
}

impl Server {
    pub(crate) fn start(script: Script) -> Self {
        Self::with(script, None, None)
    }

    pub(crate) fn with(
        script: Script,
        tls: Option<Arc<ServerConfig>>,
        trap: Option<SocketAddr>,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let (seen, open, accepted) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (acting, still, stopped) = (Mutex::default(), Condvar::new(), AtomicBool::new(false));
        let (left, gone) = (Mutex::default(), Condvar::new());
        #[rustfmt::skip]
        let shared = Arc::new(Shared {
            address, trap, tls, script, seen, open, accepted, acting, still, left, gone, stopped,
        });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { shared, acceptor: Some(acceptor) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Every request so far, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).clone()
    }

    /// Waits until every act has been carried out; what it sent is then at the client's socket.
    pub(crate) fn wait_until_still(&self) {
        let acting = lock(&self.shared.acting);
        let still = self.shared.still.wait_timeout_while(acting, LONGEST, |acting| *acting > 0);
        assert!(!still.unwrap_or_else(PoisonError::into_inner).1.timed_out(), "an act never ends");
    }

    /// Sends FIN on every open connection.
    pub(crate) fn hang_up(&self) {
        for stream in lock(&self.shared.open).values() {
            stream.shutdown(Shutdown::Write).expect("an open connection");
        }
    }

    /// Waits until a client has ended a connection on which nothing was under way.
    pub(crate) fn wait_until_left(&self) {
        let left = lock(&self.shared.left);
        let left = self.shared.gone.wait_timeout_while(left, LONGEST, |left| *left == 0);
        assert!(!left.unwrap_or_else(PoisonError::into_inner).1.timed_out(), "nobody ever leaves");
    }

    /// How many connections were accepted so far.
    pub(crate) fn connections(&self) -> usize {
        *lock(&self.shared.accepted)
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// No read and no write of the server takes longer; a client gives up long before.
const LONGEST: Duration = Duration::from_secs(30);

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
            // An error is a client that went away, which a script expects.
            let _ = connection::Connection { shared: &shared, number }.serve(stream);
            lock(&shared.open).remove(&number);
        }));
    }
    for thread in threads {
        let _ = thread.join();
    }
}
