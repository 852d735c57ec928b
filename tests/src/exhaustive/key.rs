//! When two states are one: everything that decides how a capture continues, and how it is judged.
//!
//! The state is taken apart without `..`, down to the machine's own [`Progress`]: a new field has to
//! be put into the key, or the reason why it decides nothing has to be given here.

use std::time::{Duration, SystemTime};

use capture_core::driver::Progress;
use capture_core::{Doubt, Operation, Outcome, Reason, Ticket};

use super::node::Node;
use super::server::ServerModel;
use crate::subject::{History, Said, Wants};

/// Two states with equal keys continue in the same way, and are judged in the same way.
pub(crate) type Key = [u32; PARTS];

const PARTS: usize = 19;

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
            subject,
            server,
            scope,
            first,
            bodies: _, // only what the server keeps of them decides, and is below
            doubted,
            old,
            echo,
            restarts,
            began: _,    // a process ends at its deadline: I5 sees to it
            now: _,      // time is chosen; what decides is the age of the key, below
            saved_at: _, // always the start
        } = self;
        let ServerModel { assumptions: _, order, captures, stored, in_flight } = server;
        let History { sends: sends_seen, logins } = subject.history();

        let wants = match subject.wants() {
            Wants::Token(request) => {
                u32::from(request.refused.is_some()) + 2 * u32::from(request.resend)
            }
            Wants::Send(Operation::Capture, _) => 4,
            Wants::Send(_, _) => 5,
            Wants::Wait(_) => 6,
            Wants::Nothing(Said::Captured) => 7,
            Wants::Nothing(Said::Unknown) => 8,
            // What kind of reason it is is judged.
            Wants::Nothing(Said::NotCaptured) => match subject.outcome() {
                Some(Outcome::NotCaptured(refusal)) => match refusal.reason() {
                    Reason::OrderCancelled => 9,
                    reason => 10 + u32::from(reason.is_decided()),
                },
                _ => 12,
            },
        };
        let progress = subject.progress().filter(|_| self.end().is_none());
        let first_sent = match &progress {
            Some(progress) => progress.first_sent,
            None => subject.ticket().and_then(Ticket::first_sent),
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
                reason_unless_doubt.filter(|_| doubt.is_none()).map_or(0, kind_of_reason),
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
        let reason_unless_doubt = match subject.ticket().map(Ticket::doubt) {
            Some(Doubt::Unconfirmed(reason)) => kind_of_reason(reason),
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
            ("key_age", self.key_age(first_sent)),
            ("sends_seen", sends_seen),
            ("first", first.as_ref().map_or(0, |request| number(request.body()))),
            ("old", u32::from(*old)),
            ("echo", echo.map_or(0, |waits| waits + 1)),
            ("restarts", *restarts),
            ("order", *order as u32 * 16 + u32::from(*captures)),
            ("stored", digits(stored.iter().map(|did| did.map_or(0, |did| did as u32 + 1)))),
            ("in_flight", digits(in_flight.iter().map(|key| count(*key) + 1))),
        ]
    }

    /// The key's age by the client's own clock, as far as it decides: none, young, old, ahead.
    fn key_age(&self, first_sent: Option<SystemTime>) -> u32 {
        let now = self.subject.clock(self.now).wall();
        match first_sent.map(|first| now.duration_since(first)) {
            None => 0,
            Some(Ok(age)) if age < LIFE_OF_A_KEY => 1,
            Some(Ok(_)) => 2,
            Some(Err(_)) => 3,
        }
    }
}

/// As far as it decides: whether it has to be confirmed, and whether the order was unknown.
fn kind_of_reason(reason: &Reason) -> u32 {
    match reason {
        Reason::Rejected(404, _) => 2,
        reason => u32::from(reason.is_decided()),
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
