//! What a caller asks for: the object's key, and the JSON of the request.

use capture_hyper::{Capture, Currency, Environment, IdempotencyKey, Money, OrderId};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    /// In minor units: 100.00 USD is 10000.
    amount: u32,
    currency: String,
    idempotency_key: Option<String>,
}

/// The environment as it is written in a key: a name, or a URL without what a path segment cannot hold.
pub fn label(environment: &Environment) -> String {
    let text = environment.to_string();
    let text = text.strip_prefix("https://").or(text.strip_prefix("http://")).unwrap_or(&text);
    let plain = |it: char| it.is_ascii_alphanumeric() || "-.".contains(it);
    text.chars().map(|it| if plain(it) { it } else { '_' }).collect()
}

/// The order that a key such as `sandbox~5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81` names.
///
/// # Errors
/// Any other spelling: two objects for one order would not know of each other.
fn order(label: &str, key: &str) -> Result<OrderId, String> {
    let (environment, id) = key.split_once('~').ok_or_else(|| {
        format!("key {key:?}: give {label}~ORDER, with the order's id in lower case")
    })?;
    if environment != label {
        return Err(format!("key {key:?}: this service captures at {label}, so give {label}~{id}"));
    }
    let order: OrderId = id.parse().map_err(|invalid| format!("key {key:?}: {invalid}"))?;
    if order.to_string() != id {
        return Err(format!("key {key:?}: give {label}~{order}"));
    }
    Ok(order)
}

/// The capture that this key and this body ask for.
///
/// # Errors
/// What is wrong with either, in one sentence.
pub fn asked(label: &str, key: &str, body: &[u8]) -> Result<Capture, String> {
    let order = order(label, key)?;
    let body: Body = serde_json::from_slice(body).map_err(|error| {
        format!(r#"body: {error}; give {{"amount": 10000, "currency": "USD"}} for 100.00 USD"#)
    })?;
    let currency: Currency = body.currency.parse().map_err(said)?;
    let money = Money::from_minor(body.amount, currency).map_err(said)?;
    let key = match body.idempotency_key {
        Some(key) => key.parse().map_err(said)?,
        None => IdempotencyKey::for_order(order),
    };
    Ok(Capture::new(order, money, key))
}

fn said(invalid: capture_hyper::Invalid) -> String {
    invalid.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";

    #[test]
    fn an_environment_fits_into_a_path() {
        for (environment, written) in [
            ("production", "production"),
            ("sandbox", "sandbox"),
            ("http://127.0.0.1:8787", "127.0.0.1_8787_v1"),
            ("https://api.example.com/pay", "api.example.com_pay_v1"),
        ] {
            assert_eq!(label(&environment.parse().unwrap()), written);
        }
    }

    #[test]
    fn a_key_and_a_body_make_a_capture() {
        let read = |body: &str| asked("sandbox", &format!("sandbox~{ID}"), body.as_bytes());
        let capture = read(r#"{"amount": 10000, "currency": "USD"}"#).unwrap();
        assert_eq!(capture.money().to_string(), "100.00 USD");
        assert_eq!(capture.idempotency_key(), IdempotencyKey::for_order(ID.parse().unwrap()));
        let own = format!(r#"{{"amount": 1, "currency": "JPY", "idempotency_key": "{ID}"}}"#);
        assert_eq!(read(&own).unwrap().idempotency_key().to_string(), ID);
    }

    #[test]
    fn refusals_say_what_to_give() {
        let upper = format!("sandbox~{}", ID.to_uppercase());
        for (key, why) in [
            (ID.to_owned(), "give sandbox~ORDER"),
            (format!("production~{ID}"), "so give sandbox~5f1a"),
            ("sandbox~7".to_owned(), "order id"),
            (upper, "give sandbox~5f1a"),
        ] {
            let error = asked("sandbox", &key, b"{}").unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        for (body, why) in [
            ("", "body: "),
            (r#"{"amount": 100.00, "currency": "USD"}"#, r#"give {"amount": 10000"#),
            (r#"{"amount": "100.00", "currency": "USD"}"#, r#"give {"amount": 10000"#),
            (r#"{"amount": 1, "currency": "USD", "key": "x"}"#, "unknown field `key`"),
            (r#"{"amount": 0, "currency": "USD"}"#, "amount"),
            (r#"{"amount": 1, "currency": "usd"}"#, "currency"),
            (r#"{"amount": 1, "currency": "USD", "idempotency_key": "x"}"#, "idempotency key"),
        ] {
            let error = asked("sandbox", &format!("sandbox~{ID}"), body.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{body}: {error}");
        }
    }
}
