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

    /// What this host found, by the server's clock.
    ///
    /// A key must never look younger than it is. So the first send of a capture that was in doubt before is what was
    /// known of it, whatever this host's clock did meanwhile; and the first one of all lies between the claim and
    /// now, or counts as old as the claim.
    pub(crate) fn recorded(self, outcome: &Outcome, story: &Story, now: SystemTime) -> Outcome {
        let Outcome::Unknown(ticket) = outcome else { return outcome.clone() };
        let ours = ticket.first_sent().map(|at| self.theirs(at));
        let is_first = story.claims.len() == 1 && story.entries.is_empty();
        let known = story.first_sent().filter(|_| !is_first);
        let first = match (known, story.claims.first()) {
            (Some(known), _) => Some(known),
            (None, Some(claim)) => ours.map(|at| match () {
                () if at > now || self.0 != 0 && at < claim.at => claim.at,
                () => at,
            }),
            (None, None) => ours,
        };
        Outcome::Unknown(ticket.clone().with_times(first, self.theirs(ticket.due_at())))
    }
}

fn shifted(at: SystemTime, ms: i64) -> SystemTime {
    let by = Duration::from_millis(ms.unsigned_abs());
    let shifted = if ms < 0 { at.checked_sub(by) } else { at.checked_add(by) };
    shifted.unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use capture_core::{Capture, Doubt, IdempotencyKey, Money, Obstacle, OrderId};
    use capture_journal::{Claim, ClaimId, Entry, Fence, Holder, IntentId};

    use super::*;

    fn story(claims: &[u64], doubt_of: Option<u64>) -> Story {
        let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
        let money = Money::parse("100.00", "USD").unwrap();
        let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
        let claims = claims.iter().zip(1..).map(|(seconds, id)| Claim {
            id: ClaimId(id),
            fence: Fence(id),
            holder: Holder { host: "a".into(), process: 1 },
            at: at(*seconds),
        });
        let entry = |seconds| Entry {
            claim: ClaimId(1),
            at: at(900),
            is_note: false,
            outcome: unknown(capture, seconds),
        };
        Story {
            intent: IntentId(1),
            capture,
            asked_at: at(0),
            claims: claims.collect(),
            entries: doubt_of.into_iter().map(entry).collect(),
        }
    }

    fn unknown(capture: Capture, seconds: u64) -> Outcome {
        Outcome::Unknown(Ticket::new(capture, Doubt::NoReply, Obstacle::NotLookedUp, at(seconds)))
    }

    /// By a clock that is so many seconds ahead, at 10,000 of the server's.
    fn recorded(ahead: i64, story: &Story, found: u64) -> SystemTime {
        let clock = Clock(ahead * 1000);
        match clock.recorded(&unknown(story.capture, found), story, at(10_000)) {
            Outcome::Unknown(ticket) => ticket.first_sent().unwrap(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn no_key_looks_younger_than_it_is() {
        // Of a first send, by clocks that agree, that differ, and that jumped since.
        let own = story(&[8000], None);
        for (ahead, found, expected) in [
            (0, 8001, 8001),
            (300, 8301, 8001),
            (-300, 7701, 8001),
            (0, 12_000, 8000),
            (300, 8001, 8000),
            (-86_400, 8001, 8000),
            (86_400, 8001, 8000),
        ] {
            assert_eq!(recorded(ahead, &own, found), at(expected), "{ahead} {found}");
        }
        // What was in doubt before is as old as it was, also where the claim is of today, as after an import.
        let doubt = story(&[8000, 9000], Some(50));
        for (ahead, found) in [(0, 50), (5, 55), (5, 50), (-5, 50), (-18_000, 50), (0, 5000)] {
            assert_eq!(recorded(ahead, &doubt, found), at(50), "{ahead} {found}");
        }
        // One that was interrupted is as old as its first claim.
        assert_eq!(recorded(300, &story(&[8000, 9000], None), 9999), at(8000));
    }

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
