//! A running server: a sandbox on a socket. One thread serves all connections, and they end with it.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use capture_core::{Credentials, Environment, Invalid, OrderId, OrderStatus};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::oneshot;

use crate::control::{Audit, Summary};
use crate::faults::Script;
use crate::sandbox::Sandbox;
use crate::server::accept::accept;
use crate::server::shared::Shared;
use crate::server::tls::Tls;
use crate::world::{Claimed, DrawnOrder, Exchange, Ledger, NewOrder, Settings};

/// Connections beyond these are refused.
const MOST_CONNECTIONS: usize = 256;

/// A sandbox that is served on loopback. When it is dropped it stops, and its port is free.
pub struct Server {
    shared: Arc<Shared>,
    tls: Option<Arc<Tls>>,
    address: SocketAddr,
    settings: Settings,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn serve(
        listener: std::net::TcpListener,
        sandbox: Sandbox,
        tls: Option<Tls>,
        clock: Option<SystemTime>,
    ) -> io::Result<Self> {
        let mut address = listener.local_addr()?;
        if address.ip().is_unspecified() {
            // It listens on every address of this machine; this is one of them.
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let settings = sandbox.world.settings.clone();
        let shared = Arc::new(Shared::new(sandbox, clock, address.port()));
        let tls = tls.map(Arc::new);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        listener.set_nonblocking(true)?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("sandbox".into()).spawn({
            let (shared, tls) = (Arc::clone(&shared), tls.clone());
            move || {
                runtime.spawn(accept(listener, shared, tls, MOST_CONNECTIONS));
                // When this returns the runtime is dropped, and all connections end with it.
                let _ = runtime.block_on(stopped);
            }
        })?;
        Ok(Self { shared, tls, address, settings, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens, such as `http://127.0.0.1:40123`; the API is below `/v1`. With
    /// [`Builder::tls`](crate::Builder::tls) this begins with `https`; plain `http` works on the
    /// same port.
    #[must_use]
    pub fn base_url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The same port over plain HTTP/1.1, whatever [`Server::base_url`] says.
    #[must_use]
    pub fn plain_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The certificate that a client must trust, in DER; `None` without TLS.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn authority(&self) -> Option<&[u8]> {
        self.tls.as_ref().map(|tls| &*tls.authority)
    }

    /// The certificate that a client must trust, in PEM; `None` without TLS.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn authority_pem(&self) -> Option<&str> {
        self.tls.as_ref().map(|tls| tls.authority_pem.as_str())
    }

    /// [`Server::base_url`] as the clients take it.
    ///
    /// # Panics
    /// When it listens on an address that is not loopback without TLS: the clients refuse plain http
    /// there.
    #[must_use]
    pub fn environment(&self) -> Environment {
        let url = self.base_url().parse();
        url.expect("https, or plain http to a loopback address")
    }

    /// The merchant's credentials as the clients take them.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        credentials(&self.settings).expect("checked at the start")
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

    /// Creates an order; given only money, one that waits for its capture.
    pub fn create_order(&self, new: impl Into<NewOrder>) -> OrderId {
        self.shared.sandbox().create_order(new, self.shared.now())
    }

    /// Creates many orders, in this order.
    pub fn create_orders<N: Into<NewOrder>>(
        &self,
        new: impl IntoIterator<Item = N>,
    ) -> Vec<OrderId> {
        self.shared.sandbox().create_orders(new, self.shared.now())
    }

    /// Draws so many orders that wait for their capture, and creates them; see
    /// [`Sandbox::draw_orders`].
    #[must_use]
    pub fn draw_orders(
        &self,
        count: usize,
        windows: Option<&RangeInclusive<Duration>>,
    ) -> Vec<DrawnOrder> {
        self.shared.sandbox().draw_orders(count, windows, self.shared.now())
    }

    /// The status of an order, or `None` if there is no such order.
    #[must_use]
    pub fn order_status(&self, order: OrderId) -> Option<OrderStatus> {
        self.shared.sandbox().order_status(order, self.shared.now())
    }

    /// Sets the status of an order, even to one that the API would not allow, and returns whether
    /// there is such an order.
    #[must_use]
    pub fn set_order_status(&self, order: OrderId, status: OrderStatus) -> bool {
        let mut sandbox = self.shared.sandbox();
        sandbox.set_order_status(order, status, self.shared.now())
    }

    /// Adds the rules of a script behind those that are still waiting.
    pub fn script(&self, script: Script) {
        self.shared.sandbox().script(script);
    }

    /// Removes all rules.
    pub fn clear_script(&self) {
        self.shared.sandbox().clear_script();
    }

    /// The rules that are still waiting.
    #[must_use]
    pub fn rules(&self) -> Script {
        self.shared.sandbox().rules()
    }

    /// Records what a client believes of an order, and returns whether there is such an order.
    #[must_use]
    pub fn claim(&self, order: OrderId, outcome: Claimed, by: Option<&str>) -> bool {
        self.shared.sandbox().claim(order, outcome, by, self.shared.now())
    }

    /// What the clients claim, compared with what truly happened.
    #[must_use]
    pub fn audit(&self) -> Audit {
        self.shared.sandbox().audit(self.shared.now())
    }

    /// What truly happened.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.shared.sandbox().ledger().clone()
    }

    /// What truly happened, in a few numbers.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.shared.sandbox().summary(self.shared.now())
    }

    /// The last 10,000 requests, oldest first, without secrets or personal data.
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

    /// Forgets everything except the settings; ids start again from the seed.
    pub fn reset(&self) {
        self.shared.sandbox().reset();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Sending fails only if the thread has already ended.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

pub(super) fn credentials(settings: &Settings) -> Result<Credentials, Invalid> {
    Credentials::new(settings.app_key.clone(), settings.app_secret.clone())
}
