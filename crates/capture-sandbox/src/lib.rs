//! The capture API with memory: a server on loopback that keeps orders, captures their money once,
//! and fails on demand. It is for this project's tests, and for a merchant's own in any language.
//!
//! Its [`Ledger`] says what truly happened, so a test can compare that with what a client believes.
//!
//! ```
//! use capture_core::Money;
//! use capture_sandbox::{Sandbox, Script};
//!
//! let sandbox = Sandbox::start(); // has its own port and orders; stops on drop
//! let order = sandbox.create_order(Money::parse("100.00", "USD")?);
//! sandbox.script(Script::lost_reply()); // the next capture happens, but its reply is lost
//!
//! // my_service(sandbox.base_url(), sandbox.app_key(), sandbox.app_secret()).capture(order);
//!
//! assert_eq!(sandbox.ledger().captures(order), 0); // 1 after the line above
//! # Ok::<(), capture_core::Invalid>(())
//! ```
//!
//! # Without a socket
//!
//! [`Sandbox::handle`] takes a request and the time and returns a [`Reply`], without IO, clock or
//! randomness. The same settings and the same requests give the same replies, byte for byte.
//!
//! ```
//! use std::time::SystemTime;
//! use bytes::Bytes;
//! use capture_sandbox::{Sandbox, Settings};
//!
//! let mut sandbox = Sandbox::new(Settings::default());
//! let request = http::Request::post("/v1/capture").body(Bytes::new())?;
//! let reply = sandbox.handle(&request, SystemTime::UNIX_EPOCH);
//! assert_eq!(reply.response().unwrap().status(), 401); // it has no token
//! # Ok::<(), http::Error>(())
//! ```
//!
//! # From any language
//!
//! The API is below `/v1`: `oauth2/token`, `evaluate`, `capture`, `orders`, `orders/{id}` and
//! `orders/{id}/cancel`. The test's own requests go below `/_sandbox/`: they create orders, script
//! faults ([`Script`], [`PRESETS`]), move the clock, read ledger and transcript, and compare what a
//! client claims with the truth ([`Audit`]). `GET /_sandbox/` lists them, and shows a browser what
//! happened; `/_sandbox/openapi.json` describes them.
//!
//! ```text
//! curl -d '{"amount": 10000, "currency": "USD"}' http://127.0.0.1:8787/_sandbox/orders
//! curl -d '{"preset": "lost-reply"}' http://127.0.0.1:8787/_sandbox/script
//! curl http://127.0.0.1:8787/_sandbox/ledger
//! ```
//!
//! # TLS and HTTP/2
//!
//! `Builder::tls` serves both, with an authority made for this server alone. Both come with the
//! feature `tls`, which is on by default. Without it a sandbox serves plain HTTP/1.1, and scripts
//! behave as they do on every sandbox without TLS: rules about handshakes are never used, and
//! `rst_stream` and `goaway` close the connection.
//!
//! ```
//! # #[cfg(feature = "tls")] {
//! use capture_sandbox::{Handshake, Sandbox, Script};
//! let sandbox = Sandbox::builder().tls().start()?;
//! let pem = sandbox.authority_pem().unwrap(); // what the client under test must trust
//! sandbox.script(Script::handshake(Handshake::Expired, 1)); // it must refuse the next connection
//! # let _ = pem; }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What is not here
//!
//! Nobody outside has seen all of the live service. Where its documents are silent, the sandbox does
//! what the recorded service would most plausibly do; where that matters there is a setting
//! ([`Settings`]). There are no refunds, webhooks, challenges or risk decisions.

#![cfg_attr(
    not(feature = "tls"),
    allow(dead_code, unused_imports, reason = "only HTTP/2 uses some of what a fault says")
)]

mod api;
mod control;
mod faults;
mod handle;
mod sandbox;
mod server;
mod world;

pub use api::PERSONAL_DATA;
pub use control::{Audit, Comparison, Standing, Summary};
pub use faults::{
    Action, Answer, Drip, End, ErrorCode, Handshake, LastStream, PRESETS, Raw, Reply, Script,
};
pub use sandbox::Sandbox;
pub use server::{Builder, Server};
pub use world::{
    Claimed, DrawnOrder, Entry, Exchange, Idempotency, Ledger, NewOrder, Operation, Sent, Settings,
};

/// Compiles the Rust of the project's `docs/sandbox.md`.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/sandbox.md")]
struct Docs;
