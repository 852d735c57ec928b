//! JSON lines: one object on each line, with the same names as the columns.
//!
//! A value stays text until its rule reads it, so that `100.00` is never a float. Values that no field
//! takes are skipped without recursion; the length of a line bounds their depth.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use capture_core::printable;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::cell::{Cell, Cells, Place};
use super::column::{Columns, Field, Meaning, nearly};
use super::fault::{Fault, Faults};

/// Names beyond these are not remembered, nor listed.
const MOST_NAMES: usize = 256;

/// What the names of members mean, remembered because every line has the same ones.
#[derive(Debug)]
pub(crate) struct Members<'o> {
    columns: &'o Columns,
    meanings: BTreeMap<String, Meaning>,
    /// Ignored ones, in the order in which they appeared.
    pub(crate) ignored: Vec<String>,
}

impl<'o> Members<'o> {
    pub(crate) fn new(columns: &'o Columns) -> Self {
        Self { columns, meanings: BTreeMap::new(), ignored: Vec::new() }
    }

    fn meaning(&mut self, name: &str) -> Meaning {
        if let Some(meaning) = self.meanings.get(name) {
            return *meaning;
        }
        let meaning = self.columns.meaning(name);
        if self.meanings.len() < MOST_NAMES {
            self.meanings.insert(name.to_owned(), meaning);
            if meaning == Meaning::Other {
                self.ignored.push(printable(name, 60));
            }
        }
        meaning
    }

    /// The cells of a line; `None` if it is empty. Members that cannot be told apart are faults beside
    /// the cells.
    pub(crate) fn cells<'a>(
        &mut self,
        place: Place<'a>,
        faults: &mut Faults,
    ) -> Result<Option<Cells<'a>>, Fault> {
        if place.text.trim().is_empty() {
            return Ok(None);
        }
        let mut reader = serde_json::Deserializer::from_str(place.text);
        let found = Object { members: self }
            .deserialize(&mut reader)
            .and_then(|found| reader.end().map(|()| found))
            .map_err(|error| not_an_object(place, &error))?;
        let mut values = found.values;
        for (name, field, known, value) in &found.near {
            if values[*field as usize].is_some() {
                continue;
            }
            // It is not missing beside this, only misspelled.
            values[*field as usize] = Some(value);
            let why = nearly(*field, known);
            faults.add(place.fault(offset(place, value), why).of("member").showing(name));
        }
        for (field, value) in &found.again {
            let why = format!("is given more than once; keep one {field}");
            faults.add(place.fault(offset(place, value), why).of(field.name()));
        }
        Ok(Some(Field::ALL.map(|field| {
            let raw = values[field as usize].filter(|raw| raw.get() != "null")?;
            let at = offset(place, raw);
            Some(match text(field, raw.get()) {
                Ok(text) => Cell { text, at, unreadable: None },
                Err(why) => {
                    let text = raw.get().trim_matches('"').into();
                    Cell { text, at, unreadable: Some(why) }
                }
            })
        })))
    }
}

/// The text of a value.
fn text(field: Field, raw: &str) -> Result<Cow<'_, str>, String> {
    let is_amount = matches!(field, Field::Amount | Field::AmountMinor | Field::ExpectedAmount);
    match raw.as_bytes() {
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => {
            Ok(Cow::Borrowed(&raw[1..raw.len() - 1]))
        }
        [b'"', ..] => match serde_json::from_str::<String>(raw) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(_) => {
                Err("has half of a surrogate pair, which is no character; export it again".into())
            }
        },
        [b'-' | b'0'..=b'9', ..] if is_amount => Ok(Cow::Borrowed(raw)),
        // The merchant's own number may be a number.
        [b'0'..=b'9', ..]
            if field == Field::Reference && raw.bytes().all(|b| b.is_ascii_digit()) =>
        {
            Ok(Cow::Borrowed(raw))
        }
        _ if is_amount => Err("must be a string or a number, such as \"100.00\"".into()),
        _ => Err("must be a string; put it into quotes".into()),
    }
}

fn not_an_object(place: Place<'_>, error: &serde_json::Error) -> Fault {
    let message = error.to_string();
    let what = message.split(" at line ").next().unwrap_or_default();
    // Bytes from 1, and 0 if nothing was read.
    let mut at = error.column().saturating_sub(1).min(place.text.len());
    while !place.text.is_char_boundary(at) {
        at -= 1;
    }
    let why =
        format!("is not one JSON object ({}); write one object on each line", printable(what, 100));
    place.fault(at, why)
}

/// Where a value that was borrowed from the line begins in it.
fn offset(place: Place<'_>, value: &RawValue) -> usize {
    value.get().as_ptr() as usize - place.text.as_ptr() as usize
}

#[derive(Default)]
struct Found<'a> {
    values: [Option<&'a RawValue>; Field::ALL.len()],
    again: Vec<(Field, &'a RawValue)>,
    near: Vec<(String, Field, &'static str, &'a RawValue)>,
}

struct Object<'m, 'o> {
    members: &'m mut Members<'o>,
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = Found<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Found::default();
        while let Some(name) = map.next_key_seed(Name { members: self.members })? {
            match name {
                Named::Field(field) => {
                    let value: &RawValue = map.next_value()?;
                    match &mut found.values[field as usize] {
                        Some(_) => found.again.push((field, value)),
                        first @ None => *first = Some(value),
                    }
                }
                Named::Near(name, field, known) => {
                    found.near.push((name, field, known, map.next_value()?));
                }
                Named::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

struct Name<'m, 'o> {
    members: &'m mut Members<'o>,
}

enum Named {
    Field(Field),
    Near(String, Field, &'static str),
    Other,
}

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = Named;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Named, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = Named;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Named, E> {
        Ok(match self.members.meaning(name) {
            Meaning::Field(field) => Named::Field(field),
            Meaning::Near(field, known) => Named::Near(name.to_owned(), field, known),
            Meaning::Other => Named::Other,
        })
    }
}
