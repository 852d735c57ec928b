//! The order, the amount and the capture of every row, and how its client is set up.

use capture_core::{
    BearerToken, Capture, Credentials, Environment, IdempotencyKey, Money, OrderId, Setup,
};

pub const ORDER: &str = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";
pub const OTHER_ORDER: &str = "11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81";

/// The key of every row: its first waits are near the shortest (511, 531, 564, 599, 573 ms).
pub const QUICK_KEY: &str = "1d120e99-7a63-4210-98dc-78f56fde12cf";

pub fn order_id() -> OrderId {
    ORDER.parse().expect("a GUID")
}

pub fn money() -> Money {
    Money::parse("100.00", "USD").expect("an amount")
}

/// The capture that every row makes.
pub fn capture() -> Capture {
    let key: IdempotencyKey = QUICK_KEY.parse().expect("a GUID");
    Capture::new(order_id(), money(), key)
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
