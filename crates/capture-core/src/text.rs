//! Text from outside, made safe and short enough to show to a person.

use std::error::Error;
use std::fmt::Write as _;

/// The text with every control character, bidirectional mark and invisible character escaped, cut
/// to at most `limit` characters.
///
/// Whatever the network sends reaches a terminal, a log or a ticket only through here, so that no
/// reply can move a cursor or hide a line.
///
/// ```
/// assert_eq!(capture_core::printable("paid\u{1b}[2J", 80), r"paid\u{1b}[2J");
/// assert_eq!(capture_core::printable("abcdef", 3), "abc…");
/// ```
#[must_use]
pub fn printable(text: &str, limit: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(limit));
    for (count, c) in text.chars().enumerate() {
        if count == limit {
            shown.push('…');
            break;
        }
        if c.is_control() || is_invisible(c) {
            let _ = write!(shown, "{}", c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// An error and its causes as one line.
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
    printable(&line, 300)
}

fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}
