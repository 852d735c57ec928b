//! The sans-IO core of Capture: it captures the money of an authorised order **exactly once**, and
//! never lies about what happened.
//!
//! This crate builds and reads the HTTP messages of FlexFactor's capture API and decides, step by
//! step, what to do next. It does no IO, reads no clock, no environment and no randomness, and takes
//! no lock: you bring the transport and the time. The crates `capture-reqwest`, `capture-ureq` and
//! `capture-hyper` are ready-made drivers of the same machine.
//!
//! A capture has three outcomes, not two: [`Outcome::Captured`], [`Outcome::NotCaptured`] and
//! [`Outcome::Unknown`]. Only evidence resolves the third.
//!
//! ```text
//! values ──► wire ──► machine ──► your driver
//! Money      Request  Step        sends, sleeps, holds the token
//! ```
//!
//! # A driver of your own
//!
//! ```
//! use std::time::{Duration, Instant, SystemTime};
//! use capture_core::driver::{Api, Now, Step, TransportError};
//! use capture_core::{
//!     BearerToken, Capture, Environment, IdempotencyKey, Money, OrderId, Outcome, Policy, wire,
//! };
//!
//! fn send(_: wire::Request, _: Duration) -> Result<wire::Response, TransportError> {
//!     Ok(wire::capture::captured()) // your HTTP client goes here; it keeps to the timeout
//! }
//!
//! let api = Api::new(&Environment::Sandbox);
//! let token = BearerToken::new("token-from-oauth2")?;
//! let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
//! let money = Money::parse("100.00", "USD")?;
//! let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
//! // Store `capture` here, before it is sent. If it is already stored, resume it instead of
//! // capturing afresh: Ticket::interrupted(capture, saved_at).
//!
//! let began = Instant::now();
//! let now = || Now::new(began.elapsed(), SystemTime::now());
//! let mut step = capture.start(&api, &Policy::default(), now());
//! let outcome = loop {
//!     step = match step {
//!         Step::Authorize(need) => need.authorized(token.clone(), now()),
//!         Step::Send(request, sent) => match send(request, sent.timeout()) {
//!             Ok(reply) => sent.received(reply, now()),
//!             Err(error) => sent.failed(&error, now()),
//!         },
//!         Step::Wait(delay, waiting) => {
//!             std::thread::sleep(delay);
//!             waiting.elapsed(now())
//!         }
//!         Step::Done(outcome) => break outcome,
//!     }
//! };
//! assert!(matches!(outcome, Outcome::Captured(_)));
//! # Ok::<(), capture_core::Invalid>(())
//! ```
//!
//! In scope: `/v1/capture`, the token and the order status that it needs, and what their replies
//! prove; and which orders wait. Out of scope: sockets, TLS, timers, storage, refunds, webhooks.

mod attempt;
mod cause;
pub mod driver;
pub mod limits;
mod listing;
mod machine;
mod mask;
mod outcome;
mod policy;
mod proof;
mod query;
mod reason;
mod record;
mod seconds;
mod setup;
mod shared;
mod status;
mod stored;
#[cfg(feature = "test-util")]
mod test_util;
mod text;
mod ticket;
mod time;
mod token_error;
mod tokens;
mod transport;
mod unread;
mod values;
mod verdict;
pub mod wire;

pub use attempt::{Attempt, Finding, Operation, Phase};
pub use listing::{ListError, Listed, Search};
pub use outcome::{Outcome, Receipt, Refusal};
pub use policy::{Policy, Resend};
pub use proof::{Caveat, Proof};
pub use reason::{Barred, Doubt, Obstacle, Reason};
pub use setup::Setup;
pub use status::StatusError;
pub use text::{one_line, printable};
pub use ticket::Ticket;
pub use token_error::TokenError;
pub use values::{
    BaseUrl, BearerToken, Capture, Credentials, Currency, CurrencyCode, Environment,
    IdempotencyKey, Invalid, Money, OrderId,
};
pub use wire::ContentType;
pub use wire::error::ApiError;
pub use wire::order::{Order, OrderStatus};
pub use wire::orders::ListedOrder;
pub use {bytes, http};
