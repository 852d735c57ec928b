//! HTTP/2: each request a stream, and the faults that only streams have.

mod serve;
mod stream;
mod wire;

pub(super) use serve::serve;
