//! The database's clock, by which everything in the journal is dated, and how this host's differs from it.

use std::time::{Duration, SystemTime};

use capture_core::{Outcome, Ticket};
use capture_journal::{How, Story, unix_ms};

/// By how much this host's clock is ahead, in milliseconds; less than zero if it is behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Clock(i64);

/// Clocks that differ by less agree: an answer takes a while, too.
const AGREED: i64 = 1000;

impl Clock {
    /// The server's time came between these two of this host.
    pub(crate) fn new(before: SystemTime, theirs_ms: i64, after: SystemTime) -> Self {
        let (early, late) = (unix_ms(before) - theirs_ms, unix_ms(after) - theirs_ms);
        Self(match () {
            () if early > AGREED => early,
            () if late < -AGREED => late,
            () => 0,
        })
    }

    /// A time of this host, as the server has it.
    pub(crate) fn theirs(self, ours: SystemTime) -> SystemTime {
        shifted(ours, -self.0)
    }

    /// A time of the server, as this host has it.
    pub(crate) fn ours(self, theirs: SystemTime) -> SystemTime {
        shifted(theirs, self.0)
    }

    /// What is to be done, by this host's clock: how old a key is, it tells by that.
    pub(crate) fn handed_out(self, how: How) -> How {
        match how {
            How::Resume(ticket) => How::Resume(self.of_ours(ticket)),
            How::Fresh(capture) => How::Fresh(capture),
        }
    }

    /// What a caller is told, by this host's clock.
    pub(crate) fn told(self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Unknown(ticket) => Outcome::Unknown(self.of_ours(ticket)),
            decided => decided,
        }
    }

    fn of_ours(self, ticket: Ticket) -> Ticket {
        let (first, due) = (ticket.first_sent(), ticket.due_at());
        ticket.with_times(first.map(|at| self.ours(at)), self.ours(due))
    }

    /// What this host found, by the server's clock. A first send that lies before the first claim, or after now, is
    /// one of a clock that jumped: the key is no older than that claim.
    pub(crate) fn recorded(self, outcome: &Outcome, story: &Story, now: SystemTime) -> Outcome {
        let Outcome::Unknown(ticket) = outcome else { return outcome.clone() };
        let claimed = story.claims.first().map(|claim| claim.at);
        let first = ticket.first_sent().map(|at| self.theirs(at)).map(|at| match claimed {
            Some(claimed) if at > now || self.0 != 0 && at < claimed => claimed,
            _ => at,
        });
        let due = self.theirs(ticket.due_at());
        Outcome::Unknown(Ticket::with_times(ticket.clone(), first, due))
    }
}

fn shifted(at: SystemTime, ms: i64) -> SystemTime {
    let by = Duration::from_millis(ms.unsigned_abs());
    let shifted = if ms < 0 { at.checked_sub(by) } else { at.checked_add(by) };
    shifted.unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn clocks_that_differ_by_less_than_a_second_agree() {
        let theirs = |seconds: i64| seconds * 1000;
        for (before, seconds, after, ahead) in [
            (100, 100, 100, 0),
            (100, 101, 101, 0),
            // It was stopped before it had the answer, or before it asked.
            (100, 150, 200, 0),
            (100, 100, 900, 0),
            (400, 100, 400, 300_000),
            (400, 100, 900, 300_000),
            (100, 400, 100, -300_000),
            (20, 400, 100, -300_000),
        ] {
            let clock = Clock::new(at(before), theirs(seconds), at(after));
            assert_eq!(clock, Clock(ahead), "{before} {seconds} {after}");
            assert_eq!(clock.ours(clock.theirs(at(5000))), at(5000));
        }
    }
}
