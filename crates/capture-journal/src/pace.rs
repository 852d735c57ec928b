//! How a holder works off many captures: how many at once, how fast, and for how long.

use std::time::Duration;

use crate::run::RunId;

/// How a holder works off many captures. Every value is right for a run of some thousand orders beside a
/// shop that uses the same account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How many captures are on their way at once; at least 1.
    pub concurrency: usize,
    /// How many are claimed besides, so that no send waits for the disk. A crash leaves these in doubt too,
    /// and each is looked up before it is sent; with [`Resend::Never`](capture_core::Resend::Never) take 0.
    pub ahead: usize,
    /// How many first sends a second begin at most; `None` for as many as go. Holders that the journal
    /// [counts](crate::Turned::sharers) share it, and should all be given the same.
    pub per_second: Option<u32>,
    /// So many of the first captures go one by one, and one that is not captured stops the run.
    pub one_by_one: usize,
    /// How long what is in doubt, or was put back, is waited for once nothing else is left, counted from
    /// the last capture that was decided.
    pub settle_for: Duration,
    /// How long the API may be out of order before the run is given up, unless it stays.
    pub give_up_after: Duration,
    /// Only what may have been sent is worked on: interrupted and in doubt.
    pub only_open: bool,
    /// Only this list is worked on.
    pub run: Option<RunId>,
    /// A service: it waits for further captures when nothing is left, and for the end of an outage however
    /// long that takes. It has no list, so that refusals say nothing about one.
    pub stays: bool,
}

impl Default for Pace {
    /// 16 at once, 64 claimed besides, 50 a second, no canary, 10 minutes for what is in doubt, half an hour
    /// of outage.
    fn default() -> Self {
        Self {
            concurrency: 16,
            ahead: 64,
            per_second: Some(50),
            one_by_one: 0,
            settle_for: Duration::from_secs(600),
            give_up_after: Duration::from_secs(1800),
            only_open: false,
            run: None,
            stays: false,
        }
    }
}
