//! What the vendor's support needs of an order, without secrets and personal data.

use std::time::SystemTime;

use capture_core::{Attempt, Finding, OrderId, Outcome};
use serde::Serialize;

use crate::story::Story;
use crate::utc::{moment, utc};

/// A bundle for FlexFactor's support. It serialises into JSON.
///
/// Only what is named here gets into it: no free text, neither the API's nor the network's, no host and no
/// process of the merchant's.
#[derive(Debug, Clone, Serialize)]
pub struct Bundle {
    program: &'static str,
    written_at: String,
    environment: String,
    order_id: OrderId,
    captures: Vec<Bundled>,
}

#[derive(Debug, Clone, Serialize)]
struct Bundled {
    idempotency_key: String,
    amount: u32,
    currency: String,
    asked_at: String,
    standing: &'static str,
    /// When each process took the capture.
    claimed_at: Vec<String>,
    outcomes: Vec<Found>,
}

#[derive(Debug, Clone, Serialize)]
struct Found {
    recorded_at: String,
    outcome: &'static str,
    code: &'static str,
    cause: Option<&'static str>,
    attempts: Vec<Sent>,
}

#[derive(Debug, Clone, Serialize)]
struct Sent {
    began_at: String,
    took_ms: u64,
    operation: &'static str,
    phase: &'static str,
    status: Option<u16>,
    request_id: Option<String>,
    finding: &'static str,
    order_status: Option<i64>,
    /// The SHA-1 of the reply's body.
    reply_sha1: Option<String>,
}

impl Bundle {
    /// What the stories of one order hold for support; `None` without a story.
    #[must_use]
    pub fn new(environment: &str, stories: &[Story], now: SystemTime) -> Option<Self> {
        let order_id = stories.first()?.capture.order_id();
        Some(Self {
            program: concat!("capture ", env!("CARGO_PKG_VERSION")),
            written_at: utc(now),
            environment: environment.to_owned(),
            order_id,
            captures: stories.iter().map(bundled).collect(),
        })
    }
}

fn bundled(story: &Story) -> Bundled {
    let (capture, entries) = (&story.capture, story.entries.iter());
    Bundled {
        idempotency_key: capture.idempotency_key().to_string(),
        amount: capture.money().minor_units(),
        currency: capture.money().currency().to_string(),
        asked_at: utc(story.asked_at),
        standing: story.standing().name(),
        claimed_at: story.claims.iter().map(|claim| utc(claim.at)).collect(),
        outcomes: entries.map(|entry| found(&entry.outcome, entry.at)).collect(),
    }
}

fn found(outcome: &Outcome, at: SystemTime) -> Found {
    Found {
        recorded_at: utc(at),
        outcome: outcome.name(),
        code: outcome.code(),
        cause: outcome.cause(),
        attempts: outcome.attempts_this_run().iter().map(sent).collect(),
    }
}

fn sent(attempt: &Attempt) -> Sent {
    Sent {
        began_at: utc(moment(attempt.began_ms)),
        took_ms: attempt.took_ms,
        operation: attempt.operation.code(),
        phase: attempt.phase.code(),
        status: attempt.status,
        request_id: attempt.request_id.clone(),
        finding: code(&attempt.finding),
        order_status: match attempt.finding {
            Finding::OrderStatus(status) => status.number(),
            _ => None,
        },
        reply_sha1: attempt.reply_sha1(),
    }
}

/// A finding by its stable name.
fn code(finding: &Finding) -> &'static str {
    match finding {
        Finding::Captured => "captured",
        Finding::Refused(reason) => reason.code(),
        Finding::Undecided(doubt) => doubt.code(),
        Finding::OrderStatus(_) => "order_status",
        Finding::Token => "token",
        Finding::NoToken(error) => error.code(),
        Finding::Lost(_) => "lost",
        _ => "other",
    }
}
