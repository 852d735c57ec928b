//! Which requests a rule means.

use std::fmt;

use capture_core::OrderId;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Operation;
use crate::world::draw::Draw;

/// Each member that is given must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct On {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order: Option<OrderId>,
    /// The number that the request has in the transcript.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "percent")]
    pub(crate) percent: Option<u8>,
}

/// What is known of a request when the rules are asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) operation: Operation,
    pub(crate) order: Option<OrderId>,
    pub(crate) number: u64,
}

impl On {
    /// Throws the dice only where everything else fits.
    pub(crate) fn means(self, asked: Asked, dice: &mut Draw) -> bool {
        self.operation.is_none_or(|wanted| wanted == asked.operation)
            && self.order.is_none_or(|wanted| Some(wanted) == asked.order)
            && self.request.is_none_or(|wanted| wanted == asked.number)
            && self.percent.is_none_or(|percent| dice.percent() < percent)
    }
}

impl fmt::Display for On {
    /// Such as `POST /v1/capture of 5f1a3c5e-…, 10 % of them`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation.map_or("request", Operation::route))?;
        if let Some(order) = self.order {
            write!(f, " of {order}")?;
        }
        if let Some(number) = self.request {
            write!(f, " with number {number}")?;
        }
        if let Some(percent) = self.percent {
            write!(f, ", {percent} % of them")?;
        }
        Ok(())
    }
}

fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    let percent = Option::<u8>::deserialize(deserializer)?;
    match percent {
        Some(value) if !(1..=100).contains(&value) => {
            let rule = format!("`percent` {value} must be 1 to 100");
            Err(serde::de::Error::custom(rule))
        }
        percent => Ok(percent),
    }
}

pub(super) fn once() -> u32 {
    1
}

/// A number, or `"always"`.
pub(super) mod times {
    use std::fmt;

    use serde::de::{Error, Unexpected, Visitor};
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(times: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        match *times {
            u32::MAX => serializer.serialize_str("always"),
            times => serializer.serialize_u32(times),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
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
}
