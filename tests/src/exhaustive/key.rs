//! When two states are one: everything that decides how a capture continues, and how it is judged.
//!
//! The state is taken apart without `..`, down to the machine's own [`Progress`]: a new field has to
//! be put into the key, or the reason why it decides nothing has to be given here.

use std::time::{Duration, SystemTime};

use capture_core::driver::{Now, Progress};
use capture_core::{Doubt, Operation, Outcome, Ticket};

use super::kinds::{self, Stand};
use super::node::Node;
use super::process::{Late, Life};
use super::server::ServerModel;
use crate::subject::{History, Said, Subject, Wants};

/// Two states with equal keys continue in the same way, and are judged in the same way.
pub(crate) type Key = [u32; PARTS];

const PARTS: usize = 24;

/// As long as the server recognises a key.
const LIFE_OF_A_KEY: Duration = Duration::from_secs(24 * 60 * 60);

impl Node {
    /// The state's key. What is `forgotten` stays out of it, to show what would go wrong.
    pub(crate) fn key(&self, forgotten: Option<&str>) -> Key {
        self.parts().map(|(name, value)| if Some(name) == forgotten { 0 } else { value })
    }

    /// Everything that decides, by name.
    pub(crate) fn parts(&self) -> [(&'static str, u32); PARTS] {
        let Self {
            life,
            record,
            late,
            promised,
            server,
            scope,
            first,
            bodies: _, // only what the server keeps of them decides, and is below
            doubted,
            old,
            echo,
            restarts,
            began: _, // a process ends at its deadline: I5 sees to it
            now: _,   // time is chosen; what decides is the age of the key, below
        } = self;
        let ServerModel { assumptions: _, order, captures, stored, in_flight } = server;
        let subject = self.life.subject();
        let (sends_seen, logins) = match subject.map(Subject::history) {
            Some(History { sends, logins }) => (sends, logins),
            None => (0, 0),
        };

        let wants = match self.life.wants() {
            Some(Wants::Token(request)) => {
                u32::from(request.refused.is_some()) + 2 * u32::from(request.resend)
            }
            Some(Wants::Send(Operation::Capture, _)) => 4,
            Some(Wants::Send(_, _)) => 5,
            Some(Wants::Wait(_)) => 6,
            Some(Wants::Nothing(_)) | None => match (self.life.says(), self.life.outcome()) {
                (None, _) => 0,
                (Some(Said::Captured), _) => 7,
                (Some(Said::Unknown), _) => 8,
                (Some(Said::NotCaptured), Some(Outcome::NotCaptured(refusal))) => {
                    10 + kinds::of_refusal(refusal)
                }
                (Some(Said::NotCaptured), _) => 9,
            },
        };
        let progress = subject.and_then(Subject::progress).filter(|_| self.life.says().is_none());
        let lives = match life {
            Life::Asks => 0,
            Life::Works(_, held) => 1 + u32::from(held.is_some()),
            Life::Told(..) => 3,
        };
        let [now, before] = record.stands();
        // Once its claim cannot be settled any more, what was before it is in the standing itself.
        let is_open = matches!(life, Life::Works(..)) || late.is_some() || now.keeps_key();
        let before = if is_open { before } else { Stand::default() };
        let own = subject.map_or(self.now, |subject| subject.clock(self.now));
        let first_sent = match &progress {
            Some(progress) => progress.first_sent,
            None => self.life.ticket().and_then(Ticket::first_sent),
        };
        let machine = progress.map(|progress| {
            let Progress {
                operation,
                has_token,
                has_permit,
                refused_token,
                first_sent: _, // above: a ticket has one as well
                doubt,
                reason_unless_doubt,
                seen_waiting,
                sends,
                unauthorized_in_a_row,
                failed_logins,
                attempts: _, // told, and asked by nobody
            } = progress;
            [
                u32::from(operation == Operation::Lookup),
                u32::from(has_token),
                u32::from(has_permit),
                u32::from(refused_token.is_some()),
                u32::from(doubt.is_some()),
                // In doubt nobody asks for it.
                reason_unless_doubt.filter(|_| doubt.is_none()).map_or(0, kinds::of_reason),
                seen_waiting,
                sends,
                unauthorized_in_a_row,
                // More failed logins than sends decide nothing further.
                failed_logins.min(scope.policy.max_sends().get()),
                logins.wrapping_sub(failed_logins),
            ]
        });
        let [
            looks,
            has_token,
            has_permit,
            refused_token,
            in_doubt,
            reason_unless_doubt,
            seen_waiting,
            sends,
            unauthorized_in_a_row,
            failed_logins,
            needless_logins,
        ] = machine.unwrap_or_default();
        // A ticket carries the refusal that it waits for.
        let reason_unless_doubt = match self.life.ticket().map(Ticket::doubt) {
            Some(Doubt::Unconfirmed(reason)) => kinds::of_reason(reason),
            _ => reason_unless_doubt,
        };
        [
            ("wants", wants),
            ("looks", looks),
            ("refused_token", refused_token),
            // Of a right client's doubt nothing is ever lost, so that one would do.
            ("doubt", in_doubt + 2 * u32::from(*doubted)),
            ("reason_unless_doubt", reason_unless_doubt),
            ("seen_waiting", seen_waiting),
            ("sends", sends),
            // A token shows in the logins, and a permit in the 401s, as long as the client is right.
            ("unauthorized", unauthorized_in_a_row * 2 + has_permit),
            ("logins", needless_logins.wrapping_mul(2) + has_token),
            ("failed_logins", failed_logins),
            ("key_age", key_age(first_sent, own)),
            ("sends_seen", sends_seen),
            ("first", first.as_ref().map_or(0, |request| number(request.body()))),
            ("old", u32::from(*old)),
            ("life", lives),
            ("record", self.stand(now)),
            ("record_before", self.stand(before)),
            ("promised", promised.map_or(0, |said| said as u32 + 1)),
            ("late", late.as_ref().map_or(0, |late| self.late_one(late))),
            ("echo", echo.map_or(0, |waits| waits + 1)),
            ("restarts", *restarts),
            ("order", *order as u32 * 16 + u32::from(*captures)),
            ("stored", digits(stored.iter().map(|did| did.map_or(0, |did| did as u32 + 1)))),
            ("in_flight", digits(in_flight.iter().map(|key| count(*key) + 1))),
        ]
    }

    /// Where the capture stands, by the clock of the one who asks next.
    fn stand(&self, stand: Stand) -> u32 {
        stand.kind * 4 + key_age(stand.first_sent, self.now)
    }

    fn late_one(&self, late: &Late) -> u32 {
        let Late { held, found } = late;
        1 + 2 * self.stand(Stand::of_outcome(found)) + u32::from(self.record.is_taken(*held))
    }
}

/// The key's age, as far as it decides: none, young, old, ahead.
fn key_age(first_sent: Option<SystemTime>, now: Now) -> u32 {
    match first_sent.map(|first| now.wall().duration_since(first)) {
        None => 0,
        Some(Ok(age)) if age < LIFE_OF_A_KEY => 1,
        Some(Ok(_)) => 2,
        Some(Err(_)) => 3,
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).expect("a handful")
}

/// A few small numbers as one: as digits, least first, so that zeros at the end do not count.
fn digits(numbers: impl DoubleEndedIterator<Item = u32>) -> u32 {
    numbers.rev().fold(0, |all, n| all * 16 + n)
}

/// The few codes and bodies there are differ in this.
fn number(text: &[u8]) -> u32 {
    text.iter().fold(0, |all: u32, byte| all.wrapping_mul(31).wrapping_add(u32::from(*byte)))
}
