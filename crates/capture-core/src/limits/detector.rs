//! The detector of amounts that were multiplied or divided: what is usual, and how far from it is too
//! far. `docs/guards.md` has its rules in a table.

use super::sketch::{BUCKETS, Ending, PER_DOUBLING, Sketch};

/// A file with fewer rows of a currency is not compared with itself.
const ENOUGH_ROWS: u64 = 8;
/// With fewer captures of a currency, the journal says nothing about what is usual.
const ENOUGH_BEFORE: u64 = 100;
/// From so many amounts on, the hundredth part at the ends says something as well.
const MANY: u64 = 1_000;
/// 32 times: what is closer occurs in most files.
const FAR: usize = 5 * PER_DOUBLING;
/// 8 times: from here the journal may find something strange.
const FAR_FROM_BEFORE: usize = 3 * PER_DOUBLING;
/// 6 times, which a tenfold currency is.
const TENFOLD: usize = 41;
/// 1,000 times: no zeros at the end are needed.
const ABSURD: usize = 10 * PER_DOUBLING;
/// Ten times.
const TEN_TIMES: usize = 53;

/// Currencies of which the unit is worth so much that a file without anything below these minor units
/// is asked about, if all its amounts end in 00.
const LARGE: [(&str, u32); 14] = [
    ("AUD", 100_000),
    ("BHD", 300_000),
    ("CAD", 100_000),
    ("CHF", 100_000),
    ("EUR", 100_000),
    ("GBP", 100_000),
    ("JOD", 300_000),
    ("JPY", 100_000),
    ("KRW", 1_000_000),
    ("KWD", 300_000),
    ("NZD", 100_000),
    ("OMR", 300_000),
    ("SGD", 100_000),
    ("USD", 100_000),
];

/// The measure of one currency: the file's amounts, or what was captured before.
#[derive(Debug)]
pub(crate) struct Measure<'a> {
    file: &'a Sketch,
    before: Option<&'a Sketch>,
    /// The one of both that says what is usual.
    usual: &'a Sketch,
    is_before: bool,
    median: usize,
    reach_up: usize,
    reach_down: usize,
}

impl<'a> Measure<'a> {
    /// `None` if nothing says what is usual.
    pub(crate) fn new(
        file: &'a Sketch,
        before: Option<&'a Sketch>,
        file_is_right: bool,
    ) -> Option<Self> {
        let enough = before.filter(|b| b.count() >= ENOUGH_BEFORE && !file_is_right);
        let file_is_enough = file.count() >= ENOUGH_ROWS;
        let usual = match enough {
            Some(before) if before.count() >= file.count() || !file_is_enough => before,
            _ if file_is_enough => file,
            _ => return None,
        };
        let is_before = !std::ptr::eq(usual, file);
        let median = usual.median();
        let floor = if is_before { FAR_FROM_BEFORE } else { FAR };
        let is_many = usual.count() >= MANY;
        let reach = |tenth: usize, hundredth: usize| {
            let hundredth = if is_many { 2 * hundredth } else { 0 };
            floor.max(7 * tenth / 2).max(hundredth)
        };
        let above = |part| usual.below_top(part).saturating_sub(median);
        let below = |part| median.saturating_sub(usual.above_bottom(part));
        Some(Self {
            file,
            before,
            usual,
            is_before,
            median,
            reach_up: reach(above(10), above(100)),
            reach_down: reach(below(10), below(100)),
        })
    }

    /// The usual amount, one that occurred.
    pub(crate) fn usual(&self) -> u32 {
        self.usual.shown(self.median)
    }

    pub(crate) fn is_before(&self) -> bool {
        self.is_before
    }

    /// The lowest bucket from which on an amount with this ending is too high.
    pub(crate) fn high_from(&self, ending: Ending) -> usize {
        let is_all_round = self.far_are_round();
        let is_high = |bucket: &usize| self.is_high(*bucket, ending, is_all_round);
        (self.median..BUCKETS).find(is_high).unwrap_or(BUCKETS)
    }

    /// The bucket below which an amount is too low.
    pub(crate) fn low_below(&self) -> usize {
        let is_low = |bucket: usize| {
            let before = self.before.map_or(0, |b| b.within(0..bucket + 1, &Ending::ALL));
            self.median - bucket >= self.reach_down && before < 2
        };
        (0..=self.median).rev().find(|bucket| is_low(*bucket)).map_or(0, |bucket| bucket + 1)
    }

    fn is_high(&self, bucket: usize, ending: Ending, far_are_round: bool) -> bool {
        let distance = bucket - self.median;
        let captured = |endings| self.before.map_or(0, |b| b.within(bucket..BUCKETS, endings));
        let is_known = captured(&Ending::ALL) >= 2;
        let is_beyond = match ending {
            Ending::Hundreds => distance >= self.reach_up,
            Ending::Tens if self.is_before => distance >= self.reach_up,
            Ending::Tens | Ending::Other => {
                distance >= ABSURD.max(self.reach_up.saturating_add(TEN_TIMES))
            }
        };
        if is_beyond && !is_known {
            return true;
        }
        if distance < FAR || ending != Ending::Hundreds {
            return false;
        }
        if self.is_before {
            // So rare that a hundred files of this size should have none.
            let rare = u128::from(captured(&[Ending::Hundreds])) + 1;
            rare * u128::from(self.file.count()) * 100 <= u128::from(self.usual.count())
        } else {
            far_are_round && !is_known
        }
    }

    /// Whether all amounts that are far above the median end in 00, although the others do so rarely
    /// that this is no accident: less than 1 in 32.
    fn far_are_round(&self) -> bool {
        let from = (self.median + FAR).min(BUCKETS);
        let far = self.file.within(from..BUCKETS, &Ending::ALL);
        let round = [Ending::Hundreds];
        if far != self.file.within(from..BUCKETS, &round) {
            return false;
        }
        let others = u128::from(self.file.within(0..from, &Ending::ALL)) + 1;
        let round = u128::from(self.file.within(0..from, &round)) + 1;
        let share = (1024 * round).div_ceil(others); // of 1,024
        let tries = far.min(9) as u32;
        32 * share.pow(tries) <= 1024_u128.pow(tries)
    }
}

/// What happened to all amounts of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whole {
    /// Their middle one is many times that of the journal, and all end in these zeros.
    Multiplied { zeros: &'static str },
    /// It is a small part of it.
    Divided,
    /// There is nothing to compare them with, and they are large and all end in 00.
    Round { from: u32 },
}

/// Whether all amounts of a currency look multiplied or divided.
pub(crate) fn whole(file: &Sketch, before: Option<&Sketch>) -> Option<Whole> {
    if file.count() < ENOUGH_ROWS {
        return None;
    }
    let is_hundreds = file.ending(&[Ending::Tens, Ending::Other]) == 0;
    let Some(before) = before.filter(|before| before.count() >= ENOUGH_BEFORE) else {
        let large = LARGE.iter().find(|(code, _)| *code == file.currency.code());
        let from = large.map(|(_, from)| *from)?;
        return (is_hundreds && file.least() >= from).then_some(Whole::Round { from });
    };
    let is_tens = file.ending(&[Ending::Other]) == 0;
    let tenfold = file.currency.exponent() == 3;
    let (now, then) = (file.median(), before.median());
    if now >= then + FAR && is_hundreds {
        Some(Whole::Multiplied { zeros: "00" })
    } else if now >= then + TENFOLD && tenfold && is_tens {
        Some(Whole::Multiplied { zeros: "0" })
    } else if then >= now + if tenfold { TENFOLD } else { FAR } {
        Some(Whole::Divided)
    } else {
        None
    }
}
