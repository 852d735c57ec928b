//! Any Retry-After and Date: a wait is sane, and the machine waits or ends.
#![no_main]

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capture_core::driver::{Api, Now, Step};
use capture_core::{BearerToken, Capture, Environment, IdempotencyKey, Money, OrderId, Policy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, &[u8], &[u8])| {
    let (throttled, asked, date) = input;
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = if throttled { 429 } else { 503 }.try_into().unwrap();
    for (name, value) in [("retry-after", asked), ("date", date)] {
        let Ok(value) = http::HeaderValue::from_bytes(value) else { return };
        response.headers_mut().append(name, value);
    }
    let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
    let capture = Capture::new(order, Money::parse("1.00", "USD").unwrap(), IdempotencyKey::for_order(order));
    let api = Api::new(&Environment::Sandbox);
    let now = Now::new(Duration::ZERO, SystemTime::UNIX_EPOCH);
    let step = capture.start(&api, &Policy::default(), now);
    let Step::Authorize(need) = step else { panic!("it begins with a token") };
    let Step::Send(_, open) = need.authorized(BearerToken::new("t").unwrap(), now) else { panic!("then it sends") };
    match open.received(response, now) {
        Step::Wait(delay, _) => assert!(!delay.is_zero() && delay <= Duration::from_secs(60)),
        Step::Done(_) => {}
        other => panic!("{other:?}"),
    }
});
