//! What the core does without an operating system: one function that node calls.

use capture_core::wire::{Response, capture};
use capture_core::{Capture, IdempotencyKey, Invalid, Money, OrderId, Verdict};

/// 0 where everything is as expected; another number says what is not.
// SAFETY: no other symbol of this module has the name.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> i32 {
    match captures() {
        Ok(()) => 0,
        Err(Failure::Value) => 1,
        Err(Failure::Body) => 2,
        Err(Failure::Verdict) => 3,
    }
}

enum Failure {
    Value,
    Body,
    Verdict,
}

impl From<Invalid> for Failure {
    fn from(_: Invalid) -> Self {
        Self::Value
    }
}

/// Values, a request's body and a reply's verdict. The step machine comes in here once it takes
/// its time from outside as a plain value: `std::time::Instant` cannot be made on this target.
fn captures() -> Result<(), Failure> {
    let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
    let money = Money::parse("100.00", "USD")?;
    let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
    if capture::read_request(&capture::body(&capture)).ok().as_ref() != Some(&capture) {
        return Err(Failure::Body);
    }
    let reply: Response = capture::captured();
    match Verdict::of(order, &reply) {
        Verdict::Captured => Ok(()),
        _ => Err(Failure::Verdict),
    }
}
