//! Which requests a rule is about.

use std::time::SystemTime;

use capture_core::OrderId;
use serde::{Deserialize, Deserializer, Serialize};

use crate::faults::path::PathPattern;
use crate::world::{Draw, Operation, clock};

/// Every member that is given must match. Without `path` a rule is about the API only; with one it may
/// be about a path or a method that the API does not have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct On {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<PathPattern>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order: Option<OrderId>,
    /// The request's number in the transcript.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "percent")]
    pub(crate) percent: Option<u8>,
    /// Only those above this many in one second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) above: Option<u32>,
}

/// What a rule remembers of the requests so far.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    dice: Draw,
    /// The second of the last request that was counted, and how many there were in it.
    second: u64,
    count: u32,
}

impl Memory {
    pub(crate) fn new(dice: Draw) -> Self {
        Self { dice, second: 0, count: 0 }
    }

    /// Counts a request, and says how many there were in its second, with this one.
    fn count(&mut self, at: SystemTime) -> u32 {
        let second = clock::millis(at) / 1000;
        if second != self.second {
            (self.second, self.count) = (second, 0);
        }
        self.count = self.count.saturating_add(1);
        self.count
    }
}

/// What is known of a request when the rules are asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) path: &'a str,
    /// `None` for a path or a method that the API does not have.
    pub(crate) operation: Option<Operation>,
    pub(crate) order: Option<OrderId>,
    pub(crate) number: u64,
    pub(crate) at: SystemTime,
}

impl On {
    /// Throws the dice only if everything else matches, and counts what then is left.
    pub(crate) fn matches(&self, asked: Asked<'_>, memory: &mut Memory) -> bool {
        let is_meant = match &self.path {
            Some(pattern) => pattern.matches(asked.path),
            None => asked.operation.is_some(),
        };
        is_meant
            && self.operation.is_none_or(|wanted| Some(wanted) == asked.operation)
            && self.order.is_none_or(|wanted| Some(wanted) == asked.order)
            && self.request.is_none_or(|wanted| wanted == asked.number)
            && self.percent.is_none_or(|percent| memory.dice.percent() < percent)
            && self.above.is_none_or(|most| memory.count(asked.at) > most)
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
