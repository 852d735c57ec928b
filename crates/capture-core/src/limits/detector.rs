//! The detector of amounts that were multiplied or divided: what is usual, and how far from it is too
//! far. `docs/guards.md` has its rules in a table.

use std::ops::Range;

use super::sketch::{BUCKETS, Ending, PER_DOUBLING, Sketch, bucket};

/// A file with fewer rows of a currency is not compared with itself.
const ENOUGH_ROWS: u64 = 8;
/// With fewer captures of a currency, the journal says nothing about what is usual.
const ENOUGH_BEFORE: u64 = 100;
/// From so many amounts on the shape of a tail can be read from them.
const ENOUGH_FOR_TAIL: u64 = 100;
/// From so many on, its tenth amount is steadier than its fifth.
const MANY: u64 = 1_000;
/// One in so many files is to have an amount that is called strange and is right.
const RARE: u64 = 300;
/// Where it must be 32 times the usual one, and end in zeros, as well.
const RARE_FAR: u64 = 30;
/// What was captured so often before is not strange.
const KNOWN: u64 = 2;
/// 32 times: what is closer occurs in most files.
const FAR: usize = 5 * PER_DOUBLING;
/// 8 times: from here the journal may find something strange.
const FAR_FROM_BEFORE: usize = 3 * PER_DOUBLING;
/// 6 times, which a tenfold currency is.
const TENFOLD: usize = 41;
/// 1,000 times: no zeros at the end are needed.
const ABSURD: usize = 10 * PER_DOUBLING;
/// 5 times.
const FIVE_TIMES: usize = 37;
/// 10 times.
const TEN_TIMES: usize = 53;

/// Currencies of which the unit is worth so much that a file is asked about if nine in ten of its amounts
/// are of these minor units or more, and all end in 00.
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
    /// For amounts that end in 00.
    reach_round: usize,
    reach_any: usize,
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
        let tail = Tail { usual, rows: file.count(), is_before };
        Some(Self {
            file,
            before,
            usual,
            is_before,
            median,
            reach_round: tail.round(median),
            reach_any: tail.up(median, &Ending::ALL),
            reach_down: tail.down(median),
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
            self.median - bucket >= self.reach_down && !self.is_known(0..bucket + 1)
        };
        (0..=self.median).rev().find(|bucket| is_low(*bucket)).map_or(0, |bucket| bucket + 1)
    }

    fn is_high(&self, bucket: usize, ending: Ending, far_are_round: bool) -> bool {
        let distance = bucket - self.median;
        let is_far = match ending {
            Ending::Hundreds if far_are_round && !self.is_before => distance >= FAR,
            Ending::Hundreds => distance >= self.reach_round,
            Ending::Tens if self.is_before => distance >= self.reach_any,
            Ending::Tens | Ending::Other => distance >= ABSURD.max(self.reach_any + TEN_TIMES),
        };
        is_far && !self.is_known(bucket..BUCKETS)
    }

    /// Whether amounts this far away were captured before, and so often that a file like this may well
    /// have one.
    fn is_known(&self, buckets: Range<usize>) -> bool {
        self.before.is_some_and(|before| {
            let often = KNOWN.max(before.count() / self.file.count().max(1).saturating_mul(RARE));
            before.within(buckets, &Ending::ALL) >= often
        })
    }

    /// Whether all amounts that are far above the median end in 00, although the others do so rarely
    /// that this is no accident: less than 1 in 32.
    fn far_are_round(&self) -> bool {
        let from = (self.median + FAR).min(BUCKETS);
        let far = self.file.within(from..BUCKETS, &Ending::ALL);
        let round = [Ending::Hundreds];
        // A single price that is a hundred others is a price.
        let is_filled = |bucket: &usize| self.file.within(*bucket..bucket + 1, &round) > 0;
        let amounts = (from..BUCKETS).filter(is_filled).count();
        if far != self.file.within(from..BUCKETS, &round) || amounts < 3 {
            return false;
        }
        let others = u128::from(self.file.within(0..from, &Ending::ALL)) + 1;
        let round = u128::from(self.file.within(0..from, &round)) + 1;
        let share = (1024 * round).div_ceil(others); // of 1,024
        let tries = far.min(9) as u32;
        32 * share.pow(tries) <= 1024_u128.pow(tries)
    }
}

/// The ends of a distribution, and how far beyond them an amount is too rare to be believed.
struct Tail<'a> {
    usual: &'a Sketch,
    /// How many rows the file has.
    rows: u64,
    is_before: bool,
}

impl Tail<'_> {
    /// How far above the median an amount must be that ends in 00, as all do that were multiplied by
    /// 100. Where there are enough of them, only they count.
    fn round(&self, median: usize) -> usize {
        let round = [Ending::Hundreds];
        let is_enough = self.usual.ending(&round) >= ENOUGH_FOR_TAIL;
        self.up(median, if is_enough { &round } else { &Ending::ALL })
    }

    /// How far above the median an amount with one of these endings must be.
    fn up(&self, median: usize, endings: &[Ending]) -> usize {
        let at = |rank| self.usual.largest(rank, endings).saturating_sub(median);
        let count = self.usual.ending(endings);
        let far = self.reach(count, FAR, RARE_FAR, at);
        if self.is_before { far.min(self.reach(count, FAR_FROM_BEFORE, RARE, at)) } else { far }
    }

    /// How far below the median an amount must be.
    fn down(&self, median: usize) -> usize {
        let at = |rank| median.saturating_sub(self.usual.smallest(rank, &Ending::ALL));
        let floor = if self.is_before { FAR_FROM_BEFORE } else { FAR };
        self.reach(self.usual.count(), floor, RARE, at)
    }

    /// The distance, from that of the amounts at each rank. The tail is drawn on from two ranks as a
    /// straight line over the logarithm of the rank. That is right for a power law, and too far for all
    /// that is lighter.
    fn reach(&self, count: u64, floor: usize, files: u64, at: impl Fn(u64) -> usize) -> usize {
        if count < ENOUGH_FOR_TAIL {
            return floor.max(7 * at(count.div_ceil(10) + 1) / 2);
        }
        // So many files of this size have one amount beyond this rank.
        let all = self.usual.count();
        let wanted = all / self.rows.max(1).saturating_mul(files);
        let least = if count < MANY { 5 } else { 10 };
        let rank = wanted.clamp(least, (count / 10).max(least));
        let (near, far) = (at(5 * rank), at(rank));
        let beyond = u128::from(rank) * u128::from(self.rows) * u128::from(files) / u128::from(all);
        let beyond = bucket(u32::try_from(beyond).unwrap_or(u32::MAX));
        // At least beyond the rank: what occurs so often is usual.
        floor.max(far + 1 + far.saturating_sub(near) * beyond / FIVE_TIMES)
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
        let tenth = file.smallest(file.count() / 10 + 1, &Ending::ALL);
        return (is_hundreds && file.shown(tenth) >= from).then_some(Whole::Round { from });
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
