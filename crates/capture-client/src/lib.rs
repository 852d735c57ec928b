//! One capture client over any transport: the loop, the single login, the retry budget, events.
//!
//! Most users take `capture-reqwest`, `capture-ureq` or `capture-hyper`, whose clients are this one
//! over a ready-made transport. For an HTTP stack of your own, implement [`Transport`] (or
//! [`blocking::Transport`]) and get the same client:
//!
//! ```
//! use std::time::Duration;
//! use capture_client::driver::TransportError;
//! use capture_client::{
//!     BearerToken, Capture, Client, Environment, IdempotencyKey, Money, OrderId, Outcome, Setup, blocking,
//!     wire,
//! };
//!
//! struct MyStack;
//!
//! impl blocking::Transport for MyStack {
//!     fn send(&self, _: wire::Request, _: Duration) -> Result<wire::Response, TransportError> {
//!         Ok(wire::capture::captured()) // your HTTP library goes here; see docs/adapters.md, A1 to A12
//!     }
//! }
//!
//! let setup = Setup::new(&Environment::Sandbox, BearerToken::new("token-from-oauth2")?);
//! let client = Client::blocking(setup, MyStack);
//! let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
//! let money = Money::parse("100.00", "USD")?;
//! let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
//! assert!(matches!(client.capture(&capture), Outcome::Captured(_)));
//! # Ok::<(), capture_client::Invalid>(())
//! ```

pub mod blocking;
mod call;
mod client;
mod connect;
mod engine;
mod event;
#[cfg(feature = "metrics")]
mod metrics;
mod pool;
mod settings;
mod stop;
#[cfg(feature = "tracing")]
mod tracing;
mod transport;

pub use capture_core::*;
pub use client::Client;
pub use connect::{BuildError, Connect};
pub use event::{Event, Observer};
pub use pool::Pool;
pub use stop::Stop;
pub use transport::Transport;
