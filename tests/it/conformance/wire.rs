//! A server that controls every byte it sends: what it does is data.

mod connection;
mod dialogue;
pub(crate) mod http2;
mod server;
mod shared;

pub(crate) use dialogue::{
    Act, Dialogue, Do, Endpoint, Frame, Frames, Meet, Reads, Seen, on_capture,
};
pub(crate) use server::Server;
