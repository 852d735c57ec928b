//! One order at the server, and what must hold of all of them.

use std::time::Duration;

use capture_core::{
    Capture, Doubt, IdempotencyKey, Money, Obstacle, OrderId, Outcome, Proof, Reason, Receipt,
    Refusal, Ticket,
};
use capture_journal::How;

use crate::simulation::Chance;

/// What must hold. The names of `outcomes.md` and of the journal's design are beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// B1: a durable claim of this very holder comes before the first byte.
    ClaimedBeforeSent,
    /// B4: what may have been sent is never begun afresh.
    NeverAfresh,
    /// What is recorded is what happened.
    True,
    /// What is told is recorded.
    RecordedBeforeTold,
    /// B5: in the end each order is decided, but for those that nobody can decide.
    EveryOneDecided,
    /// B6: nothing begins after a stop.
    NothingAfterTheStop,
    /// B7: a crash leaves no more in doubt than were claimed at once.
    FewInDoubtAfterACrash,
    /// An outage meets few of the captures.
    FewInAnOutage,
    /// A throttled reply makes all wait.
    SlowsDown,
    /// No more at once, and no faster, than was asked for.
    AtMostSoMany,
    /// I20: one that stays in doubt delays no other.
    DelaysNoOther,
    /// A service ends only when it is stopped.
    Stays,
    /// What arrives while a service has nothing else to do is begun soon.
    TakenSoon,
    /// I1 in a fleet, at a server that neither knows keys nor looks at the order's state.
    CapturedOnce,
    /// What a holder found captured counts, however late it says so.
    LateYesCounts,
    /// What another holder has taken over is not decided by a *not captured* of the one before.
    LateNoDecidesNothing,
    /// All hosts together keep to the rate.
    SharedRate,
}

/// What the server does with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    Captures,
    Declines,
    /// The order stays in a state that decides nothing.
    Undecidable,
}

#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) capture: Capture,
    pub(crate) nature: Nature,
    /// How often the server took its money.
    pub(crate) captures: u32,
    pub(crate) is_declined: bool,
    /// Whether any request with a body may have reached the server.
    pub(crate) was_sent: bool,
    /// How often it was begun.
    pub(crate) begun: u64,
    /// When it was written down.
    pub(crate) written_at: Duration,
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Served,
    /// It is executed, and the reply is lost.
    ReplyLost,
    /// 429, with a wait of so many seconds.
    Throttled(u64),
    /// It never leaves the machine.
    NotSent,
    /// The API is out of order: nothing is executed, and nobody answers.
    OutOfOrder,
}

impl Order {
    pub(crate) fn new(number: usize, chance: Chance) -> Self {
        let order = OrderId::from_bytes((number as u128 + 1).to_be_bytes()).expect("not zero");
        let money = Money::parse("100.00", "USD").expect("money");
        let nature = match chance.below(40, "nature", number as u64) {
            0 => Nature::Undecidable,
            1 => Nature::Declines,
            _ => Nature::Captures,
        };
        Self {
            capture: Capture::new(order, money, IdempotencyKey::for_order(order)),
            nature,
            captures: 0,
            is_declined: false,
            was_sent: false,
            begun: 0,
            written_at: Duration::ZERO,
        }
    }

    /// The request arrives. Only what is resumed is looked up first.
    pub(crate) fn arrives(&mut self, how: &How, fate: Fate) {
        if matches!(fate, Fate::Served | Fate::ReplyLost) {
            let is_done = self.captures > 0 && matches!(how, How::Resume(_));
            self.captures += u32::from(self.nature == Nature::Captures && !is_done);
            self.is_declined |= self.nature == Nature::Declines;
        }
    }

    /// What an honest client makes of it.
    pub(crate) fn outcome(&self, how: &How, fate: Fate) -> Outcome {
        let capture = self.capture;
        let refused = |reason| Outcome::NotCaptured(Refusal::new(capture, reason));
        let doubt = || match how {
            How::Fresh(_) => {
                // The journal knows when it was claimed.
                let first_sent = std::time::SystemTime::UNIX_EPOCH;
                let ticket =
                    Ticket::new(capture, Doubt::NoReply, Obstacle::NotLookedUp, first_sent);
                Outcome::Unknown(ticket)
            }
            How::Resume(ticket) => Outcome::Unknown(ticket.clone()),
        };
        match (fate, self.nature) {
            (Fate::Served, Nature::Captures) => {
                Outcome::Captured(Receipt::new(capture, Proof::Reply))
            }
            (Fate::Served, Nature::Declines) => refused(Reason::Declined(Vec::new())),
            (Fate::Throttled(wait), _) if matches!(how, How::Fresh(_)) => {
                refused(Reason::Throttled(Some(Duration::from_secs(wait))))
            }
            (Fate::NotSent, _) if matches!(how, How::Fresh(_)) => {
                refused(Reason::NeverSent("no route".to_owned()))
            }
            _ => doubt(),
        }
    }
}
