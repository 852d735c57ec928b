//! An HTTP/2 connection: serves its streams, and ends it or one of them for a script.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use h2::Reason;
use h2::server::{Builder, Connection};
use socket2::Socket;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::server::http1::MAX_HEAD;
use crate::server::http2::stream::{self, Ending};
use crate::server::http2::wire::Wire;
use crate::server::io::{IDLE_TIMEOUT, REQUEST_TIMEOUT, WRITE_TIMEOUT, end, write_raw};
use crate::server::shared::Shared;

/// The most requests at once on one connection.
const MOST_STREAMS: usize = 100;

/// Serves a connection to its end.
pub(crate) async fn serve(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    socket: &Socket,
    shared: &Arc<Shared>,
) {
    let mut wire = Wire::new(io);
    let handshake = Builder::new()
        .max_concurrent_streams(MOST_STREAMS as u32)
        .max_header_list_size(MAX_HEAD as u32)
        .handshake(wire.clone());
    let Ok(Ok(mut connection)) = timeout(REQUEST_TIMEOUT, handshake).await else { return };
    let (sender, mut endings) = mpsc::channel(1);
    // Dropped last, so that no stream's end is written to a connection that must stay silent.
    let mut streams = JoinSet::new();
    loop {
        let event = poll_fn(|context| match endings.poll_recv(context) {
            Poll::Ready(Some(ending)) => Poll::Ready(Event::Ending(ending)),
            _ => connection.poll_accept(context).map(Event::Request),
        });
        let event = timeout(IDLE_TIMEOUT, event).await;
        while streams.try_join_next().is_some() {}
        match event {
            // Streams that the client gave up count until they end, so that their number is bounded.
            Ok(Event::Request(Some(Ok((_, mut respond))))) if streams.len() >= MOST_STREAMS => {
                respond.send_reset(Reason::REFUSED_STREAM);
            }
            Ok(Event::Request(Some(Ok((request, respond))))) => {
                streams.spawn(stream::serve(request, respond, Arc::clone(shared), sender.clone()));
            }
            Ok(Event::Request(_)) => return,
            Ok(Event::Ending(Ending::Stream(mut stream, reason))) => {
                let _ = flush(&mut connection, &wire).await;
                stream.send_reset(reason);
            }
            Ok(Event::Ending(Ending::Connection(raw))) => {
                let _ = flush(&mut connection, &wire).await;
                drop(connection);
                if write_raw(&mut wire, &raw).await.is_ok() {
                    end(&mut wire, socket, raw.end).await;
                }
                return;
            }
            Err(_) if streams.is_empty() => return,
            Err(_) => {}
        }
    }
}

enum Event<R> {
    Ending(Ending),
    /// `None` when the client went away.
    Request(Option<R>),
}

/// Waits until everything has been written that the client allows us to write.
async fn flush<I>(connection: &mut Connection<Wire<I>, Bytes>, wire: &Wire<I>) -> io::Result<()>
where
    I: AsyncRead + AsyncWrite + Unpin,
{
    let flushed = poll_fn(|context| match connection.poll_closed(context) {
        Poll::Pending if wire.is_blocked() => Poll::Pending,
        _ => Poll::Ready(()),
    });
    Ok(timeout(WRITE_TIMEOUT, flushed).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Sandbox;
    use crate::world::Settings;

    use std::time::Duration;

    use http::Request;
    use socket2::{Domain, Type};
    use tokio::io::duplex;

    #[test]
    fn a_client_that_reads_no_body_is_disconnected() {
        // The paused clock advances whenever there is nothing to do, so the test does not wait.
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let shared = Arc::new(Shared::new(Sandbox::new(Settings::default()), None, 8787));
            let (client, server) = duplex(64 * 1024);
            let serving = tokio::spawn(async move {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                serve(server, &socket, &shared).await;
            });
            let builder =
                h2::client::Builder::new().initial_window_size(0).handshake::<_, Bytes>(client);
            let (requests, connection) = builder.await.unwrap();
            tokio::spawn(async move { _ = connection.await });
            let mut requests = requests.ready().await.unwrap();
            let request = Request::get("https://localhost/_sandbox/openapi.json").body(());
            let (response, _) = requests.send_request(request.unwrap(), true).unwrap();
            let mut body: h2::RecvStream = response.await.unwrap().into_body();
            let hour = Duration::from_secs(3600);
            let part = timeout(hour, body.data()).await.expect("the stream ends");
            assert_eq!(part.unwrap().unwrap_err().reason(), Some(Reason::CANCEL));
            timeout(hour, serving).await.expect("the idle connection ends").unwrap();
        });
    }
}
