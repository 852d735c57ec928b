//! A server that controls every byte it sends: what it does is data.

mod connection;
mod dialogue;
pub mod http2;
mod link;
mod server;
mod shared;

pub use dialogue::{Act, Dialogue, Do, Endpoint, Frame, Frames, Meet, Reads, Seen, on_capture};
pub use link::{Handshake, Link};
pub use server::Server;
