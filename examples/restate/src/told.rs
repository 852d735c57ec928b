//! What a caller is told.

use capture_hyper::Outcome;
use serde::Serialize;

/// An outcome in plain fields. Programs read `outcome` and `decided`, never the HTTP status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// `captured`, `not_captured` or `unknown`.
    outcome: &'static str,
    /// The reason by its stable name.
    code: &'static str,
    /// Whether this is the last word about this key. If not, ask again with the same values.
    decided: bool,
    order_id: String,
    amount: u32,
    currency: String,
    idempotency_key: String,
    /// What happened, and what to do next: for a person.
    says: String,
    next_step: String,
}

impl Told {
    pub fn new(outcome: &Outcome) -> Self {
        let capture = outcome.capture();
        Self {
            outcome: outcome.name(),
            code: outcome.code(),
            decided: is_decided(outcome),
            order_id: capture.order_id().to_string(),
            amount: capture.money().minor_units(),
            currency: capture.money().currency().code().to_owned(),
            idempotency_key: capture.idempotency_key().to_string(),
            says: outcome.to_string(),
            next_step: outcome.next_step().into_owned(),
        }
    }
}

/// A refusal that the API did not decide says only that nothing was sent, or nothing was done.
pub(crate) fn is_decided(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Captured(_) => true,
        Outcome::NotCaptured(refusal) => refusal.reason().is_decided(),
        Outcome::Unknown(_) => false,
    }
}
