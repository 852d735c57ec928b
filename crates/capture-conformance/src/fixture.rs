//! The order, the amount and the capture of every row, and how its client is set up.

use capture_core::{
    BearerToken, Capture, Credentials, Environment, IdempotencyKey, Money, OrderId, Setup,
};

/// The first waits of its derived key are near the shortest (513, 555, 575, 563, 527 ms).
pub const ORDER: &str = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f0065092a";
pub const OTHER_ORDER: &str = "11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81";

const OWN_KEY: &str = "1d120e99-7a63-4210-98dc-78f56fde12cf";

pub fn order_id() -> OrderId {
    ORDER.parse().expect("a GUID")
}

pub fn money() -> Money {
    Money::parse("100.00", "USD").expect("an amount")
}

/// The capture of every row but those about a key of the caller's own.
pub fn capture() -> Capture {
    Capture::new(order_id(), money(), IdempotencyKey::for_order(order_id()))
}

/// The same under a key that is not derived from the order.
pub fn capture_under_own_key() -> Capture {
    Capture::new(order_id(), money(), OWN_KEY.parse().expect("a GUID"))
}

/// A client's setup for this base URL: with a token of the user's own, or with a login.
pub fn setup(url: &str, own_token: bool) -> Setup {
    let environment = Environment::Custom(url.parse().expect("a base URL"));
    if own_token {
        Setup::new(&environment, BearerToken::new("canary-own-token").expect("a token"))
    } else {
        let credentials = Credentials::new("canary/key+=", "canary/secret+=");
        Setup::new(&environment, credentials.expect("credentials"))
    }
}
