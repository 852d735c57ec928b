//! The query of a URL: its pairs, decoded.

/// The pairs of `name=value`, with `%41` and `+` decoded.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
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
