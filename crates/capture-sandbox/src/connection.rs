//! One connection: reads requests, asks the sandbox, does on the wire what it says.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant, SystemTime};

use http::{Method, StatusCode};

use crate::act::LONGEST_DELAY;
use crate::handle::{Action, Reply};
use crate::http1::{self, Decoder, Incoming, Progress};
use crate::raw::{End, Raw};
use crate::server::Shared;

/// From a request's first byte to its last.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two requests.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// For a client to take what is written to it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// For a client to read the last reply before the connection goes away under it.
const LINGER: Duration = Duration::from_secs(1);

/// Serves a connection to its end.
pub(crate) fn serve(mut stream: TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let _ = stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let mut decoder = Decoder::default();
    let is_answered = loop {
        let (reply, is_head, keep_alive) = match next(&mut stream, shared, &mut decoder) {
            Ok(Next::Request(incoming)) => {
                let Incoming { request, keep_alive } = *incoming;
                let reply = shared.sandbox().handle(&request, SystemTime::now());
                (reply, *request.method() == Method::HEAD, keep_alive)
            }
            Ok(Next::Refused(status)) => {
                let reply = shared.sandbox().refuse(status, SystemTime::now());
                (reply, false, false)
            }
            Ok(Next::Ended(reply)) => (reply, false, false),
            Ok(Next::Nothing) | Err(_) => break false,
        };
        match deliver(&mut stream, shared, &reply, is_head, keep_alive) {
            Ok(After::GoOn) => {}
            Ok(After::Close) => break true,
            // Closed without a shutdown, so that the reset is all that is sent.
            Ok(After::Reset) => return,
            Err(_) => break false,
        }
    };
    if is_answered {
        linger(&mut stream);
    }
    // The server holds a second handle on the socket, so dropping this one would not close it.
    let _ = stream.shutdown(Shutdown::Both);
}

/// What becomes of a connection after a reply.
enum After {
    GoOn,
    Close,
    Reset,
}

/// Does what the sandbox decided; this is the one place where a script becomes wire behaviour.
///
/// # Errors
/// When nothing (more) can or shall be sent.
fn deliver(
    stream: &mut TcpStream,
    shared: &Shared,
    reply: &Reply,
    is_head: bool,
    keep_alive: bool,
) -> io::Result<After> {
    if !shared.pause(reply.delay) {
        return Err(ErrorKind::Interrupted.into());
    }
    match &reply.action {
        Action::Close => Err(ErrorKind::ConnectionAborted.into()),
        Action::Respond(response) => {
            let keep_alive = keep_alive && !http1::says_close(response.headers());
            stream.write_all(&http1::encode(response, is_head, keep_alive))?;
            Ok(if keep_alive { After::GoOn } else { After::Close })
        }
        Action::Raw(raw) => {
            write(stream, shared, raw)?;
            match raw.end {
                End::Close => Ok(After::Close),
                End::Reset => {
                    socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO))?;
                    Ok(After::Reset)
                }
                End::Hang => Err(hang(stream)),
            }
        }
    }
}

fn write(stream: &mut TcpStream, shared: &Shared, raw: &Raw) -> io::Result<()> {
    let Some(drip) = &raw.drip else {
        return stream.write_all(&raw.bytes);
    };
    for (number, portion) in raw.bytes.chunks(drip.bytes.max(1)).enumerate() {
        if number > 0 && !shared.pause(drip.pause()) {
            return Err(ErrorKind::Interrupted.into());
        }
        stream.write_all(portion)?;
    }
    Ok(())
}

/// Takes what comes and says nothing, until the client leaves, the server stops, or an hour is over.
fn hang(stream: &mut TcpStream) -> io::Error {
    read_away(stream, Instant::now() + LONGEST_DELAY);
    ErrorKind::ConnectionAborted.into()
}

enum Next {
    Request(Box<Incoming>),
    Refused(StatusCode),
    /// A script ends the connection before the request is read.
    Ended(Reply),
    /// The client went away, or said nothing for too long.
    Nothing,
}

fn next(stream: &mut TcpStream, shared: &Shared, decoder: &mut Decoder) -> io::Result<Next> {
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
            if let Some(reply) = shared.sandbox().handle_head(head, SystemTime::now()) {
                return Ok(Next::Ended(reply));
            }
        }
        if matches!(progress, Progress::Continue) {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if !had_begun && !decoder.is_idle() {
            had_begun = true;
            deadline = Instant::now() + REQUEST_TIMEOUT;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() && had_begun {
            return Ok(Next::Refused(StatusCode::REQUEST_TIMEOUT));
        }
        if left.is_zero() {
            return Ok(Next::Nothing);
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(Next::Nothing),
            Ok(count) => decoder.push(&chunk[..count]),
            Err(error) if is_no_news(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The loop looks at its deadline again.
fn is_no_news(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Ends our side and reads away what the client still sends: closing over unread bytes resets the
/// connection, and a reset can destroy the reply before the client has read it.
fn linger(stream: &mut TcpStream) {
    if stream.shutdown(Shutdown::Write).is_ok() {
        read_away(stream, Instant::now() + LINGER);
    }
}

fn read_away(stream: &mut TcpStream, deadline: Instant) {
    let mut chunk = [0; 8 * 1024];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            return;
        }
        match stream.read(&mut chunk) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if is_no_news(&error) => {}
            Err(_) => return,
        }
    }
}
