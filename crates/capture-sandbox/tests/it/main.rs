//! The sandbox from outside: its semantics in virtual time, and its sockets.

mod access;
mod capture;
mod claims;
mod control;
mod docs;
mod fault;
mod hostile;
#[cfg(feature = "tls")]
mod http2;
mod idempotency;
#[cfg(feature = "tls")]
mod many;
mod orders;
mod page;
mod preset;
mod script;
mod socket;
#[cfg(feature = "tls")]
mod tls;
mod token;
mod world;
