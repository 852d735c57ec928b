//! TLS for the wire server, whose rows need none.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use capture_conformance::wire::{Handshake, Link};
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

/// The handshake of a server with this configuration.
pub(crate) fn secured(config: ServerConfig) -> Handshake {
    watched(config, |_| {})
}

/// The same; `seen` is told of what kind each handshake was.
pub(crate) fn watched(
    config: ServerConfig,
    seen: impl Fn(HandshakeKind) + Send + Sync + 'static,
) -> Handshake {
    let config = Arc::new(config);
    Arc::new(move |tcp| {
        let connection = ServerConnection::new(Arc::clone(&config)).expect("a good configuration");
        let mut tls = StreamOwned::new(connection, tcp);
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock)?;
        }
        seen(tls.conn.handshake_kind().expect("it is complete"));
        Ok(Box::new(Tls(tls)))
    })
}

struct Tls(StreamOwned<ServerConnection, TcpStream>);

impl Link for Tls {
    fn tcp(&self) -> &TcpStream {
        &self.0.sock
    }

    fn is_http2(&self) -> bool {
        self.0.conn.alpn_protocol() == Some(b"h2")
    }

    fn say_goodbye(&mut self) -> io::Result<()> {
        self.0.conn.send_close_notify();
        self.0.flush()
    }
}

impl Read for Tls {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Tls {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
