//! The operations that the sandbox serves: their paths, methods and names.

use http::Method;
use serde::{Deserialize, Serialize};

/// One of the API's operations, by the name it has in scripts and in the transcript.
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
    #[cfg(test)]
    pub(crate) const ALL: [Self; 6] =
        [Self::Token, Self::Evaluate, Self::Capture, Self::Order, Self::Orders, Self::Cancel];

    /// Method and path.
    pub(crate) fn route(self) -> &'static str {
        match self {
            Self::Token => "POST /v1/oauth2/token",
            Self::Evaluate => "POST /v1/evaluate",
            Self::Capture => "POST /v1/capture",
            Self::Order => "GET /v1/orders/{id}",
            Self::Orders => "GET /v1/orders",
            Self::Cancel => "POST /v1/orders/{id}/cancel",
        }
    }

    /// Whether its requests carry an idempotency key.
    pub(crate) fn has_key(self) -> bool {
        matches!(self, Self::Evaluate | Self::Capture | Self::Cancel)
    }

    /// The operation at this path, and the order id that stands in it.
    pub(crate) fn at(path: &str) -> Option<(Self, &str)> {
        match path.strip_prefix("/v1/")? {
            "oauth2/token" => Some((Self::Token, "")),
            "evaluate" => Some((Self::Evaluate, "")),
            "capture" => Some((Self::Capture, "")),
            "orders" => Some((Self::Orders, "")),
            other => match other.strip_prefix("orders/")?.split_once('/') {
                None => Some((Self::Order, other.strip_prefix("orders/")?)),
                Some((id, "cancel")) => Some((Self::Cancel, id)),
                Some(_) => None,
            },
        }
    }

    pub(crate) fn method(self) -> Method {
        match self {
            Self::Order | Self::Orders => Method::GET,
            Self::Token | Self::Evaluate | Self::Capture | Self::Cancel => Method::POST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (path, expect) in [
            ("/v1/oauth2/token", Some((Operation::Token, ""))),
            ("/v1/capture", Some((Operation::Capture, ""))),
            ("/v1/orders", Some((Operation::Orders, ""))),
            ("/v1/orders/x", Some((Operation::Order, "x"))),
            ("/v1/orders/", Some((Operation::Order, ""))),
            ("/v1/orders/x/cancel", Some((Operation::Cancel, "x"))),
            ("/v1/orders/x/refund", None),
            ("/v1/orders/x/cancel/", None),
            ("/v1/capture/", None),
            ("/v1//capture", None),
            ("/v1", None),
            ("/v2/capture", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(Operation::at(path), expect, "{path}");
        }
    }
}
