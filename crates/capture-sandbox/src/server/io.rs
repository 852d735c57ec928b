//! Writing to a connection and ending it, whatever protocol it speaks.

use std::io;
use std::time::Duration;

use socket2::Socket;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::faults::{End, LONGEST_DELAY, Raw};

/// From a request's first byte to its last.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two requests.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// For a client to take what is written to it.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// For a client to read the last reply before the connection goes away under it.
const LINGER: Duration = Duration::from_secs(1);

pub(super) async fn write(io: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    let written = async {
        io.write_all(bytes).await?;
        io.flush().await
    };
    timeout(WRITE_TIMEOUT, written).await?
}

/// Writes the bytes of a script in its portions.
pub(super) async fn write_raw(io: &mut (impl AsyncWrite + Unpin), raw: &Raw) -> io::Result<()> {
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

/// Waits this long. The runtime's timer would turn zero into a millisecond.
pub(super) async fn pause(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

/// Ends a connection as a script wants it.
pub(super) async fn end(io: &mut (impl AsyncRead + AsyncWrite + Unpin), socket: &Socket, end: End) {
    match end {
        End::Close | End::RstStream(_) | End::GoAway(..) => close(io).await,
        // Closed without a shutdown, so that the reset is all that is sent.
        End::Reset => _ = socket.set_linger(Some(Duration::ZERO)),
        // Reads and sends nothing until the client goes away or an hour has passed.
        End::Hang => discard_input(io, Instant::now() + LONGEST_DELAY).await,
    }
}

/// Ends our side and discards what the client still sends: closing with unread bytes resets the
/// connection, and a reset can destroy the reply before the client has read it.
pub(super) async fn close(io: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    if let Ok(Ok(())) = timeout(LINGER, io.shutdown()).await {
        discard_input(io, Instant::now() + LINGER).await;
    }
}

pub(super) async fn discard_input(io: &mut (impl AsyncRead + Unpin), deadline: Instant) {
    let mut chunk = [0; 8 * 1024];
    while let Ok(Ok(1..)) = timeout_at(deadline, io.read(&mut chunk)).await {}
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn a_pause_of_zero_takes_no_time() {
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(pin!(pause(Duration::ZERO)).poll(&mut context), Poll::Ready(()));
    }
}
