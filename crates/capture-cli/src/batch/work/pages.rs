//! What the health port says: how the service is, and its metrics.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use capture_core::http::StatusCode;
use capture_journal::OpenNow;
use serde::Serialize;

use super::health::Page;
use super::metrics;
use super::state::{Seen, State};
use crate::store::Store;

/// The pages. They read the journal by an opening of their own, which claims nothing; one that failed is opened
/// again.
pub(super) fn pages(
    state: State,
    reopen: impl Fn() -> Option<Store> + Send + 'static,
) -> impl Fn(&str) -> Option<Page> + Send + Sync {
    let reopen = Box::new(reopen);
    let watched = Mutex::new(Watched { reopen, journal: None, open: None, read_at: None });
    move |path| match path {
        "/health" => Some(health(&state.seen())),
        "/metrics" => {
            let open = watched.lock().unwrap_or_else(PoisonError::into_inner).open();
            Some(Page {
                status: StatusCode::OK,
                content_type: metrics::CONTENT_TYPE,
                text: metrics::metrics(&state.seen(), open.as_ref()),
            })
        }
        _ => None,
    }
}

/// The journal, and what was open in it a moment ago.
struct Watched {
    reopen: Box<dyn Fn() -> Option<Store> + Send>,
    journal: Option<Store>,
    open: Option<OpenNow>,
    read_at: Option<Instant>,
}

/// The journal is read at most so often, however many ask.
const FRESH: Duration = Duration::from_secs(5);

impl Watched {
    fn open(&mut self) -> Option<OpenNow> {
        if self.read_at.is_none_or(|at| at.elapsed() >= FRESH) {
            let mut journal = self.journal.take().or_else(&self.reopen);
            self.open = journal.as_mut().and_then(|journal| journal.open_now().ok());
            self.journal = journal.filter(|_| self.open.is_some());
            self.read_at = Some(Instant::now());
        }
        self.open
    }
}

#[derive(Serialize)]
struct Health<'a> {
    status: &'a str,
    reason: Option<&'a str>,
    brake: &'a str,
    in_flight: usize,
    in_doubt: u64,
    round_age_s: u64,
}

fn health(seen: &Seen) -> Page {
    let reason = seen.trouble();
    let (status, word) = match reason {
        None => (StatusCode::OK, "ok"),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    let health = Health {
        status: word,
        reason,
        brake: seen.brake_code(),
        in_flight: seen.running,
        in_doubt: seen.doubts(),
        round_age_s: seen.went_round.elapsed().as_secs(),
    };
    let text = serde_json::to_string(&health).expect("string keys and plain values only");
    Page { status, content_type: "application/json", text: format!("{text}\n") }
}
