//! What every benchmark works on: one capture, a token of 500 bytes, the documented reply and a large one.

use capture_core::driver::Api;
use capture_core::{BearerToken, Capture, Environment, IdempotencyKey, Money, OrderId};

pub const URL: &str = "https://api-sandbox.flex-charge.com/v1/capture";
pub const ORDER: &str = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";

/// The contract's reply, 101 bytes.
pub const SMALL: &str = r#"{"status":"SUCCESS","success":true,"result":null,"statusCode":null,"errors":[],"customProperties":{}}"#;

pub fn capture() -> Capture {
    let order: OrderId = ORDER.parse().expect("a GUID");
    let money = Money::parse("100.00", "USD").expect("an amount");
    Capture::new(order, money, IdempotencyKey::for_order(order))
}

/// A bearer token as long as recorded ones are.
pub fn token_text() -> String {
    let header = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.";
    let rest = "aB3-_".repeat(100);
    format!("{header}{}", &rest[..500 - header.len()])
}

pub fn token() -> BearerToken {
    BearerToken::new(&token_text()).expect("a token")
}

pub fn api() -> Api {
    Api::new(&Environment::Sandbox)
}

/// A refusal with `unknown` members that nobody reads, and five errors.
pub fn large(unknown: usize) -> String {
    let error = |n: usize| {
        format!(r#"{{"item1":"Card was declined by the issuer","item2":"200{n}","item4":true}}"#)
    };
    let errors: Vec<String> = (1..=5).map(error).collect();
    let member = |n: usize| match n % 4 {
        0 => format!(r#""member{n:03}":"text {n:03}""#),
        1 => format!(r#""member{n:03}":{n}.25"#),
        2 => format!(r#""member{n:03}":[{n},true]"#),
        _ => format!(r#""member{n:03}":{{"k":"{n:03}"}}"#),
    };
    let members: Vec<String> = (0..unknown).map(member).collect();
    format!(
        r#"{{"status":"FAILED","success":true,"result":null,"statusCode":null,"errors":[{}],"customProperties":{{"a":"b"}},{}}}"#,
        errors.join(","),
        members.join(",")
    )
}

/// The large reply has this many unknown members.
pub const UNKNOWN: usize = 22;

/// The reply to a login, as this API writes it.
pub fn grant() -> String {
    let token = token_text();
    format!(r#"{{"accessToken":"{token}","refreshToken":"x","expires":1763800000000,"id":"7"}}"#)
}

/// The reply to a login, as RFC 6749 has it and `oauth2` reads it.
pub fn standard_grant() -> String {
    let token = token_text();
    format!(
        r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":600,"scope":"capture"}}"#
    )
}
