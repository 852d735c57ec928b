//! Counters and histograms for the `metrics` facade. Durations are in seconds.

use std::time::Duration;

use capture_core::Attempt;
use metrics::{counter, gauge, histogram};

use crate::event::Event;

pub(crate) fn emit(event: &Event<'_>) {
    match event {
        Event::Started { .. } => {}
        Event::Attempted { attempt, .. } => attempted(attempt),
        Event::Waiting { delay, .. } => histogram!("capture.wait.duration").record(*delay),
        Event::Ended { outcome, took, unknown_for, permits_left } => {
            let (name, code) = (outcome.name(), outcome.code());
            counter!("capture.outcomes", "outcome" => name, "code" => code).increment(1);
            histogram!("capture.duration", "outcome" => name).record(*took);
            if let Some(age) = unknown_for {
                histogram!("capture.unknown.age").record(*age);
            }
            #[allow(clippy::cast_precision_loss, reason = "a budget of a few hundreds")]
            gauge!("capture.retry_budget.permits").set(*permits_left as f64);
        }
    }
}

fn attempted(attempt: &Attempt) {
    let (operation, phase) = (attempt.operation.code(), attempt.phase.code());
    let status = attempt.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    counter!("capture.attempts", "operation" => operation, "phase" => phase, "status" => status)
        .increment(1);
    let took = Duration::from_millis(attempt.took_ms);
    histogram!("capture.attempt.duration", "operation" => operation).record(took);
}
