//! Hiding an echoed bearer token, before anything reads, shows or keeps what the network sent.
//!
//! It finds a whole token, verbatim or as JSON escapes it once (`\/`, `\u002f`). A token that is
//! escaped twice, percent-encoded, in base64 or cut into parts is not found: a server that hides the
//! token from us could hide it in any code. The cost is linear in the body, whatever it holds: at most
//! about 50 instructions a byte, twice those of the SHA-1 that is taken of it.

use std::error::Error;
use std::iter;
use std::ops::Range;

use http::header::LOCATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memmem::Finder;

use crate::text;
use crate::transport::TransportError;
use crate::values::BearerToken;
use crate::wire::{REQUEST_ID, Response};

/// A shorter token is no secret of this API; hiding it could change what a reply means.
const SHORTEST_SECRET: usize = 16;

/// Masks this token in a reply that echoes it.
pub(crate) fn response(response: &mut Response, token: &BearerToken) {
    if let Some(masked) = bytes(response.body(), token.as_bytes()) {
        *response.body_mut() = masked.into();
    }
    headers(response.headers_mut(), token);
}

/// The headers of a reply of which something is shown or kept; the others are dropped with it.
const SHOWN: [HeaderName; 2] = [REQUEST_ID, LOCATION];

/// The same for the head of a reply alone.
pub(crate) fn headers(headers: &mut HeaderMap, token: &BearerToken) {
    let secret = token.as_bytes();
    for name in SHOWN {
        if let Some(value) = headers.get_mut(name) {
            if bytes(value.as_bytes(), secret).is_some() {
                *value = HeaderValue::from_static("***");
            }
        }
    }
}

/// An error and its causes in one escaped line, without these tokens.
pub(crate) fn one_line<'a>(
    error: &(dyn Error + 'static),
    tokens: impl Iterator<Item = &'a BearerToken>,
) -> String {
    let mut line = text::chain(error);
    for token in tokens {
        if let Some(masked) = bytes(line.as_bytes(), token.as_bytes()) {
            line = String::from_utf8_lossy(&masked).into_owned();
        }
    }
    text::cut_line(&line)
}

/// The same error with that line as its only cause.
pub(crate) fn transport_error<'a>(
    error: TransportError,
    tokens: impl Iterator<Item = &'a BearerToken>,
) -> TransportError {
    let line = one_line(error.cause(), tokens);
    error.with_cause(line)
}

/// The bytes with every occurrence of the secret overwritten; `None` if there is none.
fn bytes(body: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    if secret.len() < SHORTEST_SECRET || body.len() < secret.len() {
        return None;
    }
    let finder = Finder::new(secret);
    if memchr::memchr(b'\\', body).is_none() {
        let mut copy = None;
        for at in finder.find_iter(body) {
            copy.get_or_insert_with(|| body.to_vec())[at..at + secret.len()].fill(b'*');
        }
        return copy;
    }
    let plain: Vec<u8> = units(body).map(|(byte, _)| byte).collect();
    let (mut places, mut passed, mut copy) = (units(body), 0, None);
    for at in finder.find_iter(&plain) {
        let (_, first) = places.nth(at - passed)?;
        let (_, last) = places.nth(secret.len() - 2)?;
        passed = at + secret.len();
        copy.get_or_insert_with(|| body.to_vec())[first.start..last.end].fill(b'*');
    }
    copy
}

/// The bytes of the text with `\/` and `\u00XX` unescaped, each with its place in the body.
fn units(body: &[u8]) -> impl Iterator<Item = (u8, Range<usize>)> {
    let mut at = 0;
    iter::from_fn(move || {
        let (byte, length) = match *body.get(at..)? {
            [] => return None,
            [b'\\', b'/', ..] => (b'/', 2),
            [b'\\', b'u', b'0', b'0', high, low, ..] => match (hex(high), hex(low)) {
                (Some(high), Some(low)) => (high << 4 | low, 6),
                _ => (b'\\', 1),
            },
            [byte, ..] => (byte, 1),
        };
        at += length;
        Some((byte, at - length..at))
    })
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let secret = b"canary/0123456789+";
        for (body, expected) in [
            ("x canary/0123456789+ y", Some("x ****************** y")),
            (r"x canary\/0123456789+ y", Some("x ******************* y")),
            (r"\u0063anary/0123456789\u002B", Some("****************************")),
            ("canary/0123456789+canary/0123456789+", Some("************************************")),
            (r"\\canary\/0123456789+", Some(r"\\*******************")),
            (
                r"a canary\/0123456789+ b canary\/0123456789+ c canary\/0123456789+",
                Some("a ******************* b ******************* c *******************"),
            ),
            ("canary/0123456789", None),
            (r"canary\u00/0123456789+", None),
            // What is not found, as the head of this file says.
            (r"canary\\/0123456789+", None),
            ("canary%2F0123456789%2B", None),
            ("canary/0123 456789+", None),
        ] {
            let found =
                bytes(body.as_bytes(), secret).map(|found| String::from_utf8(found).unwrap());
            assert_eq!(found.as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn the_shortest_secret_has_sixteen_characters() {
        assert_eq!(
            bytes(b"x 0123456789abcdef", b"0123456789abcdef").unwrap(),
            b"x ****************"
        );
        assert_eq!(bytes(b"x 0123456789abcde", b"0123456789abcde"), None);
    }
}
