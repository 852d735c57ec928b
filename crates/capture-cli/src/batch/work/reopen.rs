//! A database that cannot be reached is asked again and again, and the service goes on where it was.

use std::thread;
use std::time::{Duration, Instant};

use capture_core::one_line;
use capture_journal::RunError;
use capture_postgres::Postgres;
use tracing::{error, info, warn};

use super::super::prepared::Prepared;
use super::log::TARGET;
use super::rounds::Rounds;
use crate::config::BadInput;
use crate::place::Place;
use crate::store::Store;

/// Between two tries: doubled each time.
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);

/// How long it sleeps at most before it sees that it was stopped.
const LOOKS_UP: Duration = Duration::from_millis(100);

impl Prepared<'_> {
    /// Whether the service goes on once its journal has failed.
    pub(super) fn goes_on_without_journal(&self) -> bool {
        matches!(self.place, Place::Database { .. }) && !self.stop.is_stopped()
    }

    /// Opens the journal. One whose server cannot be reached now is waited for; `None` if it is stopped meanwhile.
    pub(super) fn open_in_time(&self, rounds: &mut Rounds<'_>) -> Result<Option<Store>, BadInput> {
        let Place::Database { config, options } = &self.place else { return self.open().map(Some) };
        let (mut pause, mut said) = (SHORTEST, String::new());
        loop {
            match Postgres::open_with(config, &self.environment, options) {
                Ok(journal) => {
                    if !said.is_empty() {
                        info!(target: TARGET, "the journal's database is there again");
                    }
                    rounds.state.journal_is_there(true);
                    return Ok(Some(Store::Database(journal)));
                }
                Err(error) if error.may_pass() => {
                    let why = one_line(&error);
                    if why != said {
                        warn!(target: TARGET, "{why}; nothing begins until it is there");
                        said = why;
                    }
                }
                Err(error) => {
                    let sentence = format!("journal {}: {}", self.place, one_line(&error));
                    return Err(BadInput::new("journal", sentence));
                }
            }
            rounds.state.journal_is_there(false);
            let until = Instant::now() + pause;
            while Instant::now() < until {
                if self.stop.is_stopped() {
                    return Ok(None);
                }
                rounds.waits();
                thread::sleep(until.saturating_duration_since(Instant::now()).min(LOOKS_UP));
            }
            pause = (pause * 2).min(LONGEST);
        }
    }
}

/// To the journal these are in doubt: they are looked up once it is there again.
pub(super) fn tell_unrecorded(failed: &RunError) {
    for outcome in &failed.unrecorded {
        let (order_id, key) = (outcome.capture().order_id(), outcome.capture().idempotency_key());
        let (name, code) = (outcome.name(), outcome.code());
        error!(target: TARGET, %order_id, idempotency_key = %key, outcome = name, code, "not recorded");
    }
}
