//! How a sandbox comes onto a socket.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::SystemTime;

use capture_core::Credentials;

use crate::sandbox::Sandbox;
use crate::server::tls::Tls;
use crate::{Script, Server, Settings};

/// How to serve a sandbox.
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    address: SocketAddr,
    settings: Settings,
    script: Script,
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
        server.unwrap_or_else(|error| panic!("no sandbox on 127.0.0.1: {error}"))
    }

    /// A sandbox to be served with other settings or on another address.
    pub fn builder() -> Builder {
        Builder {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            settings: Settings::default(),
            script: Script::default(),
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

    /// Begins with this script; a reset forgets it.
    pub fn script(self, script: Script) -> Self {
        Self { script: self.script.then(script), ..self }
    }

    /// Serves TLS, and HTTP/2 to a client that asks for it by ALPN, under a certificate for
    /// `localhost`, `127.0.0.1` and `::1` by an authority made for this server alone
    /// ([`Server::authority`]). Plain HTTP/1.1 is served on the same port all the same.
    pub fn tls(self) -> Self {
        Self { tls: true, ..self }
    }

    /// The sandbox's clock stands at this time and moves by [`Server::advance`] alone: no token and
    /// no window ends on its own, and the same requests get the same replies to the last byte.
    pub fn clock(self, at: SystemTime) -> Self {
        Self { clock: Some(at), ..self }
    }

    /// Begins to serve.
    ///
    /// # Errors
    /// When the address is not allowed or cannot be had, or when the credentials in the settings
    /// are such that no client could send them.
    pub fn start(self) -> io::Result<Server> {
        let invalid = |why: String| io::Error::new(ErrorKind::InvalidInput, why);
        if !self.address.ip().is_loopback() && !self.settings.remote {
            let ip = self.address.ip();
            return Err(invalid(format!("{ip} is not a loopback address; use 127.0.0.1")));
        }
        credentials(&self.settings).map_err(|error| invalid(error.to_string()))?;
        let mut sandbox = Sandbox::new(self.settings.clone());
        sandbox.script(self.script);
        let tls = self.tls.then(Tls::new).transpose()?;
        Server::serve(TcpListener::bind(self.address)?, sandbox, self.settings, tls, self.clock)
    }
}

pub(crate) fn credentials(settings: &Settings) -> Result<Credentials, capture_core::Invalid> {
    Credentials::new(settings.app_key.clone(), settings.app_secret.clone())
}
