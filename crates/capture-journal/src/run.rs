//! Lists of captures that were approved as one, and are worked off as one.

use std::collections::BTreeMap;
use std::time::SystemTime;

use capture_core::{Capture, Money, Outcome, Receipt};
use serde::{Deserialize, Serialize};

use crate::story::{Standing, Story};

/// A list in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RunId(pub i64);

/// A list: what was approved, and whether it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// What was approved, as a hash of the environment, the captures and the limits.
    pub plan: [u8; 32],
    /// Its name, such as that of the file.
    pub name: String,
    /// How many captures it has.
    pub captures: u64,
    /// When it was approved.
    pub at: SystemTime,
    /// What it came to, once each is captured.
    pub ended: Option<Tally>,
    /// What it was held to, as flags of the command; `None` where nobody wrote it down.
    pub guards: Option<String>,
}

/// A line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file; the first is 1.
    pub line: u32,
    /// What is to be captured.
    pub capture: Capture,
    /// The merchant's own number.
    pub reference: Option<String>,
    /// When the order voids, if the merchant knows.
    pub capture_before: Option<SystemTime>,
}

/// Where a capture of a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// It is captured.
    Captured,
    /// It is captured, with a caveat: refunded since, or in another currency.
    CapturedWithCaveat,
    /// It is decided: not captured.
    NotCaptured,
    /// It may have been sent.
    Unknown,
    /// Nothing of it has been sent.
    Left,
}

impl Stands {
    /// All of them, the best first.
    pub const ALL: [Self; 5] =
        [Self::Captured, Self::CapturedWithCaveat, Self::NotCaptured, Self::Unknown, Self::Left];

    /// Where this capture stands. One that is claimed may have been sent.
    #[must_use]
    pub fn of(story: &Story) -> Self {
        match story.standing() {
            Standing::Captured(receipt, _) => Self::captured(&receipt),
            Standing::NotCaptured(..) => Self::NotCaptured,
            Standing::Claimed(..) | Standing::Unknown(_) => Self::Unknown,
            Standing::Ready => Self::Left,
        }
    }

    /// Where a capture stands that no other holder is at, once this is recorded of it.
    #[must_use]
    pub fn after(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Captured(receipt) => Self::captured(receipt),
            Outcome::NotCaptured(refusal) if refusal.reason().is_decided() => Self::NotCaptured,
            Outcome::NotCaptured(_) => Self::Left,
            Outcome::Unknown(_) => Self::Unknown,
        }
    }

    fn captured(receipt: &Receipt) -> Self {
        match receipt.caveat() {
            Some(_) => Self::CapturedWithCaveat,
            None => Self::Captured,
        }
    }

    /// Whether it is captured, or not and never will be.
    #[must_use]
    pub fn is_decided(self) -> bool {
        !matches!(self, Self::Unknown | Self::Left)
    }

    /// `captured`, `captured_with_caveat`, `not_captured`, `unknown` or `left`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Captured => "captured",
            Self::CapturedWithCaveat => "captured_with_caveat",
            Self::NotCaptured => "not_captured",
            Self::Unknown => "unknown",
            Self::Left => "left",
        }
    }
}

/// How many captures of a list stand where, and their money by currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tally(BTreeMap<Stands, BTreeMap<String, Sum>>);

/// Captures of one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// How many.
    pub captures: u64,
    /// Their money, in minor units.
    pub minor_units: u64,
    /// How many decimals the currency has.
    pub exponent: u8,
}

impl Tally {
    /// One more.
    pub fn add(&mut self, stands: Stands, money: Money) {
        let currency = money.currency();
        let sum = self.0.entry(stands).or_default().entry(currency.code().to_owned()).or_default();
        sum.captures += 1;
        sum.minor_units += u64::from(money.minor_units());
        sum.exponent = currency.exponent();
    }

    /// One stands elsewhere now.
    pub fn moves(&mut self, from: Stands, to: Stands, money: Money) {
        let sums = self.0.entry(from).or_default();
        if let Some(sum) = sums.get_mut(money.currency().code()) {
            sum.captures = sum.captures.saturating_sub(1);
            sum.minor_units = sum.minor_units.saturating_sub(money.minor_units().into());
        }
        self.add(to, money);
    }

    /// How many stand there.
    #[must_use]
    pub fn count(&self, stands: Stands) -> u64 {
        self.0.get(&stands).map_or(0, |sums| sums.values().map(|sum| sum.captures).sum())
    }

    /// How many there are.
    #[must_use]
    pub fn captures(&self) -> u64 {
        Stands::ALL.into_iter().map(|stands| self.count(stands)).sum()
    }

    /// Whether each is decided.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.count(Stands::Unknown) + self.count(Stands::Left) == 0
    }

    /// Whether it stays as it is: all are captured. What was not captured may be asked for again.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.is_decided() && self.count(Stands::NotCaptured) == 0
    }

    /// Those that stand there, by currency.
    pub fn sums(&self, stands: Stands) -> impl Iterator<Item = (&str, Sum)> {
        let sums = self.0.get(&stands).into_iter().flatten().filter(|(_, sum)| sum.captures > 0);
        sums.map(|(code, sum)| (&code[..], *sum))
    }

    /// The money of those that stand there, by currency, such as `1816600.00 USD`.
    #[must_use]
    pub fn money(&self, stands: Stands) -> Vec<String> {
        self.sums(stands).map(|(code, sum)| format!("{} {code}", sum.decimal())).collect()
    }
}

impl Sum {
    /// The money with the currency's decimals.
    #[must_use]
    pub fn decimal(&self) -> String {
        let digits = usize::from(self.exponent);
        let text = format!("{:0>width$}", self.minor_units, width = digits + 1);
        let (whole, rest) = text.split_at(text.len() - digits);
        if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_with_its_decimals() {
        let mut tally = Tally::default();
        for (amount, currency) in
            [("0.05", "USD"), ("1234.50", "USD"), ("7", "JPY"), ("0.007", "KWD")]
        {
            tally.add(Stands::Left, Money::parse(amount, currency).unwrap());
        }
        assert_eq!(tally.money(Stands::Left), ["7 JPY", "0.007 KWD", "1234.55 USD"]);
        let money = Money::parse("1234.50", "USD").unwrap();
        tally.moves(Stands::Left, Stands::Captured, money);
        assert_eq!(tally.money(Stands::Left), ["7 JPY", "0.007 KWD", "0.05 USD"]);
        assert_eq!(tally.money(Stands::Captured), ["1234.50 USD"]);
        assert_eq!((tally.captures(), tally.is_decided()), (4, false));
    }
}
