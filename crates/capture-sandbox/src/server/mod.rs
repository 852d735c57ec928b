//! Sockets: HTTP/1.1, HTTP/2 and TLS around a sandbox.

pub(crate) mod builder;
pub(crate) mod connection;
pub(crate) mod http1;
pub(crate) mod running;
pub(crate) mod tls;
