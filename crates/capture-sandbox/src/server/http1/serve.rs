//! An HTTP/1.1 connection: reads requests, asks the sandbox, and sends what it decides.

use std::io;

use http::{Method, StatusCode};
use socket2::Socket;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use crate::faults::{Action, End, Reply, encode, says_close};
use crate::server::http1::decoder::{Decoder, Incoming, Progress};
use crate::server::io::{IDLE_TIMEOUT, REQUEST_TIMEOUT, close, end, pause, write, write_raw};
use crate::server::shared::Shared;

/// Serves a connection to its end.
pub(crate) async fn serve(
    mut io: impl AsyncRead + AsyncWrite + Unpin,
    socket: &Socket,
    shared: &Shared,
) {
    let mut decoder = Decoder::default();
    loop {
        let (reply, is_head, keep_alive) = match next(&mut io, shared, &mut decoder).await {
            Ok(Next::Request(incoming)) => {
                let Incoming { request, keep_alive } = *incoming;
                let reply = shared.handle(&request);
                (reply, *request.method() == Method::HEAD, keep_alive)
            }
            Ok(Next::Refused(status)) => {
                let reply = shared.refuse(status);
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

/// Sends what the sandbox decided, and returns how the connection then ends, if it does.
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
            let keep_alive = keep_alive && !says_close(response.headers());
            write(io, &encode(response, is_head, keep_alive)).await?;
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
    /// The connection ends before the request is read.
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
            if let Some(reply) = shared.handle_head(head) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Script;
    use crate::sandbox::Sandbox;
    use crate::world::Settings;

    use std::time::SystemTime;

    use socket2::{Domain, Type};
    use tokio::io::{AsyncWriteExt, duplex};
    use tokio::runtime::Builder;

    /// What a client gets that sends this and then waits, and for how many seconds it is served, by a
    /// clock that advances only while everything waits.
    fn served(act: &str, says: &str, reads: bool) -> (String, u64) {
        let mut runtime = Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut sandbox = Sandbox::new(Settings::default());
            let script = format!(r#"{{ "rules": [{{ "do": {{ {act} }} }}] }}"#);
            sandbox.script(Script::from_json(&script).unwrap());
            let shared = Shared::new(sandbox, Some(SystemTime::UNIX_EPOCH), 8787);
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            let (mut client, io) = duplex(1024);
            let server = tokio::spawn(async move {
                let began = Instant::now();
                serve(io, &socket, &shared).await;
                began.elapsed().as_secs()
            });
            client.write_all(says.as_bytes()).await.unwrap();
            let mut read = Vec::new();
            if reads {
                client.read_to_end(&mut read).await.unwrap();
            }
            (String::from_utf8(read).unwrap(), server.await.unwrap())
        })
    }

    #[test]
    fn every_wait_has_an_end() {
        const GET: &str = "GET /v1/orders/x HTTP/1.1\r\nhost: localhost\r\n\r\n";
        const POST: &str = "POST /v1/capture HTTP/1.1\r\nhost: [::1]\r\ncontent-length: 9\r\n\r\n{";
        const NOTHING: &str = r#""delay_ms": 0"#;
        const LONG: &str =
            r#""status": 200, "body": { "text": " ", "times": 100000 }, "effect": false"#;
        // One second more where the client is given one to read the last reply.
        for (act, says, reads, begins, seconds) in [
            (NOTHING, "", true, "", 60 + 1),
            (NOTHING, GET, true, "HTTP/1.1 401 ", 60 + 1),
            (NOTHING, &GET[..20], true, "HTTP/1.1 408 ", 30 + 1),
            (NOTHING, POST, true, "HTTP/1.1 408 ", 30 + 1),
            (
                r#""delay_ms": 5000, "headers": { "connection": "close" }"#,
                GET,
                true,
                "HTTP/1.1 401 ",
                5 + 1,
            ),
            (r#""hang": true, "effect": true"#, GET, true, "", 3600),
            (LONG, GET, false, "", 30),
        ] {
            let (read, served) = served(act, says, reads);
            assert!(
                read.starts_with(begins) && read.is_empty() == begins.is_empty(),
                "{act}: {read}"
            );
            assert_eq!(served, seconds, "{act} {says}");
        }
        let act = r#""status": 200, "effect": false, "drip": { "bytes": 10, "every_ms": 1000 }"#;
        let (read, seconds) = served(act, GET, true);
        let portions = read.len().div_ceil(10) as u64;
        assert_eq!(seconds, portions - 1 + 1, "{read}");
    }
}
