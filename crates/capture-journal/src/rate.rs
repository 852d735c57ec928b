//! How fast sends begin: an even rate, slowed when the API asks for it, and raised again when it is quiet.

use std::time::Duration;

/// An even rate with a small burst. Time is the driver's monotonic clock.
#[derive(Debug)]
pub(crate) struct Rate {
    /// The time between two sends as it was asked for; zero for no limit.
    given: Duration,
    /// The same, as it is now.
    interval: Duration,
    /// What it was found to be when it was first slowed, if it was never given.
    usual: Duration,
    burst: u32,
    /// How many share it, each at its part. What was given, braked and recovered is of all of them.
    sharers: u32,
    /// When the next send is due, were there no burst.
    next: Duration,
    paused_until: Duration,
    /// When the rate last changed.
    changed_at: Option<Duration>,
    /// From when on it is quiet.
    quiet_from: Duration,
    /// How many sends began since when without a pause, for a rate that was never given.
    begun: u32,
    busy_from: Duration,
    begun_at: Duration,
}

/// The slowest that a braked rate becomes, that of all who share it.
const SLOWEST: Duration = Duration::from_secs(1);

/// No server makes a run wait longer at once.
const LONGEST: Duration = Duration::from_secs(3600);

/// How long it is quiet before the rate rises by a tenth.
const QUIET: Duration = Duration::from_secs(10);

/// Throttled replies to what was sent before the brake count as one.
const ONE_BRAKE: Duration = Duration::from_secs(1);

/// A pause between two sends after which the count of a rate that was never given begins anew.
const IDLE: Duration = Duration::from_secs(1);

/// A rate that was never given ends its recovery here.
const NO_LIMIT: Duration = Duration::from_micros(500);

impl Rate {
    /// So many a second, a fifth of a second's worth of them at once; `None` for as many as go.
    pub(crate) fn new(per_second: Option<u32>) -> Self {
        let given = per_second.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate.max(1));
        Self::every(given, per_second.unwrap_or(0).div_ceil(5).max(1))
    }

    /// One in each interval, and so many at once.
    pub(crate) fn every(interval: Duration, burst: u32) -> Self {
        Self {
            given: interval,
            interval,
            usual: Duration::ZERO,
            burst,
            sharers: 1,
            next: Duration::ZERO,
            paused_until: Duration::ZERO,
            changed_at: None,
            quiet_from: Duration::ZERO,
            begun: 0,
            busy_from: Duration::ZERO,
            begun_at: Duration::ZERO,
        }
    }

    /// So many share what was given from now on. A brake stays what it was: a part of this one's share.
    pub(crate) fn share(&mut self, sharers: u32) {
        // One that was never given is found by what this one sends.
        if !self.given.is_zero() {
            self.sharers = sharers.max(1);
        }
    }

    /// The time between two sends of this one.
    fn step(&self) -> Duration {
        self.interval * self.sharers
    }

    /// Begins one, or says when one may begin.
    pub(crate) fn begin(&mut self, now: Duration) -> Result<(), Duration> {
        self.recover(now);
        let burst = (self.burst / self.sharers).max(1);
        let allowed = self.next.saturating_sub(self.step() * (burst - 1));
        let at = allowed.max(self.paused_until);
        if at > now {
            return Err(at);
        }
        self.next = self.next.max(now) + self.step();
        // Idle time says nothing about how fast sends can begin.
        if now > self.begun_at + IDLE {
            (self.busy_from, self.begun) = (now, 0);
        }
        self.begun_at = now;
        self.begun = self.begun.saturating_add(1);
        Ok(())
    }

    /// The API asked to slow down, and perhaps for how long to wait.
    pub(crate) fn throttled(&mut self, wait: Option<Duration>, now: Duration) {
        self.pause(wait.unwrap_or_default(), now);
        self.slow(SLOWEST, now);
    }

    /// The API asked to wait, whatever kept it from answering.
    pub(crate) fn pause(&mut self, wait: Duration, now: Duration) {
        self.paused_until = self.paused_until.max(now + wait.min(LONGEST));
    }

    /// The API is out of order for now (503), which may have nothing to do with the rate: it slows to a
    /// quarter, and no further.
    pub(crate) fn unavailable(&mut self, now: Duration) {
        let usual = if self.given.is_zero() { self.usual } else { self.given };
        let slowest = if usual.is_zero() { self.measured(now) } else { usual } * 4;
        self.slow(slowest.min(SLOWEST).max(self.interval), now);
    }

    fn slow(&mut self, slowest: Duration, now: Duration) {
        if self.changed_at.is_some_and(|at| now < at + ONE_BRAKE) {
            return;
        }
        if self.interval.is_zero() {
            self.interval = self.measured(now);
            self.usual = self.interval;
        }
        self.interval = (self.interval * 2).min(slowest).max(self.given);
        // Quiet begins once the wait is over.
        self.changed(self.paused_until.max(now));
        self.changed_at = Some(now);
    }

    /// The time between two sends, counted.
    fn measured(&self, now: Duration) -> Duration {
        let counted = now.saturating_sub(self.busy_from).max(Duration::from_millis(1));
        counted / self.begun.max(1)
    }

    /// How many of this one's begin in a second now; `None` without a limit.
    pub(crate) fn per_second(&self) -> Option<f64> {
        (!self.interval.is_zero()).then(|| 1.0 / self.step().as_secs_f64())
    }

    /// Until when the API asked to wait, if that is still to come.
    pub(crate) fn paused_until(&self, now: Duration) -> Option<Duration> {
        Some(self.paused_until).filter(|until| *until > now)
    }

    /// Whether it is slower than it was asked to be.
    pub(crate) fn is_braked(&self) -> bool {
        self.interval > self.given
    }

    /// What is quiet for long enough speeds up again.
    pub(crate) fn recover(&mut self, now: Duration) {
        while self.is_braked() && now >= self.quiet_from + QUIET {
            self.interval = (self.interval * 10 / 11).max(self.given);
            if self.given.is_zero() && self.interval < NO_LIMIT {
                self.interval = Duration::ZERO;
            }
            self.changed(self.quiet_from + QUIET);
        }
    }

    fn changed(&mut self, at: Duration) {
        (self.quiet_from, self.busy_from, self.begun) = (at, at, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// How many begin in this time, each as soon as it may.
    fn begun(rate: &mut Rate, from: Duration, until: Duration) -> u32 {
        let (mut now, mut count) = (from, 0);
        loop {
            match rate.begin(now) {
                Ok(()) => count += 1,
                Err(at) if at < until => now = at,
                Err(_) => return count,
            }
        }
    }

    #[test]
    fn sends_are_even_with_a_small_burst() {
        let mut rate = Rate::new(Some(50));
        assert_eq!(begun(&mut rate, ms(0), ms(1)), 10);
        assert_eq!(begun(&mut rate, ms(1), ms(1000)), 49);
        // What was not used is not saved up.
        assert_eq!(begun(&mut rate, ms(9000), ms(9001)), 10);
    }

    #[test]
    fn a_throttled_reply_halves_the_rate_once_and_makes_all_wait() {
        let mut rate = Rate::new(Some(50));
        let _ = begun(&mut rate, ms(0), ms(1000));
        for _ in 0..30 {
            rate.throttled(Some(ms(8000)), ms(1000));
        }
        assert_eq!(rate.per_second(), Some(25.0));
        assert_eq!(rate.paused_until(ms(1000)), Some(ms(9000)));
        assert_eq!(begun(&mut rate, ms(1000), ms(9000)), 0);
        assert!((25..=36).contains(&begun(&mut rate, ms(9000), ms(10_000))));
        // Again and again, down to one a second.
        for second in 0..20 {
            rate.throttled(None, ms(10_000 + second * 1000));
        }
        assert_eq!(rate.per_second(), Some(1.0));
        assert!(rate.is_braked());
    }

    /// However many of them come: one in ten captures answered 503 is no reason to crawl.
    #[test]
    fn an_api_out_of_order_slows_it_to_a_quarter() {
        for given in [Some(100), None] {
            let mut rate = Rate::new(given);
            for at in 0..400 {
                let _ = rate.begin(ms(at * 10));
            }
            for second in 4..60 {
                rate.unavailable(ms(second * 1000));
                // A send in between is no quiet time.
                let _ = rate.begin(ms(second * 1000 + 1));
            }
            let now = rate.per_second().unwrap();
            assert!((24.0..26.0).contains(&now), "{now}");
            // Being throttled goes further, and is not undone by it.
            (60..70).for_each(|second| rate.throttled(None, ms(second * 1000)));
            rate.unavailable(ms(71_000));
            assert_eq!(rate.per_second(), Some(1.0));
        }
    }

    #[test]
    fn a_quiet_time_raises_it_to_what_was_given_and_no_further() {
        let mut rate = Rate::new(Some(50));
        rate.throttled(Some(ms(5000)), ms(0));
        let _ = rate.begin(ms(14_999));
        assert_eq!(rate.per_second(), Some(25.0));
        let _ = rate.begin(ms(15_000));
        assert!((27.4..27.6).contains(&rate.per_second().unwrap()));
        let _ = rate.begin(ms(500_000));
        assert_eq!(rate.per_second(), Some(50.0));
        assert!(!rate.is_braked());
    }

    #[test]
    fn each_of_many_sends_its_share() {
        for (sharers, burst, in_a_second) in [(1, 10, 49), (2, 5, 25), (10, 1, 5), (100, 1, 1)] {
            let mut rate = Rate::new(Some(50));
            rate.share(sharers);
            assert_eq!(begun(&mut rate, ms(0), ms(1)), burst, "{sharers}");
            let later = begun(&mut rate, ms(1), ms(2000)) / 2;
            assert!(later.abs_diff(in_a_second) <= 1, "{sharers}: {later}");
            assert_eq!(rate.per_second(), Some(50.0 / f64::from(sharers)));
        }
        // Nobody is no number of sharers.
        let mut rate = Rate::new(Some(50));
        rate.share(0);
        assert_eq!(rate.per_second(), Some(50.0));
    }

    #[test]
    fn who_shares_the_rate_neither_brakes_it_nor_undoes_a_brake() {
        let mut rate = Rate::new(Some(50));
        rate.share(2);
        assert!(!rate.is_braked());
        rate.throttled(None, ms(0));
        assert_eq!(rate.per_second(), Some(12.5));
        // Another one has come, or all others have gone: still half of its share.
        for (sharers, half) in [(5, 5.0), (1, 25.0), (2, 12.5)] {
            rate.share(sharers);
            assert!(rate.is_braked());
            assert_eq!(rate.per_second(), Some(half));
        }
        // A brake in the same second counts as the same one; one in the next does not.
        rate.throttled(None, ms(500));
        assert_eq!(rate.per_second(), Some(12.5));
        rate.throttled(None, ms(1000));
        assert_eq!(rate.per_second(), Some(6.25));
        // It recovers up to the share, and no further.
        rate.recover(ms(1_000_000));
        assert_eq!(rate.per_second(), Some(25.0));
        // Even the slowest is that of all together.
        (2000..2020).for_each(|second| rate.throttled(None, ms(second * 1000)));
        assert_eq!(rate.per_second(), Some(0.5));
    }

    /// A burst that was not used is not handed on with a larger share, nor twice.
    #[test]
    fn a_change_of_sharers_is_no_burst() {
        let mut rate = Rate::new(Some(50));
        let mut all = 0;
        for at in 0..1000 {
            rate.share(if at % 2 == 0 { 1 } else { 10 });
            all += begun(&mut rate, ms(at), ms(at + 1));
        }
        assert!(all <= 60, "{all}");
    }

    #[test]
    fn a_rate_that_was_never_given_is_not_shared() {
        let mut rate = Rate::new(None);
        rate.share(10);
        for at in 0..400 {
            rate.begin(ms(at * 10)).unwrap();
        }
        rate.throttled(None, ms(4000));
        assert!((49.0..51.0).contains(&rate.per_second().unwrap()));
    }

    #[test]
    fn idle_time_does_not_make_a_rate_look_slow() {
        let mut rate = Rate::new(None);
        rate.begin(ms(0)).unwrap();
        let later = 3_600_000;
        (0..50).for_each(|at| rate.begin(ms(later + at * 20)).unwrap());
        rate.throttled(None, ms(later + 1000));
        let now = rate.per_second().unwrap();
        assert!((24.0..26.0).contains(&now), "{now}");
    }

    #[test]
    fn a_rate_that_was_never_given_is_found_when_it_has_to_be_halved() {
        let mut rate = Rate::new(None);
        for at in 0..400 {
            rate.begin(ms(at * 10)).unwrap();
        }
        rate.throttled(None, ms(4000));
        assert!((49.0..51.0).contains(&rate.per_second().unwrap()));
        let _ = rate.begin(ms(4_000_000));
        assert_eq!(rate.per_second(), None);
    }
}
