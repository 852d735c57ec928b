//! The summary: orders, captures and money in a few numbers, however many there are.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Serialize;

use crate::sandbox::Sandbox;

/// What truly happened, in a few numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// How many orders there are in each status, by its name as the API writes it: `COMPLETED`.
    pub orders: BTreeMap<String, usize>,
    /// How many captures took effect.
    pub captures: usize,
    /// How many orders were captured more than once.
    pub double_captures: usize,
    /// The money that was captured, in minor units by currency.
    pub captured: BTreeMap<String, u64>,
}

impl Sandbox {
    /// What truly happened, in a few numbers.
    #[must_use]
    pub fn summary(&self, now: SystemTime) -> Summary {
        let (world, now) = (&self.world, self.world.time(now));
        let mut summary = Summary::default();
        for order in world.orders.iter() {
            let name = order.status(now).to_string().to_ascii_uppercase();
            *summary.orders.entry(name).or_default() += 1;
        }
        for entry in world.ledger.entries() {
            let money = entry.money;
            let sum = summary.captured.entry(money.currency().to_string()).or_default();
            *sum += u64::from(money.minor_units());
        }
        summary.captures = world.ledger.entries().len();
        let captures = world.ledger.captures_by_order();
        summary.double_captures = captures.values().filter(|count| **count > 1).count();
        summary
    }
}
