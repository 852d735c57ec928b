//! A process of the merchant: one token and one retry budget for all its captures.

use std::time::{Duration, SystemTime};

use capture_core::driver::{Login, Shared};
use capture_core::{Capture, OrderId, Policy};
use capture_journal::{Fence, Held};

use super::clause::Claim;
use crate::subject::Subject;

/// A process, and the captures that it works on.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) shared: Shared,
    /// Which store has all that outlives it.
    pub(crate) store: usize,
    /// Its numbers there, the latest last: it takes another one where its lease ran out.
    pub(crate) fences: Vec<Fence>,
    /// It stands still until then.
    pub(crate) stalls_until: Duration,
    /// Captures that wait for the current login, and since when.
    pub(crate) waiting: Vec<(usize, Duration)>,
    /// The request that logs in, if one is on its way.
    pub(crate) login: Option<(u64, Login)>,
    /// How often it died.
    pub(crate) lives: u32,
    /// How far its wall clock is off, in seconds.
    pub(crate) skew: i64,
    /// When its wall clock is set while it runs, and by how many seconds.
    pub(crate) jump: Option<(Duration, i64)>,
}

/// One capture in one process.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) process: usize,
    pub(crate) order: OrderId,
    pub(crate) capture: Capture,
    /// The machine, once it was started.
    pub(crate) subject: Option<Subject>,
    /// Its claim in the journal, while it works.
    pub(crate) held: Option<Held>,
    /// The request that it waits for.
    pub(crate) pending: Option<u64>,
    /// Tells a wake-up for an earlier wait from the current one.
    pub(crate) round: u32,
    /// The first capture it sent, without its token: all others must equal it.
    pub(crate) first: Option<(Vec<u8>, String)>,
    /// When it was first sent, by the clock of its process, or what another life has to assume.
    pub(crate) first_sent: Option<SystemTime>,
    /// Whether an attempt may have been executed at some time.
    pub(crate) doubted: bool,
    pub(crate) policy: Policy,
    /// What was claimed at the end.
    pub(crate) claim: Option<Claim>,
    /// Whether another process works on the same order.
    pub(crate) shared: bool,
    /// How often it is asked for once more after its end.
    pub(crate) reruns: u32,
}

impl Process {
    pub(crate) fn new(shared: Shared, store: usize, lives: u32, skew: i64) -> Self {
        let (waiting, fences, stalls_until) = (Vec::new(), Vec::new(), Duration::ZERO);
        let (login, jump) = (None, None);
        Self { shared, store, fences, stalls_until, waiting, login, lives, skew, jump }
    }

    pub(crate) fn fence(&self) -> Fence {
        *self.fences.last().expect("it has opened its journal")
    }

    /// How far its wall clock is off at this time, in seconds.
    pub(crate) fn skew_at(&self, now: Duration) -> i64 {
        self.skew + self.jump.filter(|(at, _)| now >= *at).map_or(0, |(_, by)| by)
    }
}
