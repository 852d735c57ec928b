//! Text from outside, made safe and short enough to show to a person.

use std::error::Error;
use std::fmt::Write as _;

/// The text with every control character, bidirectional mark and invisible character escaped, cut
/// to at most `limit` characters as shown; an ellipsis marks the cut.
///
/// Text from the network reaches a terminal, a log or a ticket only through this function, so that
/// no reply can move a cursor or hide a line.
///
/// ```
/// assert_eq!(capture_core::printable("paid\u{1b}[2J", 80), r"paid\u{1b}[2J");
/// assert_eq!(capture_core::printable("abcdef", 3), "abc…");
/// assert_eq!(capture_core::printable("a\u{1b}\u{1b}", 8), r"a\u{1b}…");
/// ```
#[must_use]
pub fn printable(text: &str, limit: usize) -> String {
    // Without an early end the compiler looks at many bytes at once.
    let is_plain =
        text.len() <= limit && text.bytes().fold(true, |plain, b| plain & matches!(b, b' '..=b'~'));
    if is_plain {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len().min(limit));
    let mut left = limit;
    for c in text.chars() {
        let is_escaped = c.is_control() || is_invisible(c);
        // An escape counts as it is written: a text of them would be ten times too long.
        let width = if is_escaped { c.escape_unicode().len() } else { 1 };
        let Some(rest) = left.checked_sub(width) else {
            shown.push('…');
            break;
        };
        left = rest;
        if is_escaped {
            let _ = write!(shown, "{}", c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// An error and its causes as one escaped line.
///
/// ```
/// let error = capture_core::driver::TransportError::not_sent("connection refused");
/// let line = capture_core::one_line(&error);
/// assert_eq!(line, "the request was not sent: connection refused");
/// ```
#[must_use]
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    cut_line(&chain(error))
}

/// An error and its causes, unescaped.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Many libraries print their cause themselves; once is enough.
        if !line.ends_with(&next) {
            line.push_str(": ");
            line.push_str(&next);
        }
        cause = error.source();
    }
    line
}

/// One escaped line of a readable length.
pub(crate) fn cut_line(line: &str) -> String {
    printable(line, 300)
}

fn is_invisible(c: char) -> bool {
    const RANGES: [(u32, u32); 16] = [
        (0xad, 0xad),
        (0x34f, 0x34f),
        (0x61c, 0x61c),
        (0x115f, 0x1160),
        (0x17b4, 0x17b5),
        (0x180b, 0x180f),
        (0x200b, 0x200f),
        (0x2028, 0x202e),
        (0x205f, 0x206f),
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xfe00, 0xfe0f),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff9, 0xfffb),
        (0xe0000, 0xe0fff),
    ];
    RANGES.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(c)))
}
