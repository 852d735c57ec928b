//! TLS in a build without the feature `tls`: a type without values, so no sandbox serves it.

use std::sync::Arc;

use socket2::Socket;
use tokio::net::TcpStream;

use crate::server::shared::Shared;

pub(super) enum Tls {}

impl Tls {
    pub(super) async fn serve(&self, _: TcpStream, _: &Socket, _: &Arc<Shared>) {
        match *self {}
    }
}
