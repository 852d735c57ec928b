//! Any bytes as a reply: nothing panics, and SUCCESS is never invented.
#![no_main]

use bytes::Bytes;
use capture_core::wire::{capture, error, order, orders, token};
use capture_core::{Capture, IdempotencyKey, Money, OrderId};
use capture_core::driver::Verdict;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (status, body) = input;
    let ours: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
    let money = Money::parse("1.00", "USD").unwrap();
    let intent = Capture::new(ours, money, IdempotencyKey::for_order(ours));
    let Ok(status) = http::StatusCode::from_u16(status) else { return };
    let mut response = http::Response::new(Bytes::copy_from_slice(body));
    *response.status_mut() = status;

    if Verdict::of(&intent, &response) == Verdict::Captured {
        let text = std::str::from_utf8(body).expect("a captured reply is text");
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value: serde_json::Value = serde_json::from_str(text).expect("and complete JSON");
        let members = value.as_object().expect("and an object");
        let member = |name: &str| members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v);
        assert_eq!(status, 200);
        assert_eq!(member("success"), Some(&serde_json::Value::Bool(true)));
        let word = member("captureStatus").filter(|v| !v.is_null()).or(member("status")).and_then(|v| v.as_str());
        let word: String = word.unwrap().chars().filter(|c| !c.is_ascii_whitespace()).collect();
        assert!(word.eq_ignore_ascii_case("SUCCESS"));
    }
    let _ = error::Shape::read(status, body);
    let _ = order::read_reply(ours, &response);
    let _ = token::read_reply(&response);
    if let Ok(page) = orders::read_reply(&response) {
        assert!(page.orders.len() + page.unreadable <= orders::MOST_ON_PAGE);
    }
    let _ = std::str::from_utf8(body).map(orders::Query::read);
    let _ = capture::Reply::read(body);
    let _ = capture::read_request(body);
    let _ = token::read_request(body);
});
