//! The merchant's intent: this order, this money, under this key.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{IdempotencyKey, Money, OrderId};

/// One intended capture: what to capture, and the key under which it happens at most once.
///
/// Store it before it is sent (it is serialisable and holds no secret): the key is the promise.
///
/// ```
/// use capture_core::{Capture, IdempotencyKey, Money, OrderId};
/// let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
/// let money = Money::parse("100.00", "USD")?;
/// let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
/// let stored = serde_json::to_string(&capture)?;
/// assert_eq!(serde_json::from_str::<Capture>(&stored)?, capture);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Capture {
    order_id: OrderId,
    idempotency_key: IdempotencyKey,
    money: Money,
    /// Found out here, once: it takes a hash.
    key_is_derived: bool,
}

/// What is stored of it.
#[derive(Serialize, Deserialize)]
struct Stored {
    order_id: OrderId,
    idempotency_key: IdempotencyKey,
    #[serde(flatten)]
    money: Money,
}

/// An order that was refused more often than this is looked up after a SUCCESS.
const MOST_KEYS: usize = 8;

impl Capture {
    /// The intent to capture this money of this order under this key.
    #[must_use]
    pub fn new(order_id: OrderId, money: Money, idempotency_key: IdempotencyKey) -> Self {
        let mut derived = IdempotencyKey::for_order(order_id);
        let key_is_derived = (0..MOST_KEYS).any(|earlier| {
            if earlier > 0 {
                derived = IdempotencyKey::following(derived);
            }
            derived == idempotency_key
        });
        Self { order_id, idempotency_key, money, key_is_derived }
    }

    /// The order.
    #[must_use]
    pub fn order_id(&self) -> OrderId {
        self.order_id
    }

    /// The key that every send of this capture carries.
    #[must_use]
    pub fn idempotency_key(&self) -> IdempotencyKey {
        self.idempotency_key
    }

    /// Whether the key is [`IdempotencyKey::for_order`] of this order, or one of the first seven that
    /// follow it ([`IdempotencyKey::following`]), and so cannot have been used for another one.
    #[must_use]
    pub fn has_derived_key(&self) -> bool {
        self.key_is_derived
    }

    /// The amount and its currency.
    #[must_use]
    pub fn money(&self) -> Money {
        self.money
    }
}

impl From<Stored> for Capture {
    fn from(stored: Stored) -> Self {
        Self::new(stored.order_id, stored.money, stored.idempotency_key)
    }
}

impl From<Capture> for Stored {
    fn from(capture: Capture) -> Self {
        let Capture { order_id, idempotency_key, money, .. } = capture;
        Self { order_id, idempotency_key, money }
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture")
            .field("order_id", &self.order_id)
            .field("idempotency_key", &self.idempotency_key)
            .field("money", &self.money)
            .finish()
    }
}
