//! Sockets: HTTP/1.1, HTTP/2 and TLS around a sandbox.

mod accept;
mod access;
mod builder;
mod connection;
mod http1;
#[cfg(feature = "tls")]
mod http2;
mod io;
mod running;
mod shared;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;

pub use builder::Builder;
pub use running::Server;
