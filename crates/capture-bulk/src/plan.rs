//! What was approved: one hash of where, what and within which limits.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::rows::Row;

/// What was approved. Two files that ask for the same captures in the same order, with the same references
/// and deadlines, at the same place and within the same limits, are one plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanId(pub [u8; 32]);

/// The first 16 digits, which is what people compare.
impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Takes the rows of a plan, one by one.
#[derive(Debug, Clone)]
pub struct Planner(Sha256);

impl Planner {
    /// A plan at this environment, within these limits as text.
    #[must_use]
    pub fn new(environment: &str, limits: &str) -> Self {
        let mut planner = Self(Sha256::new());
        planner.text("capture plan 1");
        planner.text(environment);
        planner.text(limits);
        planner
    }

    /// The next row.
    pub fn add(&mut self, row: &Row<'_>) {
        let (capture, money) = (&row.capture, row.capture.money());
        self.text(&capture.order_id().to_string());
        self.text(&capture.idempotency_key().to_string());
        self.text(&format!("{} {}", money.minor_units(), money.currency()));
        self.text(row.reference.unwrap_or(""));
        let since = row.capture_before.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        self.text(&since.map_or_else(String::new, |since| since.as_millis().to_string()));
    }

    /// The plan.
    #[must_use]
    pub fn finish(self) -> PlanId {
        PlanId(self.0.finalize().into())
    }

    /// With its length before it, so that no two lists look alike.
    fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
    }
}
