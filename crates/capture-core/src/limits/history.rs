//! What was captured before, in short.

use super::sketch::Sketch;
use super::sum::Sum;
use crate::values::{Currency, Money};

/// What the journal captured before, by currency: how the amounts are distributed, and today's sums.
///
/// It holds 14 KiB a currency, however many captures it is told of.
///
/// ```
/// use capture_core::Money;
/// use capture_core::limits::{History, Sum};
/// let mut history = History::default();
/// history.captured(Money::parse("9.99", "USD")?, 4_711); // as `group by amount` counts them
/// history.today("USD=310.00".parse()?);
/// # Ok::<(), capture_core::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    sketches: Vec<Sketch>,
    today: Vec<Sum>,
}

impl History {
    /// An amount that was captured so many times.
    pub fn captured(&mut self, money: Money, times: u64) {
        let currency = money.currency();
        let at = self.sketches.iter().position(|sketch| sketch.currency == currency);
        let at = at.unwrap_or_else(|| {
            self.sketches.push(Sketch::new(currency));
            self.sketches.len() - 1
        });
        self.sketches[at].add(money.minor_units(), times);
    }

    /// A sum that was captured today, or that open captures of today may have captured. What is today
    /// the caller says.
    pub fn today(&mut self, sum: Sum) {
        self.today.push(sum);
    }

    pub(crate) fn sketch(&self, currency: Currency) -> Option<&Sketch> {
        self.sketches.iter().find(|sketch| sketch.currency == currency)
    }

    pub(crate) fn today_in(&self, currency: Currency) -> u128 {
        let sums = self.today.iter().filter(|sum| sum.currency() == currency);
        sums.fold(0, |total, sum| total.saturating_add(sum.minor_units()))
    }
}
