//! The rows furthest from the middle, in bounded memory and whatever their order.

use super::lines::NAMED;
use super::sketch::{Ending, bucket};

/// One row: its amount and its line.
pub(crate) type Row = (u32, u32);

/// The ten largest amounts for each ending, and the ten smallest, with their lines.
#[derive(Debug, Default)]
pub(crate) struct Extremes {
    high: [Vec<Row>; 3],
    low: Vec<Row>,
}

impl Extremes {
    pub(crate) fn add(&mut self, minor_units: u32, line: u32) {
        let high = &mut self.high[Ending::of(minor_units) as usize];
        keep(high, (minor_units, line), |one, other| one.0 > other.0);
        keep(&mut self.low, (minor_units, line), |one, other| one.0 < other.0);
    }

    /// The largest amounts with this ending, from this bucket on, the largest first.
    pub(crate) fn high(&self, ending: Ending, from: usize) -> impl Iterator<Item = Row> {
        self.high[ending as usize].iter().copied().filter(move |row| bucket(row.0) >= from)
    }

    /// The smallest amounts, below this bucket, the smallest first.
    pub(crate) fn low(&self, below: usize) -> impl Iterator<Item = Row> {
        self.low.iter().copied().filter(move |row| bucket(row.0) < below)
    }
}

/// Keeps the most extreme rows, and of equal ones those with the lowest lines.
fn keep(rows: &mut Vec<Row>, row: Row, is_before: impl Fn(&Row, &Row) -> bool) {
    let at = rows.partition_point(|kept| {
        is_before(kept, &row) || (!is_before(&row, kept) && kept.1 <= row.1)
    });
    if at < NAMED {
        rows.insert(at, row);
        rows.truncate(NAMED);
    }
}
