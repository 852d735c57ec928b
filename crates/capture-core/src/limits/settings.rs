//! What an operator sets: expectations, ceilings, and what they override.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::sum::Sum;
use crate::values::Currency;

/// What a plan must have, what it may not exceed, and what an operator knows to be right.
///
/// Of two limits of one kind and currency both hold. Once there is a limit of a kind for one currency,
/// every currency of the plan must have one: a wrong currency is not to escape it.
///
/// Serialised, equal limits are equal text, whatever the order in which they were given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Limits {
    pub(crate) expect_count: Option<u64>,
    pub(crate) expect_total: Vec<Sum>,
    pub(crate) max_orders: Option<u64>,
    pub(crate) max_amount: Vec<Sum>,
    pub(crate) max_total: Vec<Sum>,
    pub(crate) max_day: Vec<Sum>,
    pub(crate) allow_amount: BTreeSet<u32>,
    pub(crate) allow_amounts: Vec<(String, u64)>,
    pub(crate) amounts_are_right: BTreeSet<String>,
}

impl Limits {
    /// The plan has exactly so many captures.
    #[must_use]
    pub fn expect_count(mut self, count: u64) -> Self {
        self.expect_count = Some(count);
        self
    }

    /// The plan asks for exactly this much of a currency.
    #[must_use]
    pub fn expect_total(mut self, total: Sum) -> Self {
        insert(&mut self.expect_total, total);
        self
    }

    /// The plan has at most so many captures.
    #[must_use]
    pub fn max_orders(mut self, count: u64) -> Self {
        self.max_orders = Some(count);
        self
    }

    /// No capture is of more than this.
    #[must_use]
    pub fn max_amount(mut self, limit: Sum) -> Self {
        insert(&mut self.max_amount, limit);
        self
    }

    /// All captures of the plan are of no more than this together.
    #[must_use]
    pub fn max_total(mut self, limit: Sum) -> Self {
        insert(&mut self.max_total, limit);
        self
    }

    /// So are they with what was captured today.
    #[must_use]
    pub fn max_day(mut self, limit: Sum) -> Self {
        insert(&mut self.max_day, limit);
        self
    }

    /// The amount in this line is right, however unusual.
    #[must_use]
    pub fn allow_amount(mut self, line: u32) -> Self {
        self.allow_amount.insert(line);
        self
    }

    /// Exactly so many unusual amounts of a currency are right, beside those that are allowed by line.
    #[must_use]
    pub fn allow_amounts(mut self, currency: Currency, count: u64) -> Self {
        self.allow_amounts.retain(|(allowed, _)| *allowed != currency.code());
        self.allow_amounts.push((currency.code().to_owned(), count));
        self.allow_amounts.sort_unstable();
        self
    }

    /// The amounts of this currency are right as a whole, though they are far from what was captured
    /// before. They are still compared with each other.
    #[must_use]
    pub fn amounts_are_right(mut self, currency: Currency) -> Self {
        self.amounts_are_right.insert(currency.code().to_owned());
        self
    }
}

/// As the flags that set them, such as `--expect-count 50 --max-amount USD=500.00`; nothing if none is set.
impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |flag, count: Option<u64>| count.map(|count| format!("{flag} {count}"));
        let sums = |flag: &'static str, sums: &[Sum]| -> Vec<String> {
            sums.iter().map(|sum| format!("{flag} {}", sum.flag())).collect()
        };
        let flags: Vec<String> = count("--expect-count", self.expect_count)
            .into_iter()
            .chain(sums("--expect-total", &self.expect_total))
            .chain(count("--max-orders", self.max_orders))
            .chain(sums("--max-amount", &self.max_amount))
            .chain(sums("--max-total", &self.max_total))
            .chain(sums("--max-day", &self.max_day))
            .chain(self.allow_amount.iter().map(|line| format!("--allow-amount {line}")))
            .chain(self.allow_amounts.iter().map(|(code, n)| format!("--allow-amounts {code}={n}")))
            .chain(self.amounts_are_right.iter().map(|code| format!("--amounts-are-right {code}")))
            .collect();
        f.write_str(&flags.join(" "))
    }
}

fn insert(sums: &mut Vec<Sum>, sum: Sum) {
    let key = |sum: &Sum| (sum.currency().code().to_owned(), sum.minor_units());
    if let Err(at) = sums.binary_search_by_key(&key(&sum), key) {
        sums.insert(at, sum);
    }
}
