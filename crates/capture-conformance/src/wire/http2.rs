//! HTTP/2 on the server's side: the frames that requests are met with, and the loop that serves them.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};

use super::dialogue::Endpoint;
use super::dialogue::Frame::{Close, GoAway, Head, Reply, Reset, Silence};
use super::dialogue::Frames;
use crate::replies;

pub const NO_ERROR: u32 = 0;
pub const INTERNAL_ERROR: u32 = 2;
pub const REFUSED_STREAM: u32 = 7;

/// The stream is refused: the server says that nothing was done.
pub const REFUSED: Frames = &[Reset(REFUSED_STREAM)];

pub const CANCEL: u32 = 8;
pub const ENHANCE_YOUR_CALM: u32 = 11;

pub const CAPTURED: Frames = &[Reply(200, 0, replies::SUCCESS)];
pub const GOAWAY_THEN_REPLY: Frames = &[GoAway(1, NO_ERROR), Reply(200, 0, replies::SUCCESS)];
pub const LATER: Frames = &[Reply(503, 86400, "")];
pub const WAITING: Frames =
    &[Reply(200, 0, r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f0065092a","status":5}"#)];

/// Serves one connection: reads the frames of whole requests, and meets the nth request with the nth
/// act. `record` keeps a request and says which one it is.
pub fn serve(
    link: &mut (impl Read + Write),
    acts: &[Frames],
    record: &dyn Fn(Endpoint, Vec<u8>) -> usize,
) -> io::Result<()> {
    link.read_exact(&mut [0; 24])?; // the preface
    send(link, SETTINGS, 0, 0, &[])?;
    let mut requests: BTreeMap<u32, (Endpoint, Vec<u8>)> = BTreeMap::new();
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
                let endpoint = if get { Endpoint::Lookup } else { Endpoint::Capture };
                requests.insert(stream, (endpoint, Vec::new()));
            }
            DATA => {
                if !payload.is_empty() {
                    let length = u32::try_from(payload.len()).expect("a short payload");
                    send(link, WINDOW_UPDATE, 0, 0, &length.to_be_bytes())?;
                }
                requests.entry(stream).or_insert((Endpoint::Other, Vec::new())).1.extend(payload);
            }
            SETTINGS if flags & ACK == 0 => send(link, SETTINGS, ACK, 0, &[])?,
            PING if flags & ACK == 0 => send(link, PING, ACK, 0, &payload)?,
            _ => {}
        }
        if !matches!(kind, HEADERS | DATA) || flags & END_STREAM == 0 {
            continue;
        }
        let Some((endpoint, body)) = requests.remove(&stream) else { continue };
        let nth = record(endpoint, body);
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
                Silence => {
                    return io::copy(link, &mut io::sink())
                        .and(Err(ErrorKind::UnexpectedEof.into()));
                }
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
