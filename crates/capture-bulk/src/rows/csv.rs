//! The fields of one line of CSV, by RFC 4180 without line breaks in fields.
//!
//! The `csv` crate reads a quoted line break as part of a field, as RFC 4180 has it, so that one
//! unclosed quote swallows rows; and it tells the line of a record, not the column of a field. A line
//! by itself is split in a few lines of code.

use std::borrow::Cow;
use std::fmt;

use memchr::{memchr, memchr_iter};

use super::cell::Place;
use super::fault::Fault;

/// What separates the fields of a CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Separator {
    /// `,`
    Comma,
    /// `;`, as spreadsheets write where the comma is for decimals.
    Semicolon,
    /// A tab.
    Tab,
}

impl Separator {
    pub(crate) const ALL: [Self; 3] = [Self::Comma, Self::Semicolon, Self::Tab];

    fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

impl fmt::Display for Separator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
        })
    }
}

/// Where one field is in its line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// With its quote, if it has one.
    pub(crate) start: usize,
    pub(crate) end: usize,
    is_quoted: bool,
}

/// Where the fields of a line are.
pub(crate) fn spans(
    place: Place<'_>,
    separator: Separator,
    spans: &mut Vec<Span>,
) -> Result<(), Fault> {
    spans.clear();
    let (line, byte) = (place.text.as_bytes(), separator.byte());
    let mut start = 0;
    if memchr(b'"', line).is_none() {
        for end in memchr_iter(byte, line).chain([line.len()]) {
            spans.push(Span { start, end, is_quoted: false });
            start = end + 1;
        }
    } else {
        loop {
            let is_quoted = line.get(start) == Some(&b'"');
            let end = match is_quoted {
                true => end_of_quoted(place, start)?,
                false => memchr(byte, &line[start..]).map_or(line.len(), |at| start + at),
            };
            if let (false, Some(at)) = (is_quoted, memchr(b'"', &line[start..end])) {
                let why =
                    "a quote in the middle of a field; quote the whole field, and double this one";
                return Err(place.fault(start + at, why));
            }
            spans.push(Span { start, end, is_quoted });
            match line.get(end) {
                None => break,
                Some(next) if *next == byte => start = end + 1,
                Some(_) => {
                    let why = format!(
                        "text after a closing quote; a {separator} or the end of the line belongs here"
                    );
                    return Err(place.fault(end, why));
                }
            }
        }
    }
    Ok(())
}

/// The place after the quote that closes the one at `start`.
fn end_of_quoted(place: Place<'_>, start: usize) -> Result<usize, Fault> {
    let line = place.text.as_bytes();
    let mut at = start + 1;
    while let Some(quote) = memchr(b'"', &line[at..]) {
        at += quote + 1;
        if line.get(at) != Some(&b'"') {
            return Ok(at);
        }
        at += 1;
    }
    let why = "a quote is opened here and not closed on this line; close it, or take the line breaks out of the field";
    Err(place.fault(start, why))
}

/// What a field holds.
pub(crate) fn text(line: &str, span: Span) -> Cow<'_, str> {
    if !span.is_quoted {
        return Cow::Borrowed(&line[span.start..span.end]);
    }
    let inner = &line[span.start + 1..span.end - 1];
    match inner.contains('"') {
        true => Cow::Owned(inner.replace("\"\"", "\"")),
        false => Cow::Borrowed(inner),
    }
}
