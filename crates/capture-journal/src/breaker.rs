//! When to stop sending: the API is out of order, or the file is the wrong one.

use std::collections::VecDeque;
use std::time::Duration;

/// Watches what first sends come to. Time is the driver's monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    /// Of the latest, whether each was decided.
    latest: VecDeque<bool>,
    /// While the API seems out of order.
    open: Option<Open>,
    decided: usize,
    refused: usize,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    since: Duration,
    pause: Duration,
    next: Duration,
}

/// So many of the latest are watched; half of them without a decision is an outage.
const WATCHED: usize = 20;

/// So many of the first decisions are watched; half of them "no" is a wrong file.
const FIRST: usize = 50;

const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a first send came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    Captured,
    Refused,
    Undecided,
}

impl Breaker {
    pub(crate) fn record(&mut self, came: Came, now: Duration) {
        let is_decided = came != Came::Undecided;
        if is_decided && self.decided < FIRST {
            self.decided += 1;
            self.refused += usize::from(came == Came::Refused);
        }
        if let Some(open) = &mut self.open {
            match is_decided {
                true => (self.open, self.latest) = (None, VecDeque::new()),
                // What was on its way when it opened says nothing new.
                false if now >= open.next => {
                    open.pause = (open.pause * 2).min(LONGEST_PAUSE);
                    open.next = now + open.pause;
                }
                false => {}
            }
            return;
        }
        self.latest.push_back(is_decided);
        if self.latest.len() > WATCHED {
            self.latest.pop_front();
        }
        let undecided = self.latest.iter().filter(|is_decided| !**is_decided).count();
        if undecided * 2 >= WATCHED {
            self.open = Some(Open { since: now, pause: FIRST_PAUSE, next: now + FIRST_PAUSE });
        }
    }

    /// The API has decided about a capture that was in doubt: it is not out of order.
    pub(crate) fn answered(&mut self) {
        if self.open.take().is_some() {
            self.latest.clear();
        }
    }

    /// Whether half of the first 50 decisions were "no".
    pub(crate) fn is_wrong_file(&self) -> bool {
        self.decided == FIRST && self.refused * 2 >= FIRST
    }

    /// Since when the API seems out of order, and when the next one is tried.
    pub(crate) fn outage(&self) -> Option<(Duration, Duration)> {
        self.open.map(|open| (open.since, open.next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn half_of_the_latest_without_a_decision_is_an_outage_and_one_decision_ends_it() {
        let mut breaker = Breaker::default();
        (0..9).for_each(|_| breaker.record(Came::Undecided, s(1)));
        assert_eq!(breaker.outage(), None);
        breaker.record(Came::Undecided, s(1));
        assert_eq!(breaker.outage(), Some((s(1), s(6))));
        // Those that were on their way.
        breaker.record(Came::Undecided, s(3));
        assert_eq!(breaker.outage(), Some((s(1), s(6))));
        let mut next = vec![];
        for _ in 0..6 {
            let (_, at) = breaker.outage().unwrap();
            breaker.record(Came::Undecided, at);
            next.push(breaker.outage().unwrap().1 - at);
        }
        assert_eq!(next, [s(10), s(20), s(40), s(60), s(60), s(60)]);
        breaker.record(Came::Captured, s(400));
        assert_eq!(breaker.outage(), None);
        (0..9).for_each(|_| breaker.record(Came::Undecided, s(500)));
        assert_eq!(breaker.outage(), None);
    }

    #[test]
    fn a_few_in_doubt_among_many_are_no_outage() {
        let mut breaker = Breaker::default();
        for round in 0..100 {
            let came = if round % 3 == 0 { Came::Undecided } else { Came::Captured };
            breaker.record(came, s(round));
        }
        assert_eq!(breaker.outage(), None);
    }

    #[test]
    fn half_of_the_first_decisions_no_is_a_wrong_file() {
        let of = |refused: usize| {
            let mut breaker = Breaker::default();
            for n in 0..FIRST {
                assert!(!breaker.is_wrong_file());
                breaker.record(if n < refused { Came::Refused } else { Came::Captured }, s(0));
            }
            // Only the first ones count.
            (0..100).for_each(|_| breaker.record(Came::Refused, s(1)));
            breaker.is_wrong_file()
        };
        assert!(!of(24));
        assert!(of(25));
    }
}
