//! Claims and the verdict: what a client believes, beside what truly happened.

use std::collections::BTreeMap;
use std::time::SystemTime;

use capture_core::{OrderId, OrderStatus, printable};
use serde::{Deserialize, Serialize};

use crate::sandbox::Sandbox;
use crate::world::clock;

/// What a client says became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claimed {
    /// Its money was captured.
    Captured,
    /// It was not, for good.
    NotCaptured,
    /// It may have been.
    Unknown,
}

/// How a claim stands to the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// The client is right.
    Agrees,
    /// The client does not know, and says so: no disagreement.
    Open,
    /// The client is wrong.
    Disagrees,
    /// Whatever anybody claims, the money was taken more than once.
    Double,
}

/// One order of which something was claimed, or which was captured more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The order.
    pub order: OrderId,
    /// Who claimed; nothing where the claim had no name.
    pub by: Option<String>,
    /// What was claimed last; nothing where nobody did.
    pub claimed: Option<Claimed>,
    /// When, by the sandbox's clock; in JSON in milliseconds since the Unix epoch.
    #[serde(rename = "at_ms", serialize_with = "clock::as_millis_if")]
    pub at: Option<SystemTime>,
    /// How often the money was captured.
    pub captures: usize,
    /// Whether the order is captured: by a capture, or because it was made so.
    pub captured: bool,
    /// How the claim stands to that.
    pub standing: Standing,
    /// The same as a sentence.
    pub says: String,
}

impl Finding {
    /// Whether something went wrong: a false claim, or money taken twice.
    pub(crate) fn is_wrong(&self) -> bool {
        matches!(self.standing, Standing::Disagrees | Standing::Double)
    }
}

/// What the clients claimed, beside what truly happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// How many claims disagree with the truth.
    pub disagreements: usize,
    /// How many orders were captured more than once.
    pub double_captures: usize,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
}

/// The last claim of each client about each order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims(BTreeMap<(OrderId, Option<String>), (Claimed, SystemTime)>);

/// A client's name is cut to this.
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

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Sandbox {
    /// How often the money of each captured order was captured.
    pub(crate) fn captures_by_order(&self) -> BTreeMap<OrderId, usize> {
        let mut captures = BTreeMap::new();
        for entry in self.ledger.entries() {
            *captures.entry(entry.order).or_default() += 1;
        }
        captures
    }

    /// The verdict at this time of the sandbox.
    pub(crate) fn judge(&self, now: SystemTime) -> Report {
        let captures = self.captures_by_order();
        let captures_of = |order| captures.get(&order).copied().unwrap_or_default();
        let is_captured = |order| {
            let status = self.orders.get(order).map(|order| order.status(now));
            let is_paid = matches!(status, Some(OrderStatus::Completed | OrderStatus::Returned));
            is_paid || captures_of(order) > 0
        };
        let claimed = self.claims.0.iter().map(|((order, by), (claimed, at))| {
            let (captures, captured) = (captures_of(*order), is_captured(*order));
            let standing = match (claimed, captured) {
                (Claimed::Captured, true) | (Claimed::NotCaptured, false) => Standing::Agrees,
                (Claimed::Captured, false) | (Claimed::NotCaptured, true) => Standing::Disagrees,
                (Claimed::Unknown, _) => Standing::Open,
            };
            let says = sentence(by.as_deref(), *claimed, captured);
            let (by, claimed, at) = (by.clone(), Some(*claimed), Some(*at));
            Finding { order: *order, by, claimed, at, captures, captured, standing, says }
        });
        let doubles = captures.iter().filter(|(_, count)| **count > 1);
        let double = doubles.map(|(order, count)| Finding {
            order: *order,
            by: None,
            claimed: None,
            at: None,
            captures: *count,
            captured: true,
            standing: Standing::Double,
            says: format!("this order was captured {count} times"),
        });
        let double_captures = double.clone().count();
        let mut findings: Vec<_> = double.chain(claimed).collect();
        findings.sort_by_key(|finding| match finding.standing {
            Standing::Double => 0,
            Standing::Disagrees => 1,
            Standing::Open => 2,
            Standing::Agrees => 3,
        });
        let wrong = |finding: &&Finding| finding.standing == Standing::Disagrees;
        let disagreements = findings.iter().filter(wrong).count();
        Report { disagreements, double_captures, findings }
    }
}

fn sentence(by: Option<&str>, claimed: Claimed, captured: bool) -> String {
    let who = by.unwrap_or("your service");
    let word = match claimed {
        Claimed::Captured => "captured",
        Claimed::NotCaptured => "failed",
        Claimed::Unknown => "unknown",
    };
    let truth = if captured { "was captured" } else { "was not captured" };
    format!("{who} reported {word} for an order that {truth}")
}
