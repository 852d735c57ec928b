//! What a receipt rests on, and what a captured order may have against it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::values::{Currency, CurrencyCode};
use crate::wire::order::{Order, OrderStatus};

/// What a receipt rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Proof {
    /// The API said SUCCESS in its reply to this capture.
    Reply,
    /// The order's status alone. It shows neither the amount nor the currency nor who captured.
    OrderStatus(OrderStatus),
    /// The order's status and currency. It shows neither the amount nor who captured.
    Order {
        /// Completed or Returned.
        status: OrderStatus,
        /// The order's own, which may not be the one that was asked for.
        currency: CurrencyCode,
    },
}

/// Why goods must not be shipped although the order was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Caveat {
    /// The order was captured and has since been refunded.
    Refunded,
    /// The order is in this currency, which is not the one that was asked for.
    OtherCurrency(CurrencyCode),
}

impl Proof {
    /// The status of the order, where it is part of the proof.
    #[must_use]
    pub fn order_status(&self) -> Option<OrderStatus> {
        match self {
            Self::Reply => None,
            Self::OrderStatus(status) | Self::Order { status, .. } => Some(*status),
        }
    }

    /// The currency that the order shows, where it is part of the proof.
    #[must_use]
    pub fn order_currency(&self) -> Option<CurrencyCode> {
        if let Self::Order { currency, .. } = self { Some(*currency) } else { None }
    }

    /// What it has against a capture that asked for this currency.
    pub(crate) fn caveat(&self, asked: Currency) -> Option<Caveat> {
        if self.order_status() == Some(OrderStatus::Returned) {
            return Some(Caveat::Refunded);
        }
        let other = self.order_currency().filter(|shown| shown.as_str() != asked.code());
        other.map(Caveat::OtherCurrency)
    }
}

impl From<Order> for Proof {
    fn from(Order { status, currency }: Order) -> Self {
        match currency {
            Some(currency) => Self::Order { status, currency },
            None => Self::OrderStatus(status),
        }
    }
}

impl Caveat {
    /// A short, stable name for logs and machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refunded => "refunded",
            Self::OtherCurrency(_) => "other_currency",
        }
    }

    /// What to do next, in one sentence for a person.
    #[must_use]
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Refunded => {
                "Do not ship before you know why: the order was captured and has since been refunded."
            }
            Self::OtherCurrency(_) => {
                "Check before you ship: an order in another currency is paid. Is it the order that you mean?"
            }
        }
    }
}

impl fmt::Display for Caveat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refunded => f.write_str("it has since been refunded"),
            Self::OtherCurrency(code) => {
                write!(f, "it is in {code}, not in the currency asked for")
            }
        }
    }
}
