//! Any Retry-After and Date: a wait is sane, and the machine waits or ends.
#![no_main]

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use capture_core::{
    Api, BearerToken, Capture, Environment, IdempotencyKey, Money, OrderId, Policy, Step,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, &[u8], &[u8])| {
    let (throttled, wish, date) = input;
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = if throttled { 429 } else { 503 }.try_into().unwrap();
    for (name, value) in [("retry-after", wish), ("date", date)] {
        let Ok(value) = http::HeaderValue::from_bytes(value) else { return };
        response.headers_mut().append(name, value);
    }
    let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
    let capture = Capture::new(order, Money::parse("1.00", "USD").unwrap(), IdempotencyKey::for_order(order));
    let (now, api) = (Instant::now(), Api::new(&Environment::Sandbox));
    let step = capture.start(&api, &Policy::default(), now, SystemTime::UNIX_EPOCH);
    let Step::Authorize(need) = step else { panic!("it begins with a token") };
    let Step::Send(_, open) = need.authorized(BearerToken::new("t").unwrap(), now) else { panic!("then it sends") };
    match open.received(response, now) {
        Step::Wait(until, _) => assert!(until > now && until - now <= Duration::from_secs(60)),
        Step::Done(_) => {}
        other => panic!("{other:?}"),
    }
});
