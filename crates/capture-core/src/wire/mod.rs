//! The wire: one file per operation, both directions, over `http` types with `Bytes` bodies.
//!
//! The client builds requests and reads replies; a server (the sandbox) reads requests and builds
//! replies from the same definitions.

mod api;
mod beside;
pub mod capture;
pub(crate) mod conflict;
pub mod date;
mod entries;
pub mod error;
mod json;
mod message;
pub mod order;
pub mod orders;
mod query;
mod retry_after;
pub mod token;

pub use api::{Api, ContentType};
pub use json::Unreadable;
pub(crate) use json::{Scalar, fold};
pub(crate) use message::is_plain_json;
pub use message::{REQUEST_ID, Request, Response, json_reply};
pub(crate) use retry_after::retry_after;
