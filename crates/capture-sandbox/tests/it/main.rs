//! The sandbox from outside: its semantics in virtual time, and its sockets.

mod capture;
mod claims;
mod control;
mod docs;
mod fault;
mod hostile;
mod http2;
mod idempotency;
mod many;
mod orders;
mod page;
mod preset;
mod script;
mod socket;
mod tls;
mod token;
mod world;
