//! The order, the capture and the day of every check.

use std::time::Duration;

use capture_core::{Capture, IdempotencyKey, Money, OrderId};

/// The wall clock at the start, since the epoch. Any day will do.
pub(crate) const WALL: Duration = Duration::from_secs(1_800_000_000);

/// The order that every check captures.
pub(crate) fn order() -> OrderId {
    "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().expect("a GUID")
}

/// The capture that every check makes.
pub(crate) fn capture() -> Capture {
    let money = Money::parse("100.00", "USD").expect("an amount");
    Capture::new(order(), money, IdempotencyKey::for_order(order()))
}
