//! The query of a URL: its pairs, written and read.

use std::fmt::Write as _;

/// Appends `name=value`, with everything escaped that is not certain to pass.
pub(super) fn append(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                query.push(byte.into());
            }
            _ => write!(query, "%{byte:02X}").expect("a String takes every write"),
        }
    }
}

/// The pairs of `name=value`, with `%41` and `+` decoded.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

/// An invalid escape is left as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let escaped = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let escaped = escaped.filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match (first, escaped.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        for (query, expect) in [
            ("", ("", "")),
            ("a=b=c", ("a", "b=c")),
            ("from=2023-11-14T22%3a13%3A20Z", ("from", "2023-11-14T22:13:20Z")),
            ("a+b=%20%", ("a b", " %")),
            ("%zz=%4", ("%zz", "%4")),
            ("a=%+1%C3%A9", ("a", "% 1\u{e9}")),
            ("a=%ff", ("a", "\u{fffd}")),
        ] {
            let found = pairs(query).next().unwrap();
            assert_eq!((found.0.as_str(), found.1.as_str()), expect);
        }
    }
}
