//! The service's log on stderr: lines of JSON, or text on a terminal. It has this service's own events alone,
//! so that no library can write a secret into it.

use std::io::{self, IsTerminal as _};

use capture_journal::{Brake, Ended, Stands};
use tracing::level_filters::LevelFilter;
use tracing::{info, warn};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

use super::super::args::Log;
use crate::output;

/// Of every event of the log, and of nobody else's: the client's own events quote the API.
pub(super) const TARGET: &str = "capture::work";

/// From now on events go to stderr.
pub(super) fn begin(format: Option<Log>) {
    let by_terminal = if io::stderr().is_terminal() { Log::Text } else { Log::Json };
    let ours = filter_fn(|event| {
        event.target() == TARGET && event.is_event() && *event.level() <= LevelFilter::INFO
    });
    let plain = layer().with_writer(io::stderr).with_target(false).with_ansi(false);
    let layer = match format.unwrap_or(by_terminal) {
        Log::Text => plain.with_filter(ours).boxed(),
        Log::Json => {
            plain.json().flatten_event(true).with_span_list(false).with_filter(ours).boxed()
        }
    };
    // Only the first one of a process counts, and there is one.
    let _ = tracing::subscriber::set_global_default(registry().with(layer));
    output::notes_are_logged();
}

/// A capture ended. What went well, or was put back untouched, is in the metrics.
///
/// Codes only: what the API says in its own words may be about a person.
pub(super) fn ended(ended: &Ended) {
    let outcome = &ended.outcome;
    let (order_id, code) = (outcome.capture().order_id(), outcome.code());
    let key = outcome.capture().idempotency_key();
    let next_step = &*outcome.next_step();
    match Stands::after(outcome) {
        Stands::Captured | Stands::Left => {}
        Stands::CapturedWithCaveat => warn!(
            target: TARGET, %order_id, idempotency_key = %key, code, next_step,
            "captured, with a caveat"
        ),
        Stands::NotCaptured => {
            warn!(target: TARGET, %order_id, idempotency_key = %key, code, next_step, "not captured");
        }
        Stands::Unknown => warn!(
            target: TARGET, %order_id, idempotency_key = %key, code, cause = outcome.cause(), next_step,
            "unknown: money may have moved"
        ),
    }
}

/// What holds the sends back has changed.
pub(super) fn brakes(brake: Option<Brake>) {
    match brake {
        None => info!(target: TARGET, "at the given rate again"),
        Some(Brake::Wait(wait)) => {
            warn!(target: TARGET, wait_s = wait.as_secs_f64().ceil(), "the API asks to wait");
        }
        Some(Brake::Slowed(rate)) => {
            warn!(target: TARGET, per_second = rate, "slowed: the API asks for it (429 or 503)");
        }
        Some(Brake::Outage { next_try }) => warn!(
            target: TARGET, next_try_s = next_try.as_secs_f64().ceil(),
            "outage: half of the latest captures got no decision; one is tried now and then"
        ),
    }
}
