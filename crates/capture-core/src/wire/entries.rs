//! The entries of an error body, in every shape that was seen, read into one list.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::json::{self, Name, Names, Scalar, Unreadable};
use crate::text::printable;

/// One entry of an error body.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApiError {
    /// What the API says, escaped and cut; may be empty.
    pub message: String,
    /// Its code, opaque: no table of codes is public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The request field it is about, as the API spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl ApiError {
    /// An entry about a request field.
    #[must_use]
    pub fn field(field: &str, message: &str) -> Self {
        Self { message: shown(message), code: None, field: Some(shown(field)) }
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.message.is_empty() && self.code.is_none() && self.field.is_none()
    }

    pub(crate) fn message(message: &str) -> Self {
        Self { message: shown(message), ..Self::default() }
    }
}

/// The field, the message and the code, as far as they are there.
impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        if let Some(field) = &self.field {
            write!(f, "{field}:")?;
            between = " ";
        }
        if !self.message.is_empty() {
            write!(f, "{between}{}", self.message)?;
            between = " ";
        }
        self.code.as_ref().map_or(Ok(()), |code| write!(f, "{between}({code})"))
    }
}

/// More entries than this do not help a person.
pub(super) const MOST_ERRORS: usize = 64;
/// Nor does a longer list. Each attempt may hold one, so this bounds what a ticket can grow to.
const MOST_JSON: usize = 8 * 1024;

/// The `errors` member in any of its shapes: absent, null, text, an array of text or of objects, or
/// an object of arrays by field.
pub(crate) fn read_errors(raw: Option<&RawValue>) -> Result<Vec<ApiError>, Unreadable> {
    let Some(raw) = raw.filter(|_| !is_blank(raw)).map(RawValue::get) else {
        return Ok(Vec::new());
    };
    entries(raw, true).map_err(|_| Unreadable::Type("errors"))
}

/// The `error` member: as `errors`, but an object is one entry.
pub(super) fn read_error(raw: Option<&RawValue>) -> Vec<ApiError> {
    let raw = raw.filter(|_| !is_blank(raw)).map(RawValue::get);
    raw.and_then(|raw| entries(raw, false).ok()).unwrap_or_default()
}

pub(super) fn entries(json: &str, is_top: bool) -> serde_json::Result<Vec<ApiError>> {
    let mut list = Vec::with_capacity(8);
    let mut reader = serde_json::Deserializer::from_str(json);
    Entries { list: &mut list, is_top }.deserialize(&mut reader)?;
    reader.end()?;
    cut(&mut list);
    Ok(list)
}

/// The JSON of an entry around its texts, at most.
const MEMBER_NAMES: usize = r#"{"message":"","code":"","field":""},"#.len();

/// The length of a text in JSON. It was made printable: nothing else in it is escaped.
fn escaped(text: &str) -> usize {
    text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

/// Keeps the first entries that fit into `MOST_JSON`, and always one.
fn cut(list: &mut Vec<ApiError>) {
    let mut left = MOST_JSON;
    let fits = |error: &ApiError| {
        let parts = [Some(&error.message), error.code.as_ref(), error.field.as_ref()];
        let length =
            MEMBER_NAMES + parts.into_iter().flatten().map(|text| escaped(text)).sum::<usize>();
        left.checked_sub(length).inspect(|rest| left = *rest).is_some()
    };
    if list.len() > 1 {
        let fitting = list.iter().map(fits).take_while(|fits| *fits).count();
        list.truncate(fitting.max(1));
    }
}

/// Whether the `errors` member holds nothing: absent, `null`, `[]` or `{}`.
pub(crate) fn is_blank(raw: Option<&RawValue>) -> bool {
    let mut text = raw.map_or("null", RawValue::get).bytes().filter(|b| !b.is_ascii_whitespace());
    matches!(
        (text.next(), text.next(), text.next()),
        (Some(b'n'), ..) | (Some(b'['), Some(b']'), None) | (Some(b'{'), Some(b'}'), None)
    )
}

/// Adds what it reads to the list, without a tree of values in between.
struct Entries<'l> {
    list: &'l mut Vec<ApiError>,
    /// Whether an object holds entries by field, or is one entry.
    is_top: bool,
}

impl Entries<'_> {
    fn push(self, error: ApiError) {
        if self.list.len() < MOST_ERRORS {
            self.list.push(error);
        }
    }

    fn inner(&mut self) -> Entries<'_> {
        Entries { list: self.list, is_top: false }
    }
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("errors")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.push(ApiError::message(text));
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<(), E> {
        self.visit_str(&flag.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<(), E> {
        self.visit_str(&Value::from(number).to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.inner())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        if self.is_top {
            while let Some(name) = members.next_key::<String>()? {
                let (before, is_trace) = (self.list.len(), name.eq_ignore_ascii_case("traceid"));
                members.next_value_seed(self.inner())?;
                if is_trace {
                    self.list.truncate(before);
                }
                for error in &mut self.list[before..] {
                    error.field = Some(shown(&name));
                }
            }
            return Ok(());
        }
        let (mut error, mut title, mut detail) = (ApiError::default(), None, None);
        while let Some(known) = members.next_key_seed(Name(const { &PARTS }))? {
            let Some(known) = known else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            let raw: &RawValue = members.next_value()?;
            let value = match Scalar::read("errors", Some(raw)).unwrap_or_default() {
                Scalar::Text(text) => shown(&text),
                Scalar::Number(Some(number)) => number.to_string(),
                Scalar::Nested if known == SOURCE => match source(raw) {
                    Some(place) => place,
                    None => continue,
                },
                _ => continue,
            };
            match known {
                0 => title = Some(value),
                1..=6 => detail = Some(value),
                7..=9 => error.code = Some(value),
                10 => drop(error.code.get_or_insert(value)),
                _ => error.field = Some(value),
            }
        }
        error.message = titled(title, detail).unwrap_or_default();
        self.push(error);
        Ok(())
    }
}

const PARTS: Names<15> = Names::new([
    "title",
    "item1",
    "message",
    "description",
    "detail",
    "errorMessage",
    "reason",
    "item2",
    "code",
    "errorCode",
    "status",
    "field",
    "property",
    "propertyName",
    "source",
]);
const SOURCE: usize = 14;

/// The place that JSON:API names: `{"pointer": "/amount"}`, or a parameter or a header.
fn source(raw: &RawValue) -> Option<String> {
    let names = const { &Names::new(["pointer", "parameter", "header"]) };
    let places = json::members(raw.get().as_bytes(), names).ok()?;
    places.into_iter().find_map(|place| Scalar::read("source", place).ok()?.text().map(shown))
}

/// A title and the detail below it in one text.
pub(super) fn titled(title: Option<String>, detail: Option<String>) -> Option<String> {
    match (title, detail) {
        (Some(title), Some(detail)) if title != detail => Some(format!("{title}: {detail}")),
        (title, detail) => detail.or(title),
    }
}

pub(super) fn shown(text: &str) -> String {
    printable(text, 400)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Vec<ApiError> {
        read_errors(Some(&RawValue::from_string(json.to_owned()).unwrap())).unwrap()
    }

    #[test]
    fn what_an_entry_is_read_from() {
        for (json, message, code, field) in [
            (r#""m""#, "m", None, None),
            ("7", "7", None, None),
            ("[-7]", "-7", None, None),
            ("[1.5]", "1.5", None, None),
            ("[true]", "true", None, None),
            (r#"[{"message":"m","code":2001}]"#, "m", Some("2001"), None),
            (r#"[{"title":"t","detail":"d","status":402}]"#, "t: d", Some("402"), None),
            (r#"[{"detail":"d","status":402,"code":"x"}]"#, "d", Some("x"), None),
            (r#"[{"detail":"d","source":{"pointer":"/amount"}}]"#, "d", None, Some("/amount")),
            (r#"{"Amount":["m"]}"#, "m", None, Some("Amount")),
        ] {
            let expected = ApiError {
                message: message.into(),
                code: code.map(str::to_owned),
                field: field.map(str::to_owned),
            };
            assert_eq!(read(json), [expected], "{json}");
        }
    }

    #[test]
    fn a_list_is_bounded_by_its_length_and_by_its_json() {
        for (text, expected) in [("x", 64), (&*"x".repeat(400), 18), (&*r#"\""#.repeat(400), 9)] {
            let list = read(&format!("[{}]", vec![format!("\"{text}\""); 100].join(",")));
            assert_eq!(list.len(), expected);
            assert!(serde_json::to_string(&list).unwrap().len() <= MOST_JSON);
        }
    }
}
