//! `times` as it is written in a script: a number, or `"always"`.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserializer, Serializer};

/// The default.
pub(super) fn once() -> u32 {
    1
}

pub(super) fn serialize<S: Serializer>(times: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    match *times {
        u32::MAX => serializer.serialize_str("always"),
        times => serializer.serialize_u32(times),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    struct Reader;
    impl Visitor<'_> for Reader {
        type Value = u32;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number of requests from 1 on, or \"always\"")
        }

        fn visit_u64<E: Error>(self, times: u64) -> Result<u32, E> {
            let wrong = || E::invalid_value(Unexpected::Unsigned(times), &self);
            u32::try_from(times).ok().filter(|times| *times > 0).ok_or_else(wrong)
        }

        fn visit_str<E: Error>(self, word: &str) -> Result<u32, E> {
            if word == "always" {
                return Ok(u32::MAX);
            }
            Err(E::invalid_value(Unexpected::Str(word), &self))
        }
    }
    deserializer.deserialize_any(Reader)
}
