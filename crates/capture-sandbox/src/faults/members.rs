//! Writes the names of a JSON body's members in another case and changes no other byte.

use serde::{Deserialize, Serialize};

/// How the names are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Case {
    Upper,
    Lower,
    Pascal,
}

/// The body with every member's name in this case.
pub(crate) fn respell(body: &[u8], case: Case) -> Vec<u8> {
    let mut out = body.to_vec();
    let mut at = 0;
    while let Some(start) = body[at..].iter().position(|&byte| byte == b'"') {
        let start = at + start + 1;
        let end = start + text_length(&body[start..]);
        let after = body[(end + 1).min(body.len())..].trim_ascii_start();
        if after.first() == Some(&b':') {
            spell(&mut out[start..end], case);
        }
        at = (end + 1).min(body.len());
    }
    out
}

/// How many bytes a JSON text has before the quote that ends it.
fn text_length(rest: &[u8]) -> usize {
    let mut length = 0;
    while length < rest.len() && rest[length] != b'"' {
        length += if rest[length] == b'\\' { 2 } else { 1 };
    }
    length.min(rest.len())
}

fn spell(name: &mut [u8], case: Case) {
    match case {
        Case::Upper => name.make_ascii_uppercase(),
        Case::Lower => name.make_ascii_lowercase(),
        Case::Pascal => name.iter_mut().take(1).for_each(|byte| byte.make_ascii_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_change() {
        for (body, case, expect) in [
            (r#"{"status":"SUCCESS"}"#, Case::Pascal, r#"{"Status":"SUCCESS"}"#),
            (
                r#"{"a b" : {"orderId":["x","y:"]}}"#,
                Case::Upper,
                r#"{"A B" : {"ORDERID":["x","y:"]}}"#,
            ),
            (r#"{"TraceId":"a\":b"}"#, Case::Lower, r#"{"traceid":"a\":b"}"#),
            (r#"{"a\"b":"c\\","d":1}"#, Case::Upper, r#"{"A\"B":"c\\","D":1}"#),
            (r#"{"cut"#, Case::Upper, r#"{"cut"#),
            (r#"{"cut\"#, Case::Upper, r#"{"cut\"#),
            ("", Case::Upper, ""),
        ] {
            let found = respell(body.as_bytes(), case);
            assert_eq!(String::from_utf8(found).unwrap(), expect);
        }
    }
}
