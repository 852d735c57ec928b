//! One client over any of the three transports: the only place that knows there are three.

use capture_core::{Capture, OrderId, OrderStatus, Outcome, Setup, StatusError, Ticket};
use capture_hyper::{Hyper, client_config};
use capture_reqwest::Reqwest;
use capture_ureq::Ureq;
use tokio::runtime::{Builder, Runtime};
use ureq::tls::{Certificate, RootCerts};

use crate::args::Transport;
use crate::config::BadInput;
use crate::route::{Proxy, Route};
use crate::tunnel::Tunnelled;

/// A client that blocks, whatever it runs on.
#[allow(clippy::large_enum_variant, reason = "one value exists, and it lives on the stack")]
pub(crate) enum Client {
    Reqwest(Runtime, capture_reqwest::Client),
    Ureq(capture_ureq::Client),
    Hyper(Runtime, capture_hyper::Client),
    Tunnelled(Runtime, capture_hyper::Client<Tunnelled>),
}

impl Client {
    /// Connects nothing yet; it fails where TLS, the proxy or the runtime cannot be set up.
    pub(crate) fn new(transport: Transport, setup: Setup, route: &Route) -> Result<Self, BadInput> {
        let runtime = || Builder::new_current_thread().enable_all().build().map_err(not_set_up);
        let pem = &route.authorities[..];
        Ok(match (transport, &route.proxy) {
            (Transport::Reqwest, None) => {
                let client = capture_reqwest::Client::with_extra_roots(setup, pem);
                Self::Reqwest(runtime()?, client.map_err(not_set_up)?)
            }
            (Transport::Reqwest, Some(proxy)) => {
                let http = reqwest_through(proxy, pem)?;
                Self::Reqwest(runtime()?, capture_reqwest::Client::over(setup, http))
            }
            (Transport::Ureq, None) => {
                let client = capture_ureq::Client::with_extra_roots(setup, pem);
                Self::Ureq(client.map_err(not_set_up)?)
            }
            (Transport::Ureq, Some(proxy)) => {
                Self::Ureq(capture_ureq::Client::blocking(setup, ureq_through(proxy, pem)?))
            }
            (Transport::Hyper, None) => {
                let client = capture_hyper::Client::with_extra_roots(setup, pem);
                Self::Hyper(runtime()?, client.map_err(not_set_up)?)
            }
            (Transport::Hyper, Some(proxy)) => {
                let tls = client_config(pem).map_err(not_set_up)?;
                let http = Hyper::over(Tunnelled::new(tls, proxy).map_err(not_set_up)?);
                Self::Tunnelled(runtime()?, capture_hyper::Client::over(setup, http))
            }
        })
    }

    pub(crate) fn capture(&self, capture: &Capture) -> Outcome {
        match self {
            Self::Reqwest(runtime, client) => runtime.block_on(client.capture(capture)),
            Self::Ureq(client) => client.capture(capture),
            Self::Hyper(runtime, client) => runtime.block_on(client.capture(capture)),
            Self::Tunnelled(runtime, client) => runtime.block_on(client.capture(capture)),
        }
    }

    pub(crate) fn resume(&self, ticket: Ticket) -> Outcome {
        match self {
            Self::Reqwest(runtime, client) => runtime.block_on(client.resume(ticket)),
            Self::Ureq(client) => client.resume(ticket),
            Self::Hyper(runtime, client) => runtime.block_on(client.resume(ticket)),
            Self::Tunnelled(runtime, client) => runtime.block_on(client.resume(ticket)),
        }
    }

    pub(crate) fn status(&self, order: OrderId) -> Result<OrderStatus, StatusError> {
        match self {
            Self::Reqwest(runtime, client) => runtime.block_on(client.status(order)),
            Self::Ureq(client) => client.status(order),
            Self::Hyper(runtime, client) => runtime.block_on(client.status(order)),
            Self::Tunnelled(runtime, client) => runtime.block_on(client.status(order)),
        }
    }
}

fn reqwest_through(proxy: &Proxy, pem: &[u8]) -> Result<Reqwest, BadInput> {
    let proxy = reqwest::Proxy::all(proxy.expose()).map_err(reqwest::Error::without_url);
    let tls = client_config(pem).map_err(not_set_up)?;
    Reqwest::hardened(tls, Some(proxy.map_err(not_set_up)?)).map_err(not_set_up)
}

fn ureq_through(proxy: &Proxy, pem: &[u8]) -> Result<Ureq, BadInput> {
    let roots = capture_tls::root_certificates(pem).map_err(not_set_up)?;
    let roots = roots.map_or(RootCerts::PlatformVerifier, |roots| {
        let roots = roots.iter().map(|root| Certificate::from_der(root).to_owned());
        RootCerts::from(roots.collect::<Vec<_>>())
    });
    let proxy = ureq::Proxy::new(proxy.expose()).map_err(not_set_up)?;
    Ok(Ureq::hardened(roots, Some(proxy)))
}

fn not_set_up(error: impl std::error::Error + 'static) -> BadInput {
    BadInput::new("transport", format!("transport: {}", capture_core::one_line(&error)))
}
