//! How the amounts of one currency are distributed, in a bounded number of integers.

use std::ops::Range;

use crate::values::Currency;

/// Buckets of the amounts 1 to 2^31 - 1: 16 for each doubling, about 53 for each decade, each 4.4 %
/// wide.
pub(crate) const BUCKETS: usize = 31 * PER_DOUBLING;
/// How many buckets double an amount.
pub(crate) const PER_DOUBLING: usize = 16;

/// The bucket of an amount, by its binary logarithm. The fraction of the logarithm comes bit by bit
/// from squaring, so that no float is involved.
pub(crate) fn bucket(minor_units: u32) -> usize {
    let minor_units = minor_units.max(1);
    let whole = minor_units.ilog2();
    let mut mantissa = u64::from(minor_units) << (31 - whole);
    let mut bucket = whole as usize;
    for _ in 0..PER_DOUBLING.ilog2() {
        mantissa = (mantissa * mantissa) >> 31;
        let bit = mantissa >> 32; // 1 if the square is 2 or more
        mantissa >>= bit;
        bucket = bucket * 2 + bit as usize;
    }
    bucket.min(BUCKETS - 1)
}

/// The zeros at an amount's end: what is left of a lost separator. An amount that was multiplied by
/// 100 ends in 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Hundreds,
    Tens,
    Other,
}

impl Ending {
    pub(crate) const ALL: [Self; 3] = [Self::Hundreds, Self::Tens, Self::Other];

    pub(crate) fn of(minor_units: u32) -> Self {
        match minor_units {
            units if units % 100 == 0 => Self::Hundreds,
            units if units % 10 == 0 => Self::Tens,
            _ => Self::Other,
        }
    }
}

/// How often each amount occurs, to 4.4 %: 14 KiB, however many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sketch {
    pub(crate) currency: Currency,
    count: u64,
    /// By bucket and ending.
    counts: Box<[[u64; 3]]>,
    /// The least amount that is in each bucket: one that occurred, to show.
    shown: Box<[u32]>,
}

impl Sketch {
    pub(crate) fn new(currency: Currency) -> Self {
        Self {
            currency,
            count: 0,
            counts: vec![[0; 3]; BUCKETS].into(),
            shown: vec![u32::MAX; BUCKETS].into(),
        }
    }

    pub(crate) fn add(&mut self, minor_units: u32, times: u64) {
        if times == 0 {
            return;
        }
        let at = bucket(minor_units);
        let count = &mut self.counts[at][Ending::of(minor_units) as usize];
        *count = count.saturating_add(times);
        self.count = self.count.saturating_add(times);
        self.shown[at] = self.shown[at].min(minor_units);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// An amount of this bucket, which occurred.
    pub(crate) fn shown(&self, bucket: usize) -> u32 {
        self.shown[bucket]
    }

    /// The bucket of the middle amount, or the lower one of two.
    pub(crate) fn median(&self) -> usize {
        self.smallest(self.count.div_ceil(2), &Ending::ALL)
    }

    /// The bucket of the amount with so many others, and no more, at or above it. Of amounts with one
    /// of these endings.
    pub(crate) fn largest(&self, rank: u64, endings: &[Ending]) -> usize {
        self.ranked((0..BUCKETS).rev(), rank, endings).unwrap_or(0)
    }

    /// As [`Self::largest`], from the least amount.
    pub(crate) fn smallest(&self, rank: u64, endings: &[Ending]) -> usize {
        self.ranked(0..BUCKETS, rank, endings).unwrap_or(BUCKETS - 1)
    }

    /// How many amounts with one of these endings are in these buckets.
    pub(crate) fn within(&self, buckets: Range<usize>, endings: &[Ending]) -> u64 {
        let counts = self.counts[buckets].iter();
        counts
            .flat_map(|counts| endings.iter().map(|ending| counts[*ending as usize]))
            .fold(0, u64::saturating_add)
    }

    /// How many amounts have one of these endings.
    pub(crate) fn ending(&self, endings: &[Ending]) -> u64 {
        self.within(0..BUCKETS, endings)
    }

    /// The bucket in which the amount of this rank is, from 1.
    fn ranked(
        &self,
        mut buckets: impl Iterator<Item = usize>,
        rank: u64,
        endings: &[Ending],
    ) -> Option<usize> {
        let mut seen = 0_u64;
        buckets.find(|bucket| {
            seen = seen.saturating_add(self.within(*bucket..bucket + 1, endings));
            seen >= rank.max(1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_rise_with_the_amount_and_double_every_sixteen() {
        assert_eq!((bucket(1), bucket(2), bucket(1 << 30)), (0, 16, 480));
        assert_eq!(bucket(i32::MAX as u32), BUCKETS - 1);
        let mut last = 0;
        for minor_units in (1..200_000).chain((200_000..=i32::MAX as u32).step_by(9_973)) {
            let at = bucket(minor_units);
            assert!(at == last || (at > last && (at - last <= 16)), "{minor_units}");
            last = at;
            if minor_units < 1 << 30 {
                assert_eq!(bucket(minor_units * 2), at + PER_DOUBLING, "{minor_units}");
            }
        }
        // A hundred times an amount is 106 buckets away, or 107.
        for minor_units in 1..100_000 {
            let distance = bucket(minor_units * 100) - bucket(minor_units);
            assert!((106..=107).contains(&distance), "{minor_units}: {distance}");
        }
    }

    #[test]
    fn ranks_leave_out_the_ends() {
        let mut sketch = Sketch::new("USD".parse().unwrap());
        for power in 0..10 {
            sketch.add(1 << power, 1);
        }
        assert_eq!(sketch.count(), 10);
        let doublings = |bucket: usize| bucket / PER_DOUBLING;
        assert_eq!(doublings(sketch.median()), 4);
        assert_eq!(doublings(sketch.largest(2, &Ending::ALL)), 8);
        assert_eq!(doublings(sketch.smallest(2, &Ending::ALL)), 1);
        assert_eq!(sketch.largest(1, &[Ending::Tens]), 0);
        assert_eq!(sketch.within(0..17, &Ending::ALL), 2);
        assert_eq!(sketch.ending(&[Ending::Other]), 10);
        assert_eq!(sketch.shown(32), 4);
    }
}
