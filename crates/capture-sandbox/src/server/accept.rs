//! Accepts connections, up to a limit.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::api::replies;
use crate::faults::encode;
use crate::server::connection;
use crate::server::shared::Shared;
use crate::server::tls::Tls;

/// Connections beyond `most` are answered 503 and closed.
pub(super) async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    tls: Option<Arc<Tls>>,
    most: usize,
) {
    let free = Arc::new(Semaphore::new(most));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Usually there are no file handles left, and only waiting can help.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&free).try_acquire_owned() else {
            let busy = replies::gateway(StatusCode::SERVICE_UNAVAILABLE);
            // The runtime may not know yet that the socket is ready to be written.
            let stream = stream.into_std();
            let _ = stream.and_then(|mut it| it.write_all(&encode(&busy, false, false)));
            continue;
        };
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        tokio::spawn(async move {
            connection::serve(stream, shared, tls.as_deref()).await;
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::runtime;

    use super::*;
    use crate::sandbox::Sandbox;
    use crate::world::Settings;

    #[test]
    fn a_full_server_answers_503_until_a_connection_ends() {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let shared = Arc::new(Shared::new(Sandbox::new(Settings::default()), None, 8787));
            tokio::spawn(accept(listener, shared, None, 1));
            let first = TcpStream::connect(address).await.unwrap();
            let mut told = String::new();
            let mut second = TcpStream::connect(address).await.unwrap();
            second.read_to_string(&mut told).await.unwrap();
            assert!(told.starts_with("HTTP/1.1 503 "), "{told}");
            drop(first);
            for turn in 0.. {
                let mut next = TcpStream::connect(address).await.unwrap();
                let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
                let _ = next.write_all(request).await;
                let mut answer = String::new();
                let _ = next.read_to_string(&mut answer).await;
                if answer.starts_with("HTTP/1.1 404 ") {
                    break;
                }
                assert!(turn < 10_000, "the first connection has ended: {answer}");
            }
        });
    }
}
