//! The sandbox from outside: its semantics in virtual time, and its sockets.

mod capture;
mod claims;
mod control;
mod docs;
mod fault;
mod hostile;
mod idempotency;
mod orders;
mod page;
mod preset;
mod script;
mod socket;
mod token;
mod world;
