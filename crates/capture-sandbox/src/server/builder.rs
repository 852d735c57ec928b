//! Serving a sandbox.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::SystemTime;

use crate::faults::Script;
use crate::sandbox::Sandbox;
use crate::server::running::{Server, credentials};
#[cfg(feature = "tls")]
use crate::server::tls::Tls;
use crate::world::Settings;

/// How to serve a sandbox.
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    address: SocketAddr,
    settings: Settings,
    script: Script,
    #[cfg(feature = "tls")]
    tls: bool,
    clock: Option<SystemTime>,
}

impl Sandbox {
    /// Serves a new sandbox with default settings on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When the machine has no free port; [`Builder::start`] returns that as an error.
    #[must_use]
    pub fn start() -> Server {
        let server = Self::builder().start();
        server.unwrap_or_else(|error| panic!("cannot start a sandbox on 127.0.0.1: {error}"))
    }

    /// Serves a new sandbox with other settings, on another address, or over TLS.
    pub fn builder() -> Builder {
        Builder {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            settings: Settings::default(),
            script: Script::default(),
            #[cfg(feature = "tls")]
            tls: false,
            clock: None,
        }
    }
}

impl Builder {
    /// Listens on this address, which must be a loopback address unless the settings allow
    /// [`Settings::remote`]; port 0 takes a free one.
    pub fn listen(self, address: SocketAddr) -> Self {
        Self { address, ..self }
    }

    /// Serves a sandbox with these settings.
    pub fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// Starts with this script; a reset forgets it.
    pub fn script(self, script: Script) -> Self {
        Self { script: self.script.then(script), ..self }
    }

    /// Serves TLS too, and HTTP/2 to clients that ask for it by ALPN. The certificate is for
    /// `localhost`, `127.0.0.1` and `::1`, and is signed by an authority made for this server alone
    /// ([`Server::authority`]). Plain HTTP/1.1 still works on the same port.
    #[cfg(feature = "tls")]
    pub fn tls(self) -> Self {
        Self { tls: true, ..self }
    }

    /// Stops the sandbox's clock at this time; only [`Server::advance`] moves it. No token and no
    /// window ends on its own, and the same requests get the same replies, byte for byte.
    pub fn clock(self, at: SystemTime) -> Self {
        Self { clock: Some(at), ..self }
    }

    /// Starts to serve.
    ///
    /// # Errors
    /// When the address is not allowed or cannot be bound, or when the credentials in the settings
    /// are ones that no client could send.
    pub fn start(self) -> io::Result<Server> {
        let invalid = |why: String| io::Error::new(ErrorKind::InvalidInput, why);
        if !self.address.ip().is_loopback() && !self.settings.remote {
            let ip = self.address.ip();
            return Err(invalid(format!("{ip} is not a loopback address; use 127.0.0.1")));
        }
        credentials(&self.settings).map_err(|error| invalid(error.to_string()))?;
        let mut sandbox = Sandbox::new(self.settings);
        sandbox.script(self.script);
        #[cfg(feature = "tls")]
        let tls = self.tls.then(Tls::new).transpose()?;
        #[cfg(not(feature = "tls"))]
        let tls = None;
        Server::serve(TcpListener::bind(self.address)?, sandbox, tls, self.clock)
    }
}
