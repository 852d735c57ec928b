//! The integration tests of the core: one binary, one file per subject.

mod advice;
mod bounds;
mod budget;
mod contradictions;
mod currencies;
mod driver;
mod golden;
mod limits;
mod machine;
mod names;
mod oracle;
mod orders;
mod receipts;
mod replies;
mod schedules;
mod secrets;
mod status;
mod stored;
mod tickets;
mod tokens;
mod values;
mod wire;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capture_core::driver::{Api, Now};
use capture_core::wire::Response;
use capture_core::{BearerToken, Capture, Environment, IdempotencyKey, Money, OrderId};
use proptest::prelude::*;

/// The order of every test, and the id that replies give it.
pub(crate) const ORDER: &str = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";

pub(crate) fn order() -> OrderId {
    ORDER.parse().expect("a GUID")
}

pub(crate) fn capture() -> Capture {
    let money = Money::parse("100.00", "USD").expect("an amount");
    Capture::new(order(), money, IdempotencyKey::for_order(order()))
}

pub(crate) fn api() -> Api {
    Api::new(&Environment::Sandbox)
}

pub(crate) fn token(text: &str) -> BearerToken {
    BearerToken::new(text).expect("a token")
}

/// A moment to count from; no test depends on what the monotonic clock says then.
pub(crate) fn base() -> Now {
    Now::new(Duration::from_secs(7_777), wall())
}

/// What the wall clock says at `base`.
pub(crate) fn wall() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_788_000_000)
}

pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).expect("legal headers")
}

/// No file is written for a failing case: its values are in the failure's message.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
