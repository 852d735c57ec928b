//! Any text as a value: nothing panics, and what is accepted reads back the same.
#![no_main]

use capture_core::{BaseUrl, BearerToken, Currency, Environment, IdempotencyKey, Money, OrderId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (text, other) = input;
    if let Ok(order) = text.parse::<OrderId>() {
        assert_eq!(order.to_string().parse::<OrderId>().unwrap(), order);
    }
    let _ = text.parse::<IdempotencyKey>();
    let _ = text.parse::<Currency>();
    if let Ok(money) = Money::parse(text, other) {
        let currency = money.currency();
        assert!((1..=Money::MAX_MINOR_UNITS).contains(&money.minor_units()));
        assert_eq!(Money::from_decimal(&money.decimal(), currency).unwrap(), money);
    }
    if let Ok(money) = Money::parse(text, "USD") {
        assert_eq!(Money::parse(&money.decimal(), "USD").unwrap(), money);
    }
    if let Ok(url) = text.parse::<BaseUrl>() {
        assert_eq!(url.to_string().parse::<BaseUrl>().unwrap(), url);
    }
    let _ = text.parse::<Environment>();
    let _ = BearerToken::new(text);
});
