//! The ledger: what truly happened, whatever the replies said.

use std::collections::BTreeMap;
use std::time::SystemTime;

use capture_core::{Capture, IdempotencyKey, Money, OrderId};
use serde::Serialize;

use crate::world::clock;

/// One capture that took effect: money moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// The order that was captured.
    pub order: OrderId,
    /// The idempotency key of the capture.
    pub key: IdempotencyKey,
    /// What was captured.
    #[serde(flatten)]
    pub money: Money,
    /// When, by the sandbox's clock; in JSON in milliseconds since the Unix epoch.
    #[serde(rename = "at_ms", serialize_with = "clock::as_millis")]
    pub at: SystemTime,
}

/// Every capture that took effect, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Ledger {
    captures: Vec<Entry>,
}

impl Ledger {
    /// How often the money of this order was captured.
    #[must_use]
    pub fn captures(&self, order: OrderId) -> usize {
        let of_order = |entry: &&Entry| entry.order == order;
        self.captures.iter().filter(of_order).count()
    }

    /// All captures, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.captures
    }

    /// How often the money of each captured order was captured.
    pub(crate) fn captures_by_order(&self) -> BTreeMap<OrderId, usize> {
        let mut captures = BTreeMap::new();
        for entry in &self.captures {
            *captures.entry(entry.order).or_default() += 1;
        }
        captures
    }

    pub(crate) fn record(&mut self, capture: &Capture, at: SystemTime) {
        self.captures.push(Entry {
            order: capture.order_id(),
            key: capture.idempotency_key(),
            money: capture.money(),
            at,
        });
    }
}
