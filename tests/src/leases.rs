//! The journal of a simulated world: with locks, as the file has them, or with leases by the store's own clock.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use capture_core::driver::Now;
use capture_core::{OrderId, Outcome, Ticket};
use capture_journal::{Disk, Fence, Journal as _, Memory, Story, Turn, Turned};

/// How long a lease lasts, and how often a holder renews it while it does nothing else.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
pub(crate) const BEAT: Duration = Duration::from_secs(10);

/// What all hosts share. Its own clock is the monotonic one of the world.
pub(crate) struct Store {
    disk: Disk,
    /// Else a holder that has ended is known at once.
    has_leases: bool,
    openings: BTreeMap<Fence, Opening>,
    broken: Option<Broken>,
}

/// How a store is broken, or who uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It judges leases by the clock of the host that asks.
    LeasesByTheHostsClock,
    /// A holder whose lease ran out goes on under its old number.
    GoesOnUnderItsOldNumber,
    /// No lease ever runs out.
    BuriesNobody,
    /// It believes a late *not captured*, as if its holder still held the capture.
    BelievesALateNo,
    /// It makes nothing of a late *captured*.
    DropsALateYes,
}

struct Opening {
    memory: Memory,
    /// When its lease runs out.
    until: Duration,
}

impl Store {
    pub(crate) fn new(has_leases: bool, broken: Option<Broken>) -> Self {
        Self { disk: Disk::default(), has_leases, openings: BTreeMap::new(), broken }
    }

    pub(crate) fn all(&self) -> Vec<Story> {
        self.disk.all()
    }

    /// The story of an order, which has no other one.
    pub(crate) fn story(&self, order: OrderId) -> Option<Story> {
        self.disk.of(order).pop()
    }

    pub(crate) fn has_leases(&self) -> bool {
        self.has_leases
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
            if !self.beats(fence, now) && self.broken != Some(Broken::GoesOnUnderItsOldNumber) {
                fence = self.open(now);
            }
        }
        let turn = self.as_written(turn);
        let opening = self.openings.get_mut(&fence).expect("it is open");
        let mut turned = opening.memory.turn(&turn).expect("memory does not fail");
        turned.held_for = self.has_leases.then_some(LEASE);
        turned
    }

    /// Renews a lease that has not run out.
    pub(crate) fn beats(&mut self, fence: Fence, now: Now) -> bool {
        let now = self.clock(now);
        let renewed = self.openings.get_mut(&fence).filter(|opening| opening.until > now);
        renewed.map(|opening| opening.until = opening.until.max(now + LEASE)).is_some()
    }

    /// Its process has ended, without a word.
    pub(crate) fn dies(&mut self, fence: Fence) {
        if !self.has_leases {
            self.ends(fence);
        }
    }

    /// Nothing happens to it any more.
    pub(crate) fn lives_on(&mut self, fence: Fence, now: Now) {
        if self.beats(fence, now) {
            self.openings.entry(fence).and_modify(|opening| opening.until = Duration::MAX);
        }
    }

    /// Somebody takes its hold away while it goes on.
    pub(crate) fn loses_hold(&self, fence: Fence) {
        self.openings.get(&fence).into_iter().for_each(|opening| opening.memory.lose_hold());
    }

    /// It gives back what it holds.
    pub(crate) fn ends(&mut self, fence: Fence) {
        self.openings.remove(&fence);
    }

    /// Those whose leases ran out hold nothing any more.
    fn buries(&mut self, now: Now) {
        let at = self.clock(now);
        match self.broken {
            Some(Broken::BuriesNobody) => {}
            Some(Broken::GoesOnUnderItsOldNumber) => {
                let over = self.openings.values().filter(|opening| opening.until <= at);
                over.for_each(|opening| opening.memory.lose_hold());
            }
            _ => self.openings.retain(|_, opening| opening.until > at),
        }
    }

    fn clock(&self, now: Now) -> Duration {
        match self.broken {
            Some(Broken::LeasesByTheHostsClock) => {
                now.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
            }
            _ => now.monotonic(),
        }
    }

    /// What a store writes that does not look who holds the capture now.
    fn as_written(&self, turn: &Turn) -> Turn {
        let mut turn = turn.clone();
        for (held, outcome) in &mut turn.settled {
            let Some(story) = self.story(outcome.capture().order_id()) else { continue };
            let Some(latest) = story.claims.last().filter(|it| it.id != held.claim) else {
                continue;
            };
            match (self.broken, &*outcome) {
                (Some(Broken::BelievesALateNo), Outcome::NotCaptured(_)) => held.claim = latest.id,
                (Some(Broken::DropsALateYes), Outcome::Captured(_)) => {
                    *outcome = Outcome::Unknown(Ticket::interrupted(story.capture, latest.at));
                }
                _ => {}
            }
        }
        turn
    }
}
