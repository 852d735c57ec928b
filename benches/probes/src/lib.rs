//! What every probe has in common: where to send, and what.

use capture_core::{BearerToken, Capture, Environment, IdempotencyKey, Money, OrderId, Setup};

/// The token is the program's first argument, the order its second.
pub fn inputs() -> (Setup, Capture) {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().expect("usage: PROGRAM TOKEN ORDER");
    let token = BearerToken::new(&next()).expect("a token");
    let order: OrderId = next().parse().expect("a GUID");
    let money = Money::parse("100.00", "USD").expect("an amount");
    let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
    (Setup::new(&Environment::Sandbox, token), capture)
}
