//! The sandbox on a socket: one thread serves all connections, and all end with the server.

use std::fmt;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use capture_core::{Credentials, Environment, OrderId, OrderStatus};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::sleep;

use crate::api::replies as reply;
use crate::sandbox::Sandbox;
use crate::server::builder::credentials;
use crate::server::connection;
use crate::server::http1;
use crate::server::tls::Tls;
use crate::{Claimed, Exchange, Ledger, NewOrder, Report, Script, Settings};

/// Connections beyond these are answered 503 and closed; bodies beyond these wait.
const MOST_CONNECTIONS: usize = 256;

/// A sandbox that is served on loopback. It stops, and its port is free, when this is dropped.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    settings: Settings,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn serve(
        listener: std::net::TcpListener,
        sandbox: Sandbox,
        settings: Settings,
        tls: Option<Tls>,
        clock: Option<SystemTime>,
    ) -> io::Result<Self> {
        let mut address = listener.local_addr()?;
        if address.ip().is_unspecified() {
            // One that this machine can be reached at; all the others work too.
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let shared = Arc::new(Shared::new(sandbox, tls, clock));
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        listener.set_nonblocking(true)?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("sandbox".into()).spawn({
            let shared = Arc::clone(&shared);
            move || {
                runtime.spawn(accept(listener, shared, MOST_CONNECTIONS));
                // With the runtime all connections end, wherever they are.
                let _ = runtime.block_on(stopped);
            }
        })?;
        Ok(Self { shared, address, settings, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens, such as `http://127.0.0.1:40123`; the API lies below `/v1`. With
    /// [`Builder::tls`](crate::Builder::tls) it begins with `https`, and plain `http` is served on
    /// the same port all the same.
    #[must_use]
    pub fn base_url(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The same port in plain HTTP/1.1, whatever [`Server::base_url`] says.
    #[must_use]
    pub fn plain_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The certificate that a client must trust, in DER; `None` without TLS.
    #[must_use]
    pub fn authority(&self) -> Option<&[u8]> {
        self.shared.tls.as_ref().map(|tls| &*tls.authority)
    }

    /// The same in PEM.
    #[must_use]
    pub fn authority_pem(&self) -> Option<&str> {
        self.shared.tls.as_ref().map(|tls| tls.authority_pem.as_str())
    }

    /// [`Server::base_url`], as the clients take it.
    ///
    /// # Panics
    /// When it listens on an address of this machine's network without TLS: the clients refuse plain
    /// http there.
    #[must_use]
    pub fn environment(&self) -> Environment {
        let url = self.base_url().parse();
        url.expect("https, or plain http to a loopback address")
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
        self.shared.sandbox().create_order(new, self.shared.now())
    }

    /// The status of an order; `None` for one that does not exist.
    #[must_use]
    pub fn order_status(&self, order: OrderId) -> Option<OrderStatus> {
        self.shared.sandbox().order_status(order, self.shared.now())
    }

    /// Puts an order into a status, whatever the API would allow, and says whether it exists.
    #[must_use]
    pub fn set_order_status(&self, order: OrderId, status: OrderStatus) -> bool {
        let mut sandbox = self.shared.sandbox();
        sandbox.set_order_status(order, status, self.shared.now())
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
        self.shared.sandbox().claim(order, outcome, by, self.shared.now())
    }

    /// What the clients claimed, beside what truly happened.
    #[must_use]
    pub fn verdict(&self) -> Report {
        self.shared.sandbox().verdict(self.shared.now())
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
        // Nobody hears the stop where the thread is gone already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

/// What all connections of a server share.
pub(crate) struct Shared {
    sandbox: Mutex<Sandbox>,
    /// Where it serves TLS too.
    pub(crate) tls: Option<Tls>,
    /// The time, where it stands still.
    clock: Option<SystemTime>,
    /// Places for bodies on their way over HTTP/2, whose streams are many more than connections.
    pub(crate) bodies: Semaphore,
}

impl Shared {
    pub(crate) fn new(sandbox: Sandbox, tls: Option<Tls>, clock: Option<SystemTime>) -> Self {
        let bodies = Semaphore::new(MOST_CONNECTIONS);
        Self { sandbox: Mutex::new(sandbox), tls, clock, bodies }
    }

    /// What the sandbox is told that the time is.
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.unwrap_or_else(SystemTime::now)
    }

    /// The sandbox, for as long as the guard lives: never while waiting for anything.
    pub(crate) fn sandbox(&self) -> MutexGuard<'_, Sandbox> {
        self.sandbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, most: usize) {
    let free = Arc::new(Semaphore::new(most));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file handles, mostly: waiting is all that can help.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&free).try_acquire_owned() else {
            let busy = reply::gateway(StatusCode::SERVICE_UNAVAILABLE);
            // The runtime may not know yet that the socket can be written to.
            let stream = stream.into_std();
            let _ = stream.and_then(|mut it| it.write_all(&http1::encode(&busy, false, false)));
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            connection::serve(stream, shared).await;
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    #[test]
    fn who_comes_when_all_places_are_taken_is_told_and_places_become_free() {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let shared = Arc::new(Shared::new(Sandbox::new(Settings::default()), None, None));
            tokio::spawn(accept(listener, shared, 1));
            let first = TcpStream::connect(address).await.unwrap();
            let mut told = String::new();
            let mut second = TcpStream::connect(address).await.unwrap();
            second.read_to_string(&mut told).await.unwrap();
            assert!(told.starts_with("HTTP/1.1 503 "), "{told}");
            drop(first);
            for turn in 0.. {
                let mut next = TcpStream::connect(address).await.unwrap();
                let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
                let _ = next.write_all(request).await;
                let mut answer = String::new();
                let _ = next.read_to_string(&mut answer).await;
                if answer.starts_with("HTTP/1.1 404 ") {
                    break;
                }
                assert!(turn < 10_000, "the place of the first is free: {answer}");
            }
        });
    }
}
