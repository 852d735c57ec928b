//! The sans-IO core of Capture: the money of an authorised order is captured **exactly once**, and
//! nobody is lied to about what happened.
//!
//! This crate builds and reads the HTTP messages of FlexFactor's capture API and decides, step by
//! step, what to do next. It does no IO, reads no clock, no environment and no randomness, and takes
//! no lock: you bring the transport and the time. The crates `capture-reqwest`, `capture-ureq` and
//! `capture-hyper` are ready-made drivers of the same machine.
//!
//! A capture has three outcomes, not two: [`Outcome::Captured`], [`Outcome::NotCaptured`] and
//! [`Outcome::Unknown`]. The third is closed by evidence only.
//!
//! ```text
//! values ──► wire ──► machine ──► your driver
//! Money      Request  Step        sends, sleeps, holds the token
//! ```
//!
//! # A driver of your own
//!
//! ```
//! use std::time::{Instant, SystemTime};
//! use capture_core::{
//!     Api, BearerToken, Capture, Environment, IdempotencyKey, Money, OrderId, Outcome, Policy,
//!     Step, TransportError, wire,
//! };
//!
//! fn my_stack(_request: wire::Request) -> Result<wire::Response, TransportError> {
//!     Ok(wire::capture::captured()) // your HTTP client goes here
//! }
//!
//! let api = Api::new(&Environment::Sandbox);
//! let token = BearerToken::new("token-from-oauth2")?;
//! let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
//! let money = Money::parse("100.00", "USD")?;
//! let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
//! // Store `capture` here, before it is sent: the key is the promise.
//!
//! let mut step = capture.start(&api, &Policy::default(), Instant::now(), SystemTime::now());
//! let outcome = loop {
//!     step = match step {
//!         Step::Authorize(need) => need.authorized(token.clone(), Instant::now()),
//!         Step::Send(request, open) => match my_stack(request) {
//!             Ok(reply) => open.received(reply, Instant::now()),
//!             Err(lost) => open.lost(&lost, Instant::now()),
//!         },
//!         Step::Wait(until, open) => {
//!             std::thread::sleep(until.saturating_duration_since(Instant::now()));
//!             open.elapsed(Instant::now())
//!         }
//!         Step::Done(outcome) => break outcome,
//!     }
//! };
//! assert!(matches!(outcome, Outcome::Captured(_)));
//! # Ok::<(), capture_core::Invalid>(())
//! ```
//!
//! In scope: `/v1/capture`, the token and the order status that it needs, and what their replies
//! prove. Out of scope: sockets, TLS, timers, storage, refunds, webhooks.

mod attempt;
mod machine;
mod outcome;
mod policy;
mod setup;
mod shared;
mod status;
mod text;
mod ticket;
mod tokens;
mod transport;
mod values;
mod verdict;
pub mod wire;

pub use attempt::{Attempt, Operation, Phase};
pub use machine::{InFlight, NeedsToken, Progress, Step, Waiting};
pub use outcome::{Outcome, Proof, Reason, Receipt, Refusal};
pub use policy::{Policy, Resend};
pub use setup::Setup;
pub use shared::{RetryBudget, Shared, TokenRequest};
pub use status::{StatusError, StatusQuery};
pub use text::{one_line, printable};
pub use ticket::Ticket;
pub use tokens::{TokenAction, TokenError, Tokens};
pub use transport::{CONNECT_TIMEOUT, Delivery, MAX_BODY, TransportError, add_headers};
pub use values::{
    BaseUrl, BearerToken, Capture, Credentials, Currency, Environment, IdempotencyKey, Invalid,
    Money, OrderId,
};
pub use verdict::{Doubt, Verdict};
pub use wire::error::ApiError;
pub use wire::order::OrderStatus;
pub use wire::{Api, ContentType};
