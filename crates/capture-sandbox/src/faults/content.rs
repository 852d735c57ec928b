//! Bytes as a script writes them: a text, or an object for what a text cannot express.

use std::fmt;

use bytes::Bytes;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// No script sends more than this, which is several times what a client should accept.
pub(crate) const MOST: usize = 8 * 1024 * 1024;

/// Bytes, repeated so many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    unit: Bytes,
    times: usize,
}

impl Content {
    /// What it takes in memory before it is repeated.
    pub(crate) fn size(&self) -> usize {
        self.unit.len()
    }

    pub(crate) fn bytes(&self) -> Bytes {
        if self.times == 1 { self.unit.clone() } else { self.unit.repeat(self.times).into() }
    }
}

impl From<Bytes> for Content {
    fn from(unit: Bytes) -> Self {
        Self { unit, times: 1 }
    }
}

/// `{"text": " ", "times": 1000000}` or `{"hex": "fffe"}`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Long {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<usize>,
}

impl TryFrom<Long> for Content {
    type Error = String;

    fn try_from(long: Long) -> Result<Self, String> {
        let unit = match (long.text, long.hex) {
            (Some(text), None) => Bytes::from(text),
            (None, Some(hex)) => unhex(&hex)
                .ok_or_else(|| format!("`hex` {hex:?} must be pairs of the digits 0-9 and a-f"))?,
            _ => return Err("give either `text` or `hex`".into()),
        };
        let times = long.times.unwrap_or(1);
        if unit.len().checked_mul(times).is_none_or(|size| size > MOST) {
            return Err(format!("`times` {times} makes too much: the limit is {MOST} bytes"));
        }
        Ok(Self { unit, times })
    }
}

fn unhex(hex: &str) -> Option<Bytes> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| match *pair {
        [high, low] => Some(digit(high)? * 16 + digit(low)?),
        _ => None,
    };
    hex.as_bytes().chunks(2).map(byte).collect()
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or an object with `text` or `hex`, and `times`")
            }

            fn visit_str<E>(self, text: &str) -> Result<Content, E> {
                Ok(Bytes::copy_from_slice(text.as_bytes()).into())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Content, A::Error> {
                let long = Long::deserialize(MapAccessDeserializer::new(map))?;
                Content::try_from(long).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = std::str::from_utf8(&self.unit).ok().map(str::to_owned);
        if let (Some(text), 1) = (&text, self.times) {
            return serializer.serialize_str(text);
        }
        let hex = || self.unit.iter().map(|byte| format!("{byte:02x}")).collect();
        let hex = text.is_none().then(hex);
        Long { text, hex, times: Some(self.times) }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_bytes() {
        for (written, bytes) in [
            (r#""paid""#, &b"paid"[..]),
            (r#""""#, b""),
            (r#"{"hex":"ff00FE"}"#, b"\xff\x00\xfe"),
            (r#"{"text":"ab","times":3}"#, b"ababab"),
            (r#"{"hex":"c3","times":2}"#, b"\xc3\xc3"),
            (r#"{"text":"x","times":0}"#, b""),
        ] {
            let read: Content = serde_json::from_str(written).unwrap();
            assert_eq!(read.bytes(), bytes, "{written}");
            let again = serde_json::to_string(&read).unwrap();
            assert_eq!(serde_json::from_str::<Content>(&again).unwrap(), read, "{again}");
        }
        for (written, why) in [
            (r#"7"#, "a text, or an object"),
            (r#"{}"#, "either `text` or `hex`"),
            (r#"{"text":"a","hex":"00"}"#, "either `text` or `hex`"),
            (r#"{"hex":"0"}"#, "`hex` \"0\" must be pairs"),
            (r#"{"hex":"xx"}"#, "must be pairs"),
            (r#"{"text":"ab","times":4194305}"#, "`times` 4194305 makes too much"),
            (r#"{"text":"ab","times":18446744073709551615}"#, "makes too much"),
            (r#"{"text":"a","count":2}"#, "unknown field `count`"),
        ] {
            let error = serde_json::from_str::<Content>(written).unwrap_err().to_string();
            assert!(error.contains(why), "{written}: {error}");
        }
    }
}
