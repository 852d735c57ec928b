//! The lines of a file, of bounded length, and the hash of all its bytes.

use std::io::{self, ErrorKind, Read};

use memchr::memchr;
use sha2::{Digest as _, Sha256};

use super::fault::Fault;

/// The longest line, in bytes.
pub(crate) const LONGEST: usize = 64 * 1024;

/// Reads lines through one buffer. It starts with a byte order mark forgiven.
pub(crate) struct Lines<'i> {
    input: &'i mut dyn Read,
    buffer: Vec<u8>,
    /// What is not handed out yet is `buffer[start..end]`.
    start: usize,
    end: usize,
    /// No line feed is before this, so that a slow input is not searched again and again.
    searched: usize,
    number: u32,
    is_over: bool,
    hash: Sha256,
}

/// One line, without its end.
pub(crate) enum Line<'b> {
    Bytes(u32, &'b [u8]),
    TooLong(u32),
}

const MARK: &[u8] = b"\xef\xbb\xbf";

impl<'i> Lines<'i> {
    pub(crate) fn new(input: &'i mut dyn Read) -> Self {
        Self {
            input,
            buffer: vec![0; 2 * LONGEST],
            start: 0,
            end: 0,
            searched: 0,
            number: 0,
            is_over: false,
            hash: Sha256::new(),
        }
    }

    /// The beginning of the file, at least to the end of the first line or as much as a line may have,
    /// without a byte order mark.
    pub(crate) fn beginning(&mut self) -> io::Result<&[u8]> {
        while self.line_feed().is_none() && self.end - self.start <= LONGEST && !self.is_over {
            self.fill()?;
        }
        if self.buffer[..self.end].starts_with(MARK) {
            self.start = MARK.len();
            self.searched = self.searched.max(self.start);
        }
        let end = self.line_feed().unwrap_or(self.end);
        // No more than this, so that the answer does not depend on how much came at once.
        Ok(&self.buffer[self.start..end.min(self.start + LONGEST)])
    }

    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut is_too_long = false;
        let end = loop {
            if let Some(at) = self.line_feed() {
                break at;
            }
            if self.is_over {
                if self.start == self.end && !is_too_long {
                    return Ok(None);
                }
                break self.end;
            }
            if self.end - self.start > LONGEST + 1 {
                is_too_long = true;
                self.start = self.end;
            }
            self.fill()?;
        };
        let line = self.start..end;
        self.start = self.end.min(end + 1);
        self.searched = self.start;
        self.number = self.number.checked_add(1).ok_or_else(|| {
            io::Error::new(ErrorKind::InvalidData, "the file has more than 4294967295 lines")
        })?;
        let bytes = &self.buffer[line];
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        Ok(Some(if is_too_long || bytes.len() > LONGEST {
            Line::TooLong(self.number)
        } else {
            Line::Bytes(self.number, bytes)
        }))
    }

    /// The hash of everything that was read.
    pub(crate) fn sha256(self) -> [u8; 32] {
        self.hash.finalize().into()
    }

    fn line_feed(&mut self) -> Option<usize> {
        let found = memchr(b'\n', &self.buffer[self.searched..self.end]);
        let at = found.map(|at| self.searched + at);
        self.searched = at.unwrap_or(self.end);
        at
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start == self.end || self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.searched -= self.start;
            self.end -= self.start;
            self.start = 0;
        }
        let read = loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.hash.update(&self.buffer[self.end..self.end + read]);
        self.end += read;
        self.is_over = read == 0;
        Ok(())
    }
}

/// What the file is, if it cannot be a text of rows at all.
pub(crate) fn foreign(beginning: &[u8]) -> Option<&'static str> {
    match beginning {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("the file is UTF-16; save it as UTF-8"),
        [b'P', b'K', 3, 4, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            Some("the file is a workbook; save the sheet as CSV in UTF-8")
        }
        [0x1f, 0x8b, ..] => Some("the file is compressed; unpack it first"),
        [b'<', ..] => Some("the file is a web page or XML; export the rows as CSV"),
        [b'[', ..] => {
            Some("the file is a JSON array; write one object on each line, as `jq -c '.[]'` does")
        }
        _ if beginning.contains(&0) => {
            Some("the file has NUL bytes, as UTF-16 has; save it as UTF-8")
        }
        _ => None,
    }
}

/// The text of a line.
pub(crate) fn text(number: u32, bytes: &[u8]) -> Result<&str, Fault> {
    let valid = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("valid so far"),
    };
    let fault = |at: usize, why: &str| {
        let byte = format!("\\x{:02x}", bytes[at]);
        Err(Fault::of_line(number, why).at(column(valid, at)).showing(&byte))
    };
    if let Some(at) = memchr::memchr2(b'\r', 0, valid.as_bytes()) {
        return fault(
            at,
            match bytes[at] {
                0 => "a NUL byte; no text has one: export the file again",
                _ => {
                    "a carriage return inside a line; lines end with LF or CRLF, and no field holds a line break"
                }
            },
        );
    }
    if valid.len() < bytes.len() {
        return fault(valid.len(), "a byte that is not UTF-8; save the file as UTF-8");
    }
    Ok(valid)
}

/// The column in characters, from 1, of a place in a line.
pub(crate) fn column(line: &str, at: usize) -> u32 {
    let characters = line.as_bytes()[..at].iter().filter(|b| (**b as i8) >= -0x40).count();
    u32::try_from(characters).map_or(u32::MAX, |column| column + 1)
}
