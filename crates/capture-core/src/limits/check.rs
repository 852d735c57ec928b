//! Takes the rows of a plan one by one, in flat memory, and asks the guards at the end.

use super::detector::{Measure, whole};
use super::extremes::{Extremes, Row};
use super::findings::{self, Outliers};
use super::history::History;
use super::lines::{Lines, NAMED};
use super::settings::Limits;
use super::sketch::{BUCKETS, Ending, Sketch, bucket};
use super::sum::Sum;
use super::tripped::{Guard, Tripped};
use crate::values::{Currency, Money};

/// The guards at work on one plan: 14 KiB a currency, however many rows it has.
///
/// The order of the rows makes no difference.
#[derive(Debug)]
pub struct Check<'a> {
    limits: &'a Limits,
    history: &'a History,
    parts: Vec<Part>,
}

/// What is known of the rows of one currency.
#[derive(Debug)]
struct Part {
    currency: Currency,
    total: u128,
    sketch: Sketch,
    extremes: Extremes,
    /// The rows above the least ceiling.
    above: Lines,
    highest: u32,
    /// Amounts that are allowed by line.
    allowed: Vec<u32>,
    max_amount: Option<Option<u128>>,
}

impl<'a> Check<'a> {
    /// Begins with no row.
    #[must_use]
    pub fn new(limits: &'a Limits, history: &'a History) -> Self {
        Self { limits, history, parts: Vec::new() }
    }

    /// Takes one capture of the plan, and the line that it is from. A row that repeats an earlier one
    /// is no further capture: leave it out.
    pub fn add(&mut self, line: u32, money: Money) {
        let (minor_units, currency) = (money.minor_units(), money.currency());
        let at = self.parts.iter().position(|part| part.currency == currency);
        let at = at.unwrap_or_else(|| {
            self.parts.push(Part::new(currency, self.limits));
            self.parts.len() - 1
        });
        let part = &mut self.parts[at];
        part.total += u128::from(minor_units);
        part.sketch.add(minor_units, 1);
        if part
            .max_amount
            .is_some_and(|most| most.is_none_or(|most| u128::from(minor_units) > most))
        {
            part.above.add(line);
            part.highest = part.highest.max(minor_units);
        }
        if self.limits.allow_amount.contains(&line) {
            part.allowed.push(minor_units);
        } else {
            part.extremes.add(minor_units, line);
        }
    }

    /// The guards that trip, in a fixed order, and each by the code of its currency. Send nothing
    /// unless there are none.
    #[must_use]
    pub fn finish(mut self) -> Vec<Tripped> {
        self.parts.sort_by_key(|part| (part.currency.code().to_owned(), part.currency.exponent()));
        let mut tripped = self.counts();
        self.expected_totals(&mut tripped);
        for part in &self.parts {
            self.ceilings(part, &mut tripped);
            self.amounts(part, &mut tripped);
        }
        tripped.sort_by(|a, b| (a.guard, &a.currency).cmp(&(b.guard, &b.currency)));
        tripped
    }

    fn counts(&self) -> Vec<Tripped> {
        let rows = self.parts.iter().map(|part| part.sketch.count()).sum();
        let expected = self.limits.expect_count.filter(|expected| *expected != rows);
        let most = self.limits.max_orders.filter(|most| *most < rows);
        let expected = expected.map(|expected| findings::count(Guard::ExpectCount, rows, expected));
        let most = most.map(|most| findings::count(Guard::MaxOrders, rows, most));
        expected.into_iter().chain(most).collect()
    }

    fn expected_totals(&self, tripped: &mut Vec<Tripped>) {
        let expected = &self.limits.expect_total;
        for part in &self.parts {
            if !expected.is_empty() && expected.iter().all(|sum| sum.currency() != part.currency) {
                tripped.push(findings::total(Guard::ExpectTotal, part.total(), None));
            }
        }
        for sum in expected {
            let part = self.parts.iter().find(|part| part.currency == sum.currency());
            let found = part.map_or(Sum::new(0, sum.currency()), Part::total);
            if found != *sum {
                tripped.push(findings::total(Guard::ExpectTotal, found, Some(*sum)));
            }
        }
    }

    fn ceilings(&self, part: &Part, tripped: &mut Vec<Tripped>) {
        if let Some(limit) = part.max_amount.filter(|_| part.above.count() > 0) {
            let limit = limit.map(|most| Sum::new(most, part.currency));
            tripped.push(findings::above(&part.above, part.sum(part.highest), limit));
        }
        let today = self.history.today_in(part.currency);
        let with_today = part.total.saturating_add(today);
        for (guard, limits, found) in [
            (Guard::MaxTotal, &self.limits.max_total, part.total),
            (Guard::MaxDay, &self.limits.max_day, with_today),
        ] {
            let Some(limit) = least(limits, part.currency) else { continue };
            if limit.is_some_and(|limit| found <= limit) {
                continue;
            }
            let (found, limit) =
                (Sum::new(found, part.currency), limit.map(|most| Sum::new(most, part.currency)));
            tripped.push(match guard {
                Guard::MaxDay => {
                    findings::day(part.total(), Sum::new(today, part.currency), found, limit)
                }
                _ => findings::total(guard, found, limit),
            });
        }
    }

    /// What the detector says. Where all amounts are strange it does not name single ones.
    fn amounts(&self, part: &Part, tripped: &mut Vec<Tripped>) {
        let before = self.history.sketch(part.currency);
        let is_right = self.limits.amounts_are_right.contains(part.currency.code());
        if let Some(what) = whole(&part.sketch, before).filter(|_| !is_right) {
            tripped.push(findings::whole(what, &part.sketch, before));
            return;
        }
        let Some(measure) = Measure::new(&part.sketch, before, is_right) else { return };
        let (high, low) = (part.high(&measure), part.low(&measure));
        let count = high.count + low.count;
        let allowed = self.limits.allow_amounts.iter();
        if count > 0 && allowed.clone().any(|(code, n)| code == part.currency.code() && *n == count)
        {
            return;
        }
        for (guard, outliers) in [(Guard::AmountHigh, high), (Guard::AmountLow, low)] {
            if outliers.count > 0 {
                let usual = part.sum(measure.usual());
                let found = findings::outliers(guard, outliers, usual, measure.is_before(), count);
                tripped.push(found);
            }
        }
    }
}

impl Part {
    fn new(currency: Currency, limits: &Limits) -> Self {
        Self {
            currency,
            total: 0,
            sketch: Sketch::new(currency),
            extremes: Extremes::default(),
            above: Lines::default(),
            highest: 0,
            allowed: Vec::new(),
            max_amount: least(&limits.max_amount, currency),
        }
    }

    fn total(&self) -> Sum {
        Sum::new(self.total, self.currency)
    }

    fn sum(&self, minor_units: u32) -> Sum {
        Sum::new(minor_units.into(), self.currency)
    }

    fn high(&self, measure: &Measure<'_>) -> Outliers {
        let from = Ending::ALL.map(|ending| measure.high_from(ending));
        let is_high = |units: u32| bucket(units) >= from[Ending::of(units) as usize];
        let counts =
            Ending::ALL.map(|ending| self.sketch.within(from[ending as usize]..BUCKETS, &[ending]));
        let rows = Ending::ALL
            .into_iter()
            .flat_map(|ending| self.extremes.high(ending, from[ending as usize]));
        let mut rows: Vec<Row> = rows.collect();
        rows.sort_unstable_by_key(|row| (u32::MAX - row.0, row.1));
        self.outliers(&rows, counts.iter().sum(), is_high)
    }

    fn low(&self, measure: &Measure<'_>) -> Outliers {
        let below = measure.low_below();
        let count = self.sketch.within(0..below, &Ending::ALL);
        let rows: Vec<Row> = self.extremes.low(below).collect();
        self.outliers(&rows, count, |units| bucket(units) < below)
    }

    fn outliers(&self, rows: &[Row], count: u64, is_outlier: impl Fn(u32) -> bool) -> Outliers {
        let allowed = self.allowed.iter().filter(|units| is_outlier(**units)).count() as u64;
        let count = count - allowed;
        let furthest = self.sum(rows.first().map_or(0, |row| row.0));
        let lines = rows.iter().take(NAMED).map(|row| row.1).collect();
        Outliers { lines: Lines::of(lines, count), count, furthest }
    }
}

/// The least limit for a currency; the outer `None` if there is no limit of this kind at all, the inner
/// one if there is none for this currency.
fn least(limits: &[Sum], currency: Currency) -> Option<Option<u128>> {
    let mine = limits.iter().filter(|sum| sum.currency() == currency);
    (!limits.is_empty()).then(|| mine.map(Sum::minor_units).min())
}
