//! The sandbox on a socket: one thread accepts, one per connection serves, all end with the server.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use capture_core::{Credentials, Environment, OrderId, OrderStatus};
use http::StatusCode;

use crate::builder::credentials;
use crate::sandbox::Sandbox;
use crate::{
    Claimed, Exchange, Ledger, NewOrder, Report, Script, Settings, connection, http1, reply,
};

/// Connections beyond these are answered 503 and closed.
const MOST_CONNECTIONS: usize = 256;

/// A sandbox that is served on loopback. It stops, and its port is free, when this is dropped.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    settings: Settings,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn serve(
        listener: TcpListener,
        sandbox: Sandbox,
        settings: Settings,
    ) -> io::Result<Self> {
        let mut address = listener.local_addr()?;
        if address.ip().is_unspecified() {
            // One that this machine can be reached at; all the others work too.
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let shared = Arc::new(Shared {
            sandbox: Mutex::new(sandbox),
            connections: Mutex::default(),
            is_stopped: Mutex::new(false),
            stop: Condvar::new(),
        });
        let acceptor = thread::Builder::new().name("sandbox".into()).spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        })?;
        Ok(Self { shared, address, settings, acceptor: Some(acceptor) })
    }

    /// Where it listens, such as `http://127.0.0.1:40123`; the API lies below `/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same, as the clients take it.
    ///
    /// # Panics
    /// When it listens on an address of this machine's network: the clients refuse plain http there.
    #[must_use]
    pub fn environment(&self) -> Environment {
        let url = self.base_url().parse();
        url.expect("plain http to a loopback address is allowed")
    }

    /// The merchant's credentials, as the clients take them.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        credentials(&self.settings).expect("they were checked at the start")
    }

    /// The merchant's `AppKey`.
    #[must_use]
    pub fn app_key(&self) -> &str {
        &self.settings.app_key
    }

    /// The merchant's `AppSecret`.
    #[must_use]
    pub fn app_secret(&self) -> &str {
        &self.settings.app_secret
    }

    /// Creates an order; from plain money one that waits for its capture.
    pub fn create_order(&self, new: impl Into<NewOrder>) -> OrderId {
        self.shared.sandbox().create_order(new, SystemTime::now())
    }

    /// The status of an order; `None` for one that does not exist.
    #[must_use]
    pub fn order_status(&self, order: OrderId) -> Option<OrderStatus> {
        self.shared.sandbox().order_status(order, SystemTime::now())
    }

    /// Puts an order into a status, whatever the API would allow, and says whether it exists.
    #[must_use]
    pub fn set_order_status(&self, order: OrderId, status: OrderStatus) -> bool {
        let mut sandbox = self.shared.sandbox();
        sandbox.set_order_status(order, status, SystemTime::now())
    }

    /// Adds the rules of a script to those that are not spent yet.
    pub fn script(&self, script: Script) {
        self.shared.sandbox().script(script);
    }

    /// Forgets all rules.
    pub fn clear_script(&self) {
        self.shared.sandbox().clear_script();
    }

    /// The rules that are not spent yet.
    #[must_use]
    pub fn rules(&self) -> Script {
        self.shared.sandbox().rules()
    }

    /// Writes down what a client believes of an order, and says whether the order exists.
    #[must_use]
    pub fn claim(&self, order: OrderId, outcome: Claimed, by: Option<&str>) -> bool {
        self.shared.sandbox().claim(order, outcome, by, SystemTime::now())
    }

    /// What the clients claimed, beside what truly happened.
    #[must_use]
    pub fn verdict(&self) -> Report {
        self.shared.sandbox().verdict(SystemTime::now())
    }

    /// What truly happened.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.shared.sandbox().ledger().clone()
    }

    /// The last 10,000 requests, oldest first, without secrets and personal data.
    #[must_use]
    pub fn transcript(&self) -> Vec<Exchange> {
        self.shared.sandbox().transcript().cloned().collect()
    }

    /// How many tokens were granted.
    #[must_use]
    pub fn logins(&self) -> usize {
        self.shared.sandbox().logins()
    }

    /// Moves the sandbox's clock ahead: tokens expire, windows end, keys are forgotten.
    pub fn advance(&self, by: Duration) {
        self.shared.sandbox().advance(by);
    }

    /// Forgets everything but the settings.
    pub fn reset(&self) {
        self.shared.sandbox().reset();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        *lock(&self.shared.is_stopped) = true;
        self.shared.stop.notify_all();
        // The acceptor sees the stop when its wait ends, and this ends it.
        let woken = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok();
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken) {
            let _ = acceptor.join();
        }
        let connections = std::mem::take(&mut *lock(&self.shared.connections));
        for connection in connections.values() {
            let _ = connection.stream.shutdown(Shutdown::Both);
        }
        for connection in connections.into_values() {
            let _ = connection.thread.join();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

/// What all threads of a server share.
pub(crate) struct Shared {
    sandbox: Mutex<Sandbox>,
    connections: Mutex<BTreeMap<u64, Connection>>,
    is_stopped: Mutex<bool>,
    stop: Condvar,
}

/// A second handle on the socket, to end it from outside, and the thread that serves it.
struct Connection {
    stream: TcpStream,
    thread: JoinHandle<()>,
}

impl Shared {
    /// The sandbox, for as long as the guard lives: never while sleeping or writing.
    pub(crate) fn sandbox(&self) -> MutexGuard<'_, Sandbox> {
        lock(&self.sandbox)
    }

    /// Waits this long; false if the server stopped meanwhile.
    pub(crate) fn pause(&self, delay: Duration) -> bool {
        let is_stopped = lock(&self.is_stopped);
        let waited = self.stop.wait_timeout_while(is_stopped, delay, |stop| !*stop);
        let (is_stopped, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !*is_stopped
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for number in 0.. {
        let accepted = listener.accept();
        if *lock(&shared.is_stopped) {
            return;
        }
        match accepted {
            // A connection that cannot be served is dropped, which closes it.
            Ok((stream, _)) => drop(open(number, stream, shared)),
            // Out of file handles, mostly: waiting is all that can help.
            Err(_) => drop(shared.pause(Duration::from_millis(50))),
        }
    }
}

fn open(number: u64, mut stream: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    let mut connections = lock(&shared.connections);
    if connections.len() >= MOST_CONNECTIONS {
        let busy = reply::gateway(StatusCode::SERVICE_UNAVAILABLE);
        return stream.write_all(&http1::encode(&busy, false, false));
    }
    let handle = stream.try_clone()?;
    // The thread removes its entry when it ends; it cannot do so before the entry is there, for the
    // lock is held until then.
    let thread = thread::Builder::new().name("sandbox".into()).spawn({
        let shared = Arc::clone(shared);
        move || {
            connection::serve(stream, &shared);
            lock(&shared.connections).remove(&number);
        }
    })?;
    connections.insert(number, Connection { stream: handle, thread });
    Ok(())
}
