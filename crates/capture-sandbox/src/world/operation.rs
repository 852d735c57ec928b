//! The operations of the API, by name. Their routes are in `api/routes.rs`.

use serde::{Deserialize, Serialize};

/// An operation of the API. Scripts and the transcript use these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// `POST /v1/oauth2/token`, the login.
    Token,
    /// `POST /v1/evaluate`, which creates an order.
    Evaluate,
    /// `POST /v1/capture`.
    Capture,
    /// `GET /v1/orders/{id}`, one order's status.
    Order,
    /// `GET /v1/orders`, the list.
    Orders,
    /// `POST /v1/orders/{id}/cancel`.
    Cancel,
}

impl Operation {
    /// Whether its requests carry an idempotency key.
    pub(crate) fn has_key(self) -> bool {
        matches!(self, Self::Evaluate | Self::Capture | Self::Cancel)
    }
}
