//! What is done when the work goes round: the watchdog is fed, and the service manager is told.

use std::time::{Duration, Instant};

use capture_journal::{End, Round};
use tracing::info;

use super::log::TARGET;
use super::notify::{Notify, Watchdog};
use super::state::State;

/// What is done when the work goes round.
pub(super) struct Rounds<'a> {
    pub(super) state: &'a State,
    notify: &'a Notify,
    watchdog: Watchdog,
    status: String,
    said_at: Option<Instant>,
    /// Whether it was said that nothing is left to do.
    is_drained: bool,
}

/// Between two lines about how it goes.
const PAUSE: Duration = Duration::from_secs(1);

impl<'a> Rounds<'a> {
    pub(super) fn new(state: &'a State, notify: &'a Notify) -> Self {
        let watchdog = Watchdog::new();
        Self { state, notify, watchdog, status: String::new(), said_at: None, is_drained: false }
    }

    /// It waits for its journal.
    pub(super) fn waits(&mut self) {
        self.watchdog.goes_round(self.notify);
        self.tell_status();
    }

    pub(super) fn goes_round(&mut self, round: Round) {
        self.state.goes_round(round);
        self.watchdog.goes_round(self.notify);
        if round.ends == Some(End::NoAccess) {
            self.state.ends("the API refuses the credentials");
        }
        if round.in_hand > 0 {
            self.is_drained = false;
        } else if round.ends.is_none()
            && round.turn.is_some()
            && !std::mem::replace(&mut self.is_drained, true)
        {
            info!(target: TARGET, "drained: nothing is left that can be done now");
        }
        self.tell_status();
    }

    fn tell_status(&mut self) {
        if self.said_at.is_none_or(|at| at.elapsed() >= PAUSE) {
            let status = self.state.seen().status();
            if status != self.status {
                self.notify.say(&format!("STATUS={status}"));
                self.status = status;
            }
            self.said_at = Some(Instant::now());
        }
    }
}
