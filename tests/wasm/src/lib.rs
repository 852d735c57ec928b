//! The core without an operating system: node calls one function, and a capture runs to its end.

use std::time::{Duration, SystemTime};

use capture_core::driver::{Api, Now, Step, TransportError};
use capture_core::{
    BearerToken, Capture, Environment, IdempotencyKey, Invalid, Money, OrderId, OrderStatus,
    Outcome, Policy, wire,
};

/// 0 if the capture ends as it must; another number says what does not.
// SAFETY: no other symbol of this module has the name.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> i32 {
    match capture() {
        Ok(Outcome::Captured(receipt)) if receipt.attempts().len() == 2 => 0,
        Ok(_) => 1,
        Err(_) => 2,
    }
}

/// The first reply is lost; the lookup says *Completed*. Time is plain data, as `performance.now()` and
/// `Date.now()` would give it.
fn capture() -> Result<Outcome, Invalid> {
    let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
    let money = Money::parse("100.00", "USD")?;
    let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
    let (api, token) = (Api::new(&Environment::Sandbox), BearerToken::new("token-from-oauth2")?);
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let mut now = Now::new(Duration::ZERO, wall);
    let mut step = capture.start(&api, &Policy::default(), now);
    loop {
        step = match step {
            Step::Authorize(need) => need.authorized(token.clone(), now),
            Step::Send(request, sent) if request.method() == "POST" => {
                sent.failed(&TransportError::maybe_sent("the reply was lost"), now)
            }
            Step::Send(_, sent) => {
                let reply = wire::order::shown(order, OrderStatus::Completed, Default::default());
                sent.received(reply, now)
            }
            Step::Wait(delay, waiting) => {
                now += delay;
                waiting.elapsed(now)
            }
            Step::Done(outcome) => return Ok(outcome),
        }
    }
}
