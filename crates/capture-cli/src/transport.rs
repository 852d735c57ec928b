//! One client over any of the three transports: the only place that knows there are three.

use std::error::Error;

use capture_core::{Capture, OrderId, OrderStatus, Outcome, Setup, StatusError, Ticket};
use tokio::runtime::{Builder, Runtime};

use crate::args::Transport;
use crate::config::BadInput;
use crate::connections::{self, Connections};
use crate::route::Route;

/// A client that blocks, whatever it runs on.
#[allow(clippy::large_enum_variant, reason = "one value exists, and it lives on the stack")]
pub(crate) enum Client {
    Reqwest(Runtime, capture_reqwest::Client),
    Ureq(capture_ureq::Client),
    Hyper(Runtime, capture_hyper::Client<Connections>),
}

impl Client {
    /// Connects nothing yet; it fails where TLS, the proxy or the runtime cannot be set up.
    pub(crate) fn new(transport: Transport, setup: Setup, route: &Route) -> Result<Self, BadInput> {
        let runtime = || Builder::new_current_thread().enable_all().build().map_err(not_set_up);
        Ok(match transport {
            Transport::Reqwest => {
                let http = connections::reqwest(route).map_err(not_set_up)?;
                Self::Reqwest(runtime()?, capture_reqwest::Client::over(setup, http))
            }
            Transport::Ureq => {
                let http = connections::ureq(route).map_err(not_set_up)?;
                Self::Ureq(capture_ureq::Client::blocking(setup, http))
            }
            Transport::Hyper => {
                let http = connections::hyper(route).map_err(not_set_up)?;
                Self::Hyper(runtime()?, capture_hyper::Client::over(setup, http))
            }
        })
    }

    pub(crate) fn capture(&self, capture: &Capture) -> Outcome {
        match self {
            Self::Reqwest(runtime, client) => runtime.block_on(client.capture(capture)),
            Self::Ureq(client) => client.capture(capture),
            Self::Hyper(runtime, client) => runtime.block_on(client.capture(capture)),
        }
    }

    pub(crate) fn resume(&self, ticket: Ticket) -> Outcome {
        match self {
            Self::Reqwest(runtime, client) => runtime.block_on(client.resume(ticket)),
            Self::Ureq(client) => client.resume(ticket),
            Self::Hyper(runtime, client) => runtime.block_on(client.resume(ticket)),
        }
    }

    pub(crate) fn status(&self, order: OrderId) -> Result<OrderStatus, StatusError> {
        match self {
            Self::Reqwest(runtime, client) => runtime.block_on(client.status(order)),
            Self::Ureq(client) => client.status(order),
            Self::Hyper(runtime, client) => runtime.block_on(client.status(order)),
        }
    }
}

fn not_set_up(error: impl Into<Box<dyn Error + Send + Sync>>) -> BadInput {
    let error = error.into();
    BadInput::new("transport", format!("transport: {}", capture_core::one_line(&*error)))
}
