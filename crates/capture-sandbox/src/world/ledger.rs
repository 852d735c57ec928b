//! The ledger: what truly happened, whatever the replies said.

use std::time::SystemTime;

use capture_core::{Capture, IdempotencyKey, Money, OrderId};
use serde::Serialize;

use crate::world::clock;

/// One capture that took effect: money moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// The order.
    pub order: OrderId,
    /// The key under which it was captured.
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

    pub(crate) fn record(&mut self, capture: &Capture, at: SystemTime) {
        self.captures.push(Entry {
            order: capture.order_id(),
            key: capture.idempotency_key(),
            money: capture.money(),
            at,
        });
    }
}
