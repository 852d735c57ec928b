//! Spans and events for the `tracing` facade, named by the conventions of OpenTelemetry where it has
//! names: one span for each capture, one event in it for each attempt, wait and outcome.

use std::time::Duration;

use capture_core::http::Uri;
use capture_core::{Attempt, Capture, Operation, Outcome, Phase};
use tracing::{Instrument, debug, info, info_span, warn};

use crate::event::Event;

/// Runs a capture inside its span.
pub(crate) async fn in_span<F: Future>(
    capture: &Capture,
    resumed: bool,
    base_url: &str,
    future: F,
) -> F::Output {
    // Evaluated only if somebody listens.
    let origin = || base_url.parse::<Uri>().ok();
    let span = info_span!(
        target: "capture",
        "capture",
        otel.kind = "client",
        server.address = origin().as_ref().and_then(Uri::host),
        server.port = origin().as_ref().and_then(Uri::port_u16),
        capture.order_id = %capture.order_id(),
        capture.idempotency_key = %capture.idempotency_key(),
        capture.asked_amount = capture.money().minor_units(),
        capture.asked_currency = capture.money().currency().code(),
        capture.resumed = resumed,
    );
    future.instrument(span).await
}

/// One event inside the span.
pub(crate) fn emit(event: &Event<'_>) {
    match event {
        Event::Started { .. } => debug!(target: "capture", "started"),
        Event::Attempted { attempt, resend_count, .. } => attempted(attempt, *resend_count),
        Event::Waiting { delay, next, .. } => {
            debug!(target: "capture", delay_s = delay.as_secs_f64(), next = next.code(), "waiting");
        }
        Event::Ended { outcome, took, .. } => ended(outcome, *took),
    }
}

fn attempted(attempt: &Attempt, resend_count: usize) {
    let method = match attempt.operation {
        Operation::Lookup => "GET",
        Operation::Capture | Operation::Login => "POST",
    };
    let error = Some(attempt.phase).filter(|phase| *phase != Phase::Replied).map(Phase::code);
    info!(
        target: "capture",
        {
            http.request.method = method,
            http.response.status_code = attempt.status,
            http.request.resend_count = resend_count,
            error.r#type = error,
            capture.operation = attempt.operation.code(),
            capture.request_id = attempt.request_id.as_deref(),
            duration_ms = attempt.took_ms,
        },
        "{attempt}"
    );
}

fn ended(outcome: &Outcome, took: Duration) {
    let (name, code, duration_s) = (outcome.name(), outcome.code(), took.as_secs_f64());
    match outcome {
        Outcome::Unknown(ticket) => {
            let obstacle = ticket.obstacle().code();
            warn!(
                target: "capture",
                { capture.outcome = name, capture.code = code, capture.obstacle = obstacle, duration_s },
                "{outcome}"
            );
        }
        Outcome::Captured(receipt) if receipt.caveat().is_some() => warn!(
            target: "capture",
            { capture.outcome = name, capture.code = code, duration_s },
            "{outcome}"
        ),
        _ => info!(
            target: "capture",
            { capture.outcome = name, capture.code = code, duration_s },
            "{outcome}"
        ),
    }
}
