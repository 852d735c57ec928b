//! The journal of a world: with locks, as the file has them, or with leases by the store's own clock.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use capture_core::driver::Now;
use capture_core::{OrderId, Outcome, Ticket};
use capture_journal::{Disk, Fence, Journal as _, Memory, Story, Turn, Turned};

use super::misuse::Misuse;

/// How long a lease lasts, and how often a holder renews it while it does nothing else.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
pub(crate) const BEAT: Duration = Duration::from_secs(10);

/// What all hosts share. Its own clock is the monotonic one of the world.
pub(crate) struct Store {
    disk: Disk,
    /// Else a holder that has ended is known at once.
    has_leases: bool,
    openings: BTreeMap<Fence, Opening>,
    misuse: Option<Misuse>,
}

struct Opening {
    memory: Memory,
    /// When its lease runs out.
    until: Duration,
}

impl Store {
    pub(crate) fn new(has_leases: bool, misuse: Option<Misuse>) -> Self {
        Self { disk: Disk::default(), has_leases, openings: BTreeMap::new(), misuse }
    }

    pub(crate) fn all(&self) -> Vec<Story> {
        self.disk.all()
    }

    /// The story of an order, which has no other one.
    pub(crate) fn story(&self, order: OrderId) -> Story {
        self.disk.of(order).pop().expect("it was written down")
    }

    /// Writes captures down, as a shop does.
    pub(crate) fn writes(&self, turn: &Turn) {
        let _ = self.disk.open().turn(turn).expect("memory does not fail");
    }

    pub(crate) fn open(&mut self, now: Now) -> Fence {
        let (memory, until) = (self.disk.open(), self.clock(now) + LEASE);
        let fence = memory.fence();
        self.openings.insert(fence, Opening { memory, until });
        fence
    }

    /// A turn of this opening, or of the one that takes its place: its lease may have run out.
    pub(crate) fn turn(&mut self, mut fence: Fence, turn: &Turn, now: Now) -> Turned {
        if self.has_leases {
            self.buries(now);
            if !self.beats(fence, now) && self.misuse != Some(Misuse::GoesOnUnderItsOldNumber) {
                fence = self.open(now);
            }
        }
        let turn = self.misused(turn);
        let opening = self.openings.get_mut(&fence).expect("it is open");
        let mut turned = opening.memory.turn(&turn).expect("memory does not fail");
        turned.held_for = self.has_leases.then_some(LEASE);
        turned
    }

    /// Renews a lease that has not run out.
    pub(crate) fn beats(&mut self, fence: Fence, now: Now) -> bool {
        let now = self.clock(now);
        let renewed = self.openings.get_mut(&fence).filter(|opening| opening.until > now);
        renewed.map(|opening| opening.until = now + LEASE).is_some()
    }

    /// Its process has ended, without a word.
    pub(crate) fn dies(&mut self, fence: Fence) {
        if !self.has_leases {
            self.ends(fence);
        }
    }

    /// It gives back what it holds.
    pub(crate) fn ends(&mut self, fence: Fence) {
        self.openings.remove(&fence);
    }

    /// Those whose leases ran out hold nothing any more.
    fn buries(&mut self, now: Now) {
        let at = self.clock(now);
        match self.misuse {
            Some(Misuse::BuriesNobody) => {}
            Some(Misuse::GoesOnUnderItsOldNumber) => {
                let over = self.openings.values().filter(|opening| opening.until <= at);
                over.for_each(|opening| opening.memory.lose_hold());
            }
            _ => self.openings.retain(|_, opening| opening.until > at),
        }
    }

    fn clock(&self, now: Now) -> Duration {
        match self.misuse {
            Some(Misuse::LeasesByTheHostsClock) => {
                now.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
            }
            _ => now.monotonic(),
        }
    }

    /// What a store writes that does not look who holds the capture now.
    fn misused(&self, turn: &Turn) -> Turn {
        let mut turn = turn.clone();
        for (held, outcome) in &mut turn.settled {
            let story = self.story(outcome.capture().order_id());
            let Some(latest) = story.claims.last().filter(|it| it.id != held.claim) else {
                continue;
            };
            match (self.misuse, &*outcome) {
                (Some(Misuse::BelievesALateNo), Outcome::NotCaptured(_)) => held.claim = latest.id,
                (Some(Misuse::DropsALateYes), Outcome::Captured(_)) => {
                    *outcome = Outcome::Unknown(Ticket::interrupted(story.capture, latest.at));
                }
                _ => {}
            }
        }
        turn
    }
}
