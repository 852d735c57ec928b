//! One connection: which protocol it speaks.

use std::sync::Arc;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::server::http1;
use crate::server::io::IDLE_TIMEOUT;
use crate::server::shared::Shared;
use crate::server::tls::Tls;

/// Serves a connection to its end.
pub(super) async fn serve(tcp: TcpStream, shared: Arc<Shared>, tls: Option<&Tls>) {
    let _ = tcp.set_nodelay(true);
    // A second handle, for what cannot be done through TLS.
    let Ok(socket) = SockRef::from(&tcp).try_clone() else { return };
    let Some(tls) = tls else { return http1::serve(tcp, &socket, &shared).await };
    // The first byte of a TLS handshake, with which no HTTP request begins.
    const HANDSHAKE: u8 = 22;
    let mut first = [0];
    match timeout(IDLE_TIMEOUT, tcp.peek(&mut first)).await {
        Ok(Ok(1)) if first == [HANDSHAKE] => tls.serve(tcp, &socket, &shared).await,
        Ok(Ok(1)) => http1::serve(tcp, &socket, &shared).await,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::runtime::Builder;
    use tokio::time::Instant;

    use super::*;
    use crate::sandbox::Sandbox;
    use crate::world::Settings;

    #[test]
    fn an_idle_connection_is_closed_after_a_minute() {
        #[cfg(feature = "tls")]
        let tls = Some(Arc::new(Tls::new().unwrap()));
        #[cfg(not(feature = "tls"))]
        let tls: Option<Arc<Tls>> = None;
        for tls in [None, tls] {
            // The paused clock advances whenever there is nothing to do, so the test does not wait.
            let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let _client = std::net::TcpStream::connect(listener.local_addr().unwrap());
                let (tcp, _) = listener.accept().await.unwrap();
                let sandbox = Sandbox::new(Settings::default());
                let begin = Instant::now();
                serve(tcp, Arc::new(Shared::new(sandbox, None, 8787)), tls.as_deref()).await;
                let silence = begin.elapsed();
                assert!((60..=62).contains(&silence.as_secs()), "{silence:?}");
            });
        }
    }
}
