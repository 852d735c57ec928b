//! Claims: what each client believes became of an order.

use std::collections::BTreeMap;
use std::time::SystemTime;

use capture_core::{OrderId, printable};
use serde::{Deserialize, Serialize};

/// What a client says became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claimed {
    /// Its money was captured.
    Captured,
    /// Its money was not captured, and never will be.
    NotCaptured,
    /// Its money may have been captured.
    Unknown,
}

/// The last claim of one client about one order.
#[derive(Debug)]
pub(crate) struct Claim<'a> {
    pub(crate) order: OrderId,
    /// The client's name, if it gave one.
    pub(crate) by: Option<&'a str>,
    pub(crate) outcome: Claimed,
    pub(crate) at: SystemTime,
}

/// The last claim of each client about each order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims(BTreeMap<(OrderId, Option<String>), (Claimed, SystemTime)>);

/// A longer client name is cut.
const LONGEST_NAME: usize = 60;

impl Claims {
    pub(crate) fn record(
        &mut self,
        order: OrderId,
        outcome: Claimed,
        by: Option<&str>,
        at: SystemTime,
    ) {
        let by = by.map(str::trim).filter(|by| !by.is_empty());
        let by = by.map(|by| printable(by, LONGEST_NAME));
        self.0.insert((order, by), (outcome, at));
    }

    /// By order, then by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Claim<'_>> {
        self.0.iter().map(|((order, by), (outcome, at))| Claim {
            order: *order,
            by: by.as_deref(),
            outcome: *outcome,
            at: *at,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
