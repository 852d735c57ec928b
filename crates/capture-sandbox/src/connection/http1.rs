//! HTTP/1.1 on a connection: reads requests, asks the sandbox, does on the wire what it says.

use std::io;

use http::{Method, StatusCode};
use socket2::Socket;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use super::{IDLE_TIMEOUT, REQUEST_TIMEOUT, close, end, pause, write, write_raw};
use crate::handle::{Action, Reply};
use crate::http1::{self, Decoder, Incoming, Progress};
use crate::raw::End;
use crate::server::Shared;

/// Serves a connection to its end.
pub(super) async fn serve(
    mut io: impl AsyncRead + AsyncWrite + Unpin,
    socket: &Socket,
    shared: &Shared,
) {
    let mut decoder = Decoder::default();
    loop {
        let (reply, is_head, keep_alive) = match next(&mut io, shared, &mut decoder).await {
            Ok(Next::Request(incoming)) => {
                let Incoming { request, keep_alive } = *incoming;
                let reply = shared.sandbox().handle(&request, shared.now());
                (reply, *request.method() == Method::HEAD, keep_alive)
            }
            Ok(Next::Refused(status)) => {
                let reply = shared.sandbox().refuse(status, shared.now());
                (reply, false, false)
            }
            Ok(Next::Ended(reply)) => (reply, false, false),
            Ok(Next::Nothing) => return close(&mut io).await,
            Err(_) => return,
        };
        match deliver(&mut io, &reply, is_head, keep_alive).await {
            Ok(None) => {}
            Ok(Some(how)) => return end(&mut io, socket, how).await,
            Err(_) => return,
        }
    }
}

/// Does what the sandbox decided, and says how the connection then ends, if it does.
///
/// # Errors
/// When nothing more can be sent.
async fn deliver(
    io: &mut (impl AsyncWrite + Unpin),
    reply: &Reply,
    is_head: bool,
    keep_alive: bool,
) -> io::Result<Option<End>> {
    pause(reply.delay).await;
    match &reply.action {
        Action::Close => Ok(Some(End::Close)),
        Action::Respond(response) => {
            let keep_alive = keep_alive && !http1::says_close(response.headers());
            write(io, &http1::encode(response, is_head, keep_alive)).await?;
            Ok((!keep_alive).then_some(End::Close))
        }
        Action::Raw(raw) => {
            write_raw(io, raw).await?;
            Ok(Some(raw.end))
        }
    }
}

enum Next {
    Request(Box<Incoming>),
    Refused(StatusCode),
    /// A script ends the connection before the request is read.
    Ended(Reply),
    /// The client went away, or said nothing for too long.
    Nothing,
}

async fn next(
    io: &mut (impl AsyncRead + AsyncWrite + Unpin),
    shared: &Shared,
    decoder: &mut Decoder,
) -> io::Result<Next> {
    let mut chunk = [0; 8 * 1024];
    let (mut had_begun, mut had_head) = (false, false);
    let mut deadline = Instant::now() + IDLE_TIMEOUT;
    loop {
        let progress = match decoder.advance() {
            Ok(Progress::Ready(incoming)) => return Ok(Next::Request(incoming)),
            Ok(progress) => progress,
            Err(status) => return Ok(Next::Refused(status)),
        };
        if let Some(head) = decoder.head().filter(|_| !had_head) {
            had_head = true;
            if let Some(reply) = shared.sandbox().handle_head(head, shared.now()) {
                return Ok(Next::Ended(reply));
            }
        }
        if matches!(progress, Progress::Continue) {
            write(io, b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        if !had_begun && !decoder.is_idle() {
            had_begun = true;
            deadline = Instant::now() + REQUEST_TIMEOUT;
        }
        match timeout_at(deadline, io.read(&mut chunk)).await {
            Ok(Ok(0)) => return Ok(Next::Nothing),
            Ok(count) => decoder.push(&chunk[..count?]),
            Err(_) if had_begun => return Ok(Next::Refused(StatusCode::REQUEST_TIMEOUT)),
            Err(_) => return Ok(Next::Nothing),
        }
    }
}
