//! The audit: what the clients claim, compared with what truly happened.

use std::time::SystemTime;

use capture_core::{OrderId, OrderStatus};
use serde::Serialize;

use crate::world::{Claimed, World, clock};

/// How a claim compares with the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// The client is right.
    Agrees,
    /// The client says that it does not know, which is never wrong.
    Open,
    /// The client is wrong.
    Disagrees,
    /// The money was captured more than once, whatever any client claims.
    Double,
}

/// One claim compared with the truth, or one order that was captured more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The order.
    pub order: OrderId,
    /// The name of the client, if it gave one.
    pub by: Option<String>,
    /// The client's last claim; `None` for an order that was captured more than once.
    pub claimed: Option<Claimed>,
    /// The time of the claim, by the sandbox's clock; in JSON in milliseconds since the Unix epoch.
    #[serde(rename = "at_ms", serialize_with = "clock::as_millis_if")]
    pub at: Option<SystemTime>,
    /// How often the money was captured.
    pub captures: usize,
    /// Whether the order counts as captured: it was captured, or its status was set so.
    pub captured: bool,
    /// How the claim compares with that.
    pub standing: Standing,
    /// The same as a sentence.
    pub says: String,
}

impl Comparison {
    /// Whether something went wrong: a false claim, or a double capture.
    pub(crate) fn is_wrong(&self) -> bool {
        matches!(self.standing, Standing::Disagrees | Standing::Double)
    }
}

/// What the clients claim, compared with what truly happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Audit {
    /// How many claims disagree with the truth.
    pub disagreements: usize,
    /// How many orders were captured more than once.
    pub double_captures: usize,
    /// Every comparison, the worst first.
    pub comparisons: Vec<Comparison>,
}

/// Compares all claims with the truth; `now` is the sandbox's time.
pub(super) fn audit(world: &World, now: SystemTime) -> Audit {
    let captures = world.ledger.captures_by_order();
    let captures_of = |order| captures.get(&order).copied().unwrap_or_default();
    let is_captured = |order| {
        let status = world.orders.get(order).map(|order| order.status(now));
        let is_paid = matches!(status, Some(OrderStatus::Completed | OrderStatus::Returned));
        is_paid || captures_of(order) > 0
    };
    let claimed = world.claims.iter().map(|claim| {
        let (captures, captured) = (captures_of(claim.order), is_captured(claim.order));
        let standing = match (claim.outcome, captured) {
            (Claimed::Captured, true) | (Claimed::NotCaptured, false) => Standing::Agrees,
            (Claimed::Captured, false) | (Claimed::NotCaptured, true) => Standing::Disagrees,
            (Claimed::Unknown, _) => Standing::Open,
        };
        Comparison {
            order: claim.order,
            by: claim.by.map(str::to_owned),
            claimed: Some(claim.outcome),
            at: Some(claim.at),
            captures,
            captured,
            standing,
            says: sentence(claim.by, claim.outcome, captured),
        }
    });
    let doubles = captures.iter().filter(|(_, count)| **count > 1);
    let doubles = doubles.map(|(order, count)| Comparison {
        order: *order,
        by: None,
        claimed: None,
        at: None,
        captures: *count,
        captured: true,
        standing: Standing::Double,
        says: format!("this order was captured {count} times"),
    });
    let mut comparisons: Vec<_> = doubles.chain(claimed).collect();
    comparisons.sort_by_key(|comparison| match comparison.standing {
        Standing::Double => 0,
        Standing::Disagrees => 1,
        Standing::Open => 2,
        Standing::Agrees => 3,
    });
    let count =
        |standing| comparisons.iter().filter(|comparison| comparison.standing == standing).count();
    let (disagreements, double_captures) = (count(Standing::Disagrees), count(Standing::Double));
    Audit { disagreements, double_captures, comparisons }
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
