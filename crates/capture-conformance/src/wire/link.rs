//! A connection as the server sees it: plain, or inside of what a test wraps it in, such as TLS.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

/// A connection.
pub trait Link: Read + Write {
    fn tcp(&self) -> &TcpStream;

    /// Whether the client chose HTTP/2.
    fn is_http2(&self) -> bool {
        false
    }

    /// Says what belongs before a FIN, such as the `close_notify` of TLS.
    fn say_goodbye(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Link for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

/// What is done with a connection before the first request is read.
pub type Handshake = Arc<dyn Fn(TcpStream) -> io::Result<Box<dyn Link>> + Send + Sync>;
