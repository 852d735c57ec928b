//! Proves that a transport of your own tells Capture the truth: more than 600 ways in which HTTP/1.1 can
//! go wrong, each over a real socket on loopback, with what must come of it.
//!
//! Run it in a test of your own:
//!
//! ```no_run
//! use std::time::Duration;
//! use capture_client::driver::TransportError;
//! use capture_client::{Capture, Client, Setup, blocking, wire};
//!
//! struct MyTransport;
//!
//! impl blocking::Transport for MyTransport {
//!     fn send(&self, _: wire::Request, _: Duration) -> Result<wire::Response, TransportError> {
//!         Err(TransportError::maybe_sent("your HTTP library goes here"))
//!     }
//! }
//!
//! // #[test]
//! fn my_transport_tells_the_truth() {
//!     capture_conformance::check(|setup: Setup| {
//!         let client = Client::blocking(setup, MyTransport);
//!         move |capture: &Capture| client.capture(capture)
//!     });
//! }
//! # my_transport_tells_the_truth();
//! ```
//!
//! A row that fails is printed with what was expected and what came: the outcome and its reason; the
//! attempts, as `C` (capture) or `L` (lookup) with `!` for not sent, `?` for maybe sent, or the status,
//! and `~` behind the status of a reply that was cut; and the requests that came in at the server,
//! where `T` is a login and `X` a request that must not happen.
//!
//! It needs neither TLS nor HTTP/2, and covers neither; nor does it look at proxies in the environment
//! (A8) or at dropped futures (A9). `docs/adapters.md` says what a transport owes, A1 to A12.

#![allow(clippy::must_use_candidate, reason = "most of it is for this repository's own suite")]

mod suite;

pub use suite::{Suite, check};

// Shared with the rest of this repository's suite (`tests/it/conformance`); no part of the API.
#[doc(hidden)]
pub mod fixture;
#[doc(hidden)]
pub mod notation;
#[doc(hidden)]
pub mod parallel;
#[doc(hidden)]
pub mod replies;
#[doc(hidden)]
pub mod rows;
#[doc(hidden)]
pub mod wire;
