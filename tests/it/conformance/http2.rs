//! HTTP/2: refused streams, farewells and replies, as frames over TLS.
//!
//! The one difference between the adapters stands here: ureq has no HTTP/2 and speaks HTTP/1.1 to the
//! same server.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use super::drivers::{Driver, side_by_side};
use super::rows::{attempts, setup};
use super::tls::Authority;
use super::wire::{Operation, Script, Server};
use super::{capture, replies, secrets};

/// How one request is met.
pub(crate) type Act = &'static [Frame];

/// One thing to send, on the stream of the request or for the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Frame {
    /// A whole reply with this status, `Retry-After` (`0`: none) and body.
    Reply(u16, u32, &'static str),
    /// The head of a 200, and nothing more.
    Head,
    /// `RST_STREAM` with this code.
    Reset(u32),
    /// `GOAWAY` with this last stream and this code.
    GoAway(u32, u32),
    /// The end of the connection.
    Close,
}

use Frame::{Close, GoAway, Head, Reply, Reset};

const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;

/// The stream is refused: the server says that nothing was done.
pub(crate) fn refused_stream() -> Act {
    &[Reset(REFUSED_STREAM)]
}

const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;

pub(crate) const CAPTURED: Act = &[Reply(200, 0, replies::SUCCESS)];
const FAREWELL: Act = &[GoAway(1, NO_ERROR), Reply(200, 0, replies::SUCCESS)];
pub(crate) const LATER: Act = &[Reply(503, 86400, "")];
const WAITING: Act =
    &[Reply(200, 0, r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":5}"#)];

/// Every row through this adapter. "Not executed" (33) is *maybe sent* to us: the adapters call only
/// a connection that never came about *not sent*, and one lookup settles it.
pub(crate) fn check<D: Driver>() {
    let authority = Authority::new();
    if !D::HTTP2 {
        return speaks_http1_instead::<D>(&authority);
    }
    let rows: &[(&str, Act, &str, &str)] = &[
        ("a reply", CAPTURED, "captured reply", "C200"),
        ("33 REFUSED_STREAM", &[Reset(REFUSED_STREAM)], "unknown no_reply", "C? L503"),
        (
            "33 GOAWAY above our stream",
            &[GoAway(0, NO_ERROR), Close],
            "unknown no_reply",
            "C? L503",
        ),
        ("34 GOAWAY with our stream", &[GoAway(1, NO_ERROR), Close], "unknown no_reply", "C? L503"),
        (
            "34 GOAWAY for calm",
            &[GoAway(0, ENHANCE_YOUR_CALM), Close],
            "unknown no_reply",
            "C? L503",
        ),
        ("34 RST_STREAM CANCEL", &[Reset(CANCEL)], "unknown no_reply", "C? L503"),
        ("34 RST_STREAM INTERNAL_ERROR", &[Reset(INTERNAL_ERROR)], "unknown no_reply", "C? L503"),
        ("34 RST_STREAM NO_ERROR", &[Reset(NO_ERROR)], "unknown no_reply", "C? L503"),
        ("34 the connection ends", &[Close], "unknown no_reply", "C? L503"),
        ("34 RST_STREAM in the body", &[Head, Reset(CANCEL)], "unknown cut_reply", "C200~ L503"),
        ("34 the connection ends in the body", &[Head, Close], "unknown cut_reply", "C200~ L503"),
        ("34 GOAWAY, then the reply", FAREWELL, "captured reply", "C200"),
    ];
    side_by_side(rows, rows.len(), |(name, act, outcome, came)| {
        ends_as::<D>(&authority, name, &[act, LATER], outcome, came);
        if outcome.starts_with("unknown") {
            // A library that repeats by itself would make more requests than the record has.
            let first = came.split(' ').next().expect("an attempt");
            let came = format!("{first} L200 C200");
            ends_as::<D>(&authority, name, &[act, WAITING, CAPTURED], "captured reply", &came);
        }
    });
}

fn ends_as<D: Driver>(authority: &Authority, name: &str, acts: &[Act], outcome: &str, came: &str) {
    let script = Script { frames: acts.to_vec(), ..Script::default() };
    let server = Server::with(script, Some(authority.server(&["h2"])), None);
    let client =
        D::trusting(setup(&format!("https://{}", server.address()), true), authority.root());
    let result = client.capture(&capture());
    secrets::show(&client, &result);
    assert_eq!(format!("{} {}", result.name(), result.code()), outcome, "{name}: {result:?}");
    assert_eq!(attempts(&result), came, "{name}");
    let sent = result.attempts().iter().map(|attempt| attempt.operation);
    let sent: Vec<_> = sent.collect();
    let seen = server.seen();
    let seen: Vec<_> = seen.iter().map(|seen| (seen.operation, seen.body.clone())).collect();
    assert_eq!(
        seen.len(),
        sent.len(),
        "{name}: the wire carried {seen:?}, the record says {sent:?}"
    );
    let bodies: Vec<_> = seen.iter().filter(|(what, _)| *what == Operation::Capture).collect();
    assert!(
        bodies.iter().all(|(_, body)| *body == capture_core::wire::capture::body(&capture())),
        "{name}"
    );
}

fn speaks_http1_instead<D: Driver>(authority: &Authority) {
    let server = Server::with(Script::default(), Some(authority.server(&["h2", "http/1.1"])), None);
    let client =
        D::trusting(setup(&format!("https://{}", server.address()), true), authority.root());
    assert_eq!(client.capture(&capture()).name(), "captured");
    let seen = server.seen();
    assert!(seen[0].head.starts_with("POST /v1/capture HTTP/1.1\r\n"), "{}", seen[0].head);
}

/// Serves one connection: reads the frames of whole requests, and meets the nth request with the nth
/// act. `record` keeps a request and says which one it is.
pub(crate) fn serve(
    link: &mut (impl Read + Write),
    acts: &[Act],
    record: &dyn Fn(Operation, Vec<u8>) -> usize,
) -> io::Result<()> {
    link.read_exact(&mut [0; 24])?; // the preface
    send(link, SETTINGS, 0, 0, &[])?;
    let mut requests: BTreeMap<u32, (Operation, Vec<u8>)> = BTreeMap::new();
    loop {
        let mut head = [0; 9];
        link.read_exact(&mut head)?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        link.read_exact(&mut payload)?;
        let stream = u32::from_be_bytes(stream);
        match kind {
            HEADERS => {
                // In the static table 2 is GET and 3 is POST, and the method comes first.
                let get = payload.first() == Some(&0x82);
                let operation = if get { Operation::Lookup } else { Operation::Capture };
                requests.insert(stream, (operation, Vec::new()));
            }
            DATA => {
                if !payload.is_empty() {
                    let length = u32::try_from(payload.len()).expect("a short payload");
                    send(link, WINDOW_UPDATE, 0, 0, &length.to_be_bytes())?;
                }
                requests.entry(stream).or_insert((Operation::Other, Vec::new())).1.extend(payload);
            }
            SETTINGS if flags & ACK == 0 => send(link, SETTINGS, ACK, 0, &[])?,
            PING if flags & ACK == 0 => send(link, PING, ACK, 0, &payload)?,
            _ => {}
        }
        if !matches!(kind, HEADERS | DATA) || flags & END_STREAM == 0 {
            continue;
        }
        let Some((operation, body)) = requests.remove(&stream) else { continue };
        let nth = record(operation, body);
        for frame in acts.get(nth).copied().unwrap_or(LATER) {
            match frame {
                Reply(status, retry_after, body) => {
                    send(link, HEADERS, END_HEADERS, stream, &fields(*status, *retry_after))?;
                    send(link, DATA, END_STREAM, stream, body.as_bytes())?;
                }
                Head => send(link, HEADERS, END_HEADERS, stream, &fields(200, 0))?,
                Reset(code) => send(link, RST_STREAM, 0, stream, &code.to_be_bytes())?,
                GoAway(last, code) => {
                    let payload = [last.to_be_bytes(), code.to_be_bytes()].concat();
                    send(link, GOAWAY, 0, 0, &payload)?;
                }
                Close => return Ok(()),
            }
        }
    }
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn send(link: &mut impl Write, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    link.write_all(&[&head, payload].concat())?;
    link.flush()
}

/// The header block of a reply: literals without indexing, their names from the static table.
fn fields(status: u16, retry_after: u32) -> Vec<u8> {
    let mut block = vec![0x08];
    let mut literal = |text: &str| {
        block.push(u8::try_from(text.len()).expect("a short value"));
        block.extend(text.as_bytes());
    };
    literal(&status.to_string());
    if retry_after > 0 {
        block.extend([0x0f, 53 - 15]);
        let text = retry_after.to_string();
        block.push(u8::try_from(text.len()).expect("a short value"));
        block.extend(text.as_bytes());
    }
    block
}
