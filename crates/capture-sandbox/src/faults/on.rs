//! Which requests a rule means.

use capture_core::OrderId;
use serde::{Deserialize, Deserializer, Serialize};

use crate::world::{Draw, Operation};

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
    /// `None` for a path or a method that the API does not have.
    pub(crate) operation: Option<Operation>,
    pub(crate) order: Option<OrderId>,
    pub(crate) number: u64,
}

impl On {
    /// Throws the dice only where everything else fits.
    pub(crate) fn matches(self, asked: Asked, dice: &mut Draw) -> bool {
        asked.operation.is_some()
            && self.operation.is_none_or(|wanted| Some(wanted) == asked.operation)
            && self.order.is_none_or(|wanted| Some(wanted) == asked.order)
            && self.request.is_none_or(|wanted| wanted == asked.number)
            && self.percent.is_none_or(|percent| dice.percent() < percent)
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
