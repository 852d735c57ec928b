//! One connection: which protocol it speaks, and what can be done to it whatever it speaks.

mod http1;
mod http2;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, Socket};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::Handshake;
use crate::faults::act::LONGEST_DELAY;
use crate::faults::raw::{End, Raw};
use crate::server::running::Shared;
use crate::server::tls::Tls;

/// From a request's first byte to its last.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two requests.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// For a client to take what is written to it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// For a client to read the last reply before the connection goes away under it.
const LINGER: Duration = Duration::from_secs(1);

/// Serves a connection to its end.
pub(crate) async fn serve(tcp: TcpStream, shared: Arc<Shared>) {
    let _ = tcp.set_nodelay(true);
    // A second handle, for what cannot be said through TLS.
    let Ok(socket) = SockRef::from(&tcp).try_clone() else { return };
    let Some(tls) = &shared.tls else { return http1::serve(tcp, &socket, &shared).await };
    // The first byte of a TLS handshake; none of HTTP is like it.
    const HANDSHAKE: u8 = 22;
    let mut first = [0];
    match timeout(IDLE_TIMEOUT, tcp.peek(&mut first)).await {
        Ok(Ok(1)) if first == [HANDSHAKE] => serve_tls(tcp, &socket, &shared, tls).await,
        Ok(Ok(1)) => http1::serve(tcp, &socket, &shared).await,
        _ => {}
    }
}

async fn serve_tls(mut tcp: TcpStream, socket: &Socket, shared: &Arc<Shared>, tls: &Tls) {
    let meets = shared.sandbox().handshake(shared.now());
    match meets {
        Some(Handshake::Close) => return end(&mut tcp, socket, End::Close).await,
        Some(Handshake::Reset) => return end(&mut tcp, socket, End::Reset).await,
        Some(Handshake::Hang) => return end(&mut tcp, socket, End::Hang).await,
        Some(Handshake::UnknownAuthority | Handshake::Expired | Handshake::WrongHost) | None => {}
    }
    let accepted = timeout(REQUEST_TIMEOUT, tls.acceptor(meets).accept(tcp)).await;
    let Ok(Ok(io)) = accepted else { return };
    match io.get_ref().1.alpn_protocol() {
        Some(b"h2") => http2::serve(io, socket, shared).await,
        _ => http1::serve(io, socket, shared).await,
    }
}

async fn write(io: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    let written = async {
        io.write_all(bytes).await?;
        io.flush().await
    };
    timeout(WRITE_TIMEOUT, written).await?
}

/// Writes the bytes of a script in its portions.
async fn write_raw(io: &mut (impl AsyncWrite + Unpin), raw: &Raw) -> io::Result<()> {
    let Some(drip) = &raw.drip else {
        return write(io, &raw.bytes).await;
    };
    for (number, portion) in raw.bytes.chunks(drip.bytes.max(1)).enumerate() {
        if number > 0 {
            pause(drip.pause()).await;
        }
        write(io, portion).await?;
    }
    Ok(())
}

/// Waits this long. The runtime's timer alone would make a millisecond of nothing.
async fn pause(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

/// Ends a connection as a script wants it.
async fn end(io: &mut (impl AsyncRead + AsyncWrite + Unpin), socket: &Socket, end: End) {
    match end {
        End::Close | End::RstStream(_) | End::GoAway(..) => close(io).await,
        // Closed without a shutdown, so that the reset is all that is sent.
        End::Reset => _ = socket.set_linger(Some(Duration::ZERO)),
        // Takes what comes and says nothing, until the client leaves or an hour is over.
        End::Hang => read_away(io, Instant::now() + LONGEST_DELAY).await,
    }
}

/// Ends our side and reads away what the client still sends: closing over unread bytes resets the
/// connection, and a reset can destroy the reply before the client has read it.
async fn close(io: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    if let Ok(Ok(())) = timeout(LINGER, io.shutdown()).await {
        read_away(io, Instant::now() + LINGER).await;
    }
}

async fn read_away(io: &mut (impl AsyncRead + Unpin), deadline: Instant) {
    let mut chunk = [0; 8 * 1024];
    while let Ok(Ok(1..)) = timeout_at(deadline, io.read(&mut chunk)).await {}
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use tokio::net::TcpListener;
    use tokio::runtime::Builder;

    use super::*;
    use crate::{Sandbox, Settings};

    #[test]
    fn who_says_nothing_is_left_after_a_minute() {
        for tls in [None, Some(Tls::new().unwrap())] {
            // No test waits for this: the runtime's time runs on whenever there is nothing to do.
            let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let _client = std::net::TcpStream::connect(listener.local_addr().unwrap());
                let (tcp, _) = listener.accept().await.unwrap();
                let sandbox = Sandbox::new(Settings::default());
                let begin = Instant::now();
                serve(tcp, Arc::new(Shared::new(sandbox, tls, None))).await;
                let silence = begin.elapsed();
                assert!((60..=62).contains(&silence.as_secs()), "{silence:?}");
            });
        }
    }

    #[test]
    fn no_pause_costs_no_time() {
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(pin!(pause(Duration::ZERO)).poll(&mut context), Poll::Ready(()));
    }
}
