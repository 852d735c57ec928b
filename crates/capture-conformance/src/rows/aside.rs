//! Addresses that do not answer: a port that is bound without listening, or a listener whose queue is full.

use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};

use super::row::Target;

/// A port beside the server.
pub(super) struct Aside {
    socket: Socket,
    _fill: Vec<Socket>,
}

impl Aside {
    pub(super) fn new(target: Target) -> Self {
        let tcp = || Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let socket = tcp();
        socket.bind(&any.into()).expect("a free port");
        let mut fill = Vec::new();
        if target == Target::Full {
            socket.listen(0).expect("to listen");
            let address = socket.local_addr().expect("an address");
            // The first one fills the queue; whether more are let in depends on the kernel.
            for _ in 0..4 {
                let client = tcp();
                client.set_nonblocking(true).expect("a socket option");
                let _ = client.connect(&address);
                fill.push(client);
            }
        }
        Self { socket, _fill: fill }
    }

    pub(super) fn address(&self) -> SocketAddr {
        let address = self.socket.local_addr().expect("an address");
        address.as_socket().expect("an IP address")
    }
}
