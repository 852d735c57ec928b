//! What reaches the terminal: safe text on stdout and stderr, and one JSON object where asked for.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use capture_core::printable;
use serde::Serialize;

/// Set once stdout has failed, for instance because the disk is full.
static STDOUT_FAILED: AtomicBool = AtomicBool::new(false);

/// Writes to stdout. A closed pipe does not change what happened; any other failure is noted once.
pub(crate) fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
}

/// Takes the result of writing to stdout.
pub(crate) fn written(result: io::Result<()>) {
    let Err(error) = result else { return };
    if error.kind() != io::ErrorKind::BrokenPipe && !STDOUT_FAILED.swap(true, Ordering::Relaxed) {
        note(&format!("stdout cannot be written: {error}"));
    }
}

/// Whether something that should be on stdout is not there.
pub(crate) fn stdout_failed() -> bool {
    STDOUT_FAILED.load(Ordering::Relaxed)
}

/// One line on stdout. Control characters from the network are escaped.
pub(crate) fn line(text: &str) {
    print(&format!("{}\n", printable(text, LONGEST_LINE)));
}

/// Set once what is noted is an event of the log.
static IS_LOGGED: AtomicBool = AtomicBool::new(false);

/// From now on what is noted is an event of the log, so that stderr has one form.
pub(crate) fn notes_are_logged() {
    IS_LOGGED.store(true, Ordering::Relaxed);
}

/// One line on stderr.
pub(crate) fn note(text: &str) {
    if IS_LOGGED.load(Ordering::Relaxed) {
        return tracing::warn!(target: "capture::work", "{}", printable(text, LONGEST_LINE));
    }
    let _ = writeln!(io::stderr(), "{}", printable(text, LONGEST_LINE));
}

/// One line of JSON on stdout, in ASCII, so that no text in it can harm a terminal.
pub(crate) fn json(object: &impl Serialize) {
    let json = serde_json::to_string(object).expect("string keys and plain values only");
    print(&format!("{}\n", ascii(&json)));
}

/// What went wrong, for a person and, where asked for, for a machine.
pub(crate) fn error(as_json: bool, sentence: &str, field: Option<&str>) {
    note(&format!("error: {sentence}"));
    if as_json {
        json(&Error::new(sentence, field));
    }
}

/// The object on stdout in place of a result.
#[derive(Serialize)]
pub(crate) struct Error<'a> {
    error: String,
    field: Option<&'a str>,
}

impl<'a> Error<'a> {
    pub(crate) fn new(sentence: &str, field: Option<&'a str>) -> Self {
        Self { error: printable(sentence, LONGEST_LINE), field }
    }
}

const LONGEST_LINE: usize = 2000;

/// Escapes what is not ASCII, which in JSON occurs inside strings only.
fn ascii(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && !c.is_ascii_control() {
            escaped.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::ascii;

    #[test]
    fn escaped_json_is_the_same_json() {
        for text in ["plain", "\u{7f}\u{9b}31m", "\u{202e}\u{e9}", "\u{1f4b3}", "\"\\\n\u{1b}"] {
            let json = ascii(&serde_json::to_string(text).unwrap());
            assert!(json.bytes().all(|b| (0x20..0x7f).contains(&b)), "{json}");
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
