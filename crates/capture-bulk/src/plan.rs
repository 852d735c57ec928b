//! What was approved: one hash of where, what and within which limits.

use std::fmt::{self, Write as _};

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
pub struct Planner {
    hash: Sha256,
    /// Of the value that is hashed next, so that none needs memory of its own.
    shown: String,
}

impl Planner {
    /// A plan at this environment, within these limits as text.
    #[must_use]
    pub fn new(environment: &str, limits: &str) -> Self {
        let mut planner = Self { hash: Sha256::new(), shown: String::new() };
        planner.text("capture plan 1");
        planner.text(environment);
        planner.text(limits);
        planner
    }

    /// The next row.
    pub fn add(&mut self, row: &Row<'_>) {
        let (capture, money) = (&row.capture, row.capture.money());
        self.shown(format_args!("{}", capture.order_id()));
        self.shown(format_args!("{}", capture.idempotency_key()));
        self.shown(format_args!("{} {}", money.minor_units(), money.currency()));
        self.text(row.reference.unwrap_or(""));
        let since = row.capture_before.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        match since {
            Some(since) => self.shown(format_args!("{}", since.as_millis())),
            None => self.text(""),
        }
    }

    /// The plan.
    #[must_use]
    pub fn finish(self) -> PlanId {
        PlanId(self.hash.finalize().into())
    }

    fn shown(&mut self, value: fmt::Arguments<'_>) {
        let mut shown = std::mem::take(&mut self.shown);
        shown.clear();
        let _ = shown.write_fmt(value);
        self.text(&shown);
        self.shown = shown;
    }

    /// With its length before it, so that no two lists look alike.
    fn text(&mut self, text: &str) {
        self.hash.update((text.len() as u64).to_be_bytes());
        self.hash.update(text);
    }
}
