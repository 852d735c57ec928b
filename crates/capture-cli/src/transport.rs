//! One client over any of the three transports: the only place that knows there are three.

use capture_core::{Capture, OrderId, OrderStatus, Outcome, Setup, StatusError, Ticket};
use tokio::runtime::{Builder, Runtime};

use crate::args::Transport;
use crate::config::BadInput;

/// A client that blocks, whatever it runs on.
#[allow(clippy::large_enum_variant, reason = "one value exists, and it lives on the stack")]
pub(crate) enum Client {
    Reqwest(Runtime, capture_reqwest::Client),
    Ureq(capture_ureq::Client),
    Hyper(Runtime, capture_hyper::Client),
}

impl Client {
    /// Connects nothing yet; it fails where TLS or the runtime cannot be set up.
    pub(crate) fn new(transport: Transport, setup: Setup) -> Result<Self, BadInput> {
        let runtime = || Builder::new_current_thread().enable_all().build().map_err(not_set_up);
        Ok(match transport {
            Transport::Reqwest => {
                Self::Reqwest(runtime()?, capture_reqwest::Client::new(setup).map_err(not_set_up)?)
            }
            Transport::Ureq => Self::Ureq(capture_ureq::Client::new(setup).map_err(not_set_up)?),
            Transport::Hyper => {
                Self::Hyper(runtime()?, capture_hyper::Client::new(setup).map_err(not_set_up)?)
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

fn not_set_up(error: impl std::error::Error + 'static) -> BadInput {
    BadInput::new("transport", format!("transport: {}", capture_core::one_line(&error)))
}
