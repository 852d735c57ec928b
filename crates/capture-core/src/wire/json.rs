//! Reading JSON from the network: one complete object, its known members in any case, no duplicates.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Why a body could not be read. It holds no byte of the body, which may be personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// There is no body at all.
    #[error("the body is empty")]
    Empty,
    /// The bytes are not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// The bytes are not exactly one complete JSON object.
    #[error("the body is not one complete JSON object (line {line}, column {column})")]
    NotJson {
        /// Line of the first fault, from 1.
        line: usize,
        /// Column of the first fault, from 1.
        column: usize,
    },
    /// A member that matters appears twice, in whatever case: neither is believed.
    #[error("the member \"{0}\" appears more than once")]
    Duplicate(&'static str),
    /// A member that matters has a type that means nothing.
    #[error("the member \"{0}\" has an unexpected type")]
    Type(&'static str),
}

/// Names to look for, in any case, with a filter that passes over nearly every other name at once.
#[derive(Debug)]
pub(crate) struct Names<const N: usize> {
    names: [&'static str; N],
    /// One bit for each length and first letter that occurs.
    filter: u64,
}

impl<const N: usize> Names<N> {
    pub(crate) const fn new(names: [&'static str; N]) -> Self {
        let (mut filter, mut at) = (0, 0);
        while at < N {
            filter |= bit(names[at].as_bytes());
            at += 1;
        }
        Self { names, filter }
    }

    fn index(&self, name: &str) -> Option<usize> {
        if self.filter & bit(name.as_bytes()) == 0 {
            return None;
        }
        self.find(name)
    }

    fn find(&self, name: &str) -> Option<usize> {
        // As the API spells it, which costs less to compare.
        let mut names = self.names.iter();
        if let Some(index) = names.position(|known| *known == name) {
            return Some(index);
        }
        self.names.iter().position(|known| known.eq_ignore_ascii_case(name))
    }
}

const fn bit(name: &[u8]) -> u64 {
    match name {
        [first, ..] => 1 << (((*first | 0x20) as usize + name.len() * 5) % 64),
        [] => 0,
    }
}

/// The members of the one object in `body` that have these names, in any case.
///
/// Unknown members are skipped without allocating. Anything that is not exactly one complete object
/// is refused, with one leading byte order mark forgiven. Skipping does not recurse, so depth costs
/// nothing; the caller bounds the size.
pub(crate) fn members<'a, const N: usize>(
    body: &'a [u8],
    names: &Names<N>,
) -> Result<[Option<&'a RawValue>; N], Unreadable> {
    let (found, _) = members_and(body, names, const { &Names::new([]) })?;
    Ok(found)
}

/// The same, and whether any of the `others` is there and not `null`.
pub(crate) fn members_and<'a, const N: usize, const M: usize>(
    body: &'a [u8],
    names: &Names<N>,
    others: &Names<M>,
) -> Result<([Option<&'a RawValue>; N], bool), Unreadable> {
    let text = text(body)?;
    let (mut duplicate, mut has_others) = (None, false);
    let mut reader = serde_json::Deserializer::from_str(text);
    let (duplicate_name, any) = (&mut duplicate, &mut has_others);
    let seed = Members { names, others, duplicate: duplicate_name, has_others: any };
    let found = seed.deserialize(&mut reader).and_then(|found| reader.end().map(|()| found));
    match (found, duplicate) {
        (_, Some(name)) => Err(Unreadable::Duplicate(name)),
        (Ok(found), None) => Ok((found, has_others)),
        (Err(error), None) => Err(not_json(&error)),
    }
}

/// The first elements of the one array in `text`, at most so many, and how many it has.
pub(crate) fn elements(text: &str, most: usize) -> Result<(Vec<&RawValue>, usize), Unreadable> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let elements = reader.deserialize_seq(Elements { most });
    elements.and_then(|elements| reader.end().map(|()| elements)).map_err(|error| not_json(&error))
}

/// The body as text, without one leading byte order mark.
pub(crate) fn text(body: &[u8]) -> Result<&str, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_ascii().is_empty() { Err(Unreadable::Empty) } else { Ok(text) }
}

pub(crate) fn not_json(error: &serde_json::Error) -> Unreadable {
    Unreadable::NotJson { line: error.line(), column: error.column() }
}

/// A member's value, as far as a decision can rest on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Scalar<'a> {
    /// Not there, or `null`.
    #[default]
    Nothing,
    Bool(bool),
    /// A number; `None` unless it is an integer of 64 bits.
    Number(Option<i64>),
    Text(Cow<'a, str>),
    /// An array or an object.
    Nested,
}

impl<'a> Scalar<'a> {
    /// Reads the member `name`; text with a lone surrogate is unreadable.
    pub(crate) fn read(name: &'static str, raw: Option<&'a RawValue>) -> Result<Self, Unreadable> {
        let Some(raw) = raw.map(RawValue::get) else {
            return Ok(Self::Nothing);
        };
        Ok(match raw.as_bytes().first() {
            Some(b'n') => Self::Nothing,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'{' | b'[') => Self::Nested,
            Some(b'"') if !raw.contains('\\') => Self::Text(Cow::Borrowed(&raw[1..raw.len() - 1])),
            Some(b'"') => {
                let text: String = serde_json::from_str(raw).map_err(|_| Unreadable::Type(name))?;
                Self::Text(Cow::Owned(text))
            }
            _ => Self::Number(raw.parse().ok()),
        })
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// Case and spaces do not matter: `Success`, `SUCCESS ` and `CAPTURE REQUIRED` are known spellings.
pub(crate) fn fold(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|b| b.is_ascii_uppercase()) {
        return Cow::Borrowed(word); // as the contract spells it
    }
    word.chars().filter(|c| !c.is_ascii_whitespace()).map(|c| c.to_ascii_uppercase()).collect()
}

struct Elements {
    most: usize,
}

impl<'de> Visitor<'de> for Elements {
    type Value = (Vec<&'de RawValue>, usize);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
        let (mut first, mut count) = (Vec::new(), 0);
        while first.len() < self.most {
            let Some(element) = all.next_element()? else { return Ok((first, count)) };
            first.push(element);
            count += 1;
        }
        while all.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok((first, count))
    }
}

struct Members<'n, const N: usize, const M: usize> {
    names: &'n Names<N>,
    others: &'n Names<M>,
    duplicate: &'n mut Option<&'static str>,
    has_others: &'n mut bool,
}

impl<'de, const N: usize, const M: usize> DeserializeSeed<'de> for Members<'_, N, M> {
    type Value = [Option<&'de RawValue>; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize, const M: usize> Visitor<'de> for Members<'_, N, M> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut seen) = ([None; N], [false; M]);
        while let Some(name) = map.next_key_seed(Either(self.names, self.others))? {
            match name {
                Known::Name(index) => {
                    if found[index].replace(map.next_value()?).is_some() {
                        *self.duplicate = Some(self.names.names[index]);
                    }
                }
                Known::Other(index) => {
                    if std::mem::replace(&mut seen[index], true) {
                        *self.duplicate = Some(self.others.names[index]);
                    }
                    *self.has_others |= map.next_value::<Option<IgnoredAny>>()?.is_some();
                }
                Known::Nothing => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

/// Reads a key as what is known of it, without keeping it.
struct Either<'n, const N: usize, const M: usize>(&'n Names<N>, &'n Names<M>);

enum Known {
    /// Its index among the names.
    Name(usize),
    /// Its index among the others.
    Other(usize),
    Nothing,
}

impl<'de, const N: usize, const M: usize> DeserializeSeed<'de> for Either<'_, N, M> {
    type Value = Known;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Known, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<const N: usize, const M: usize> Visitor<'_> for Either<'_, N, M> {
    type Value = Known;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Known, E> {
        let Self(names, others) = self;
        if (names.filter | others.filter) & bit(key.as_bytes()) == 0 {
            return Ok(Known::Nothing);
        }
        Ok(match names.find(key) {
            Some(index) => Known::Name(index),
            None => others.find(key).map_or(Known::Nothing, Known::Other),
        })
    }
}

/// Reads a key as its index among the known names, without keeping it.
pub(crate) struct Name<'n, const N: usize>(pub(crate) &'n Names<N>);

impl<'de, const N: usize> DeserializeSeed<'de> for Name<'_, N> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<const N: usize> Visitor<'_> for Name<'_, N> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.index(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(body: &[u8]) -> Result<Scalar<'_>, Unreadable> {
        Scalar::read("status", members(body, &Names::new(["status"]))?[0])
    }

    #[test]
    fn one_complete_object_or_nothing() {
        let text = |text| Ok(Scalar::Text(Cow::Borrowed(text)));
        let not_json = |line, column| Err(Unreadable::NotJson { line, column });
        let deep =
            format!("{{\"x\":{}{},\"status\":\"S\"}}", "[".repeat(100_000), "]".repeat(100_000));
        for (body, expect) in [
            (&br#"{"status":"S"}"#[..], text("S")),
            (b"\xef\xbb\xbf {\"Status\" : \"S\"} \n", text("S")),
            (br#"{"st\u0061tus":"S","x":1e400,"y":-0}"#, text("S")),
            (br#"{"status":"\u0053"}"#, text("S")),
            (deep.as_bytes(), text("S")),
            (br#"{"status":null}"#, Ok(Scalar::Nothing)),
            (br"{}", Ok(Scalar::Nothing)),
            (br#"{"status":400}"#, Ok(Scalar::Number(Some(400)))),
            (br#"{"status":1e400}"#, Ok(Scalar::Number(None))),
            (br#"{"status":{"a":1}}"#, Ok(Scalar::Nested)),
            (br#"{"status":"\ud800"}"#, Err(Unreadable::Type("status"))),
            (br#"{"status":"S","STATUS":"S"}"#, Err(Unreadable::Duplicate("status"))),
            (b"", Err(Unreadable::Empty)),
            (b" \r\n", Err(Unreadable::Empty)),
            (b"\xff\xfe{\x00}\x00", Err(Unreadable::NotUtf8)),
            (br#"{"status":"S""#, not_json(1, 13)),
            (br#"{"status":"S"}{}"#, not_json(1, 15)),
            (br#"{"status":"S"} x"#, not_json(1, 16)),
            (br#"[{"status":"S"}]"#, not_json(1, 0)),
            (b"<html>", not_json(1, 1)),
        ] {
            assert_eq!(
                status(body),
                expect,
                "{}",
                String::from_utf8_lossy(&body[..body.len().min(60)])
            );
        }
    }
}
