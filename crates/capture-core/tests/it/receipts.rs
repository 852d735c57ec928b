//! What a receipt says where the proof is the order: never more than the order shows.

use capture_core::driver::Step;
use capture_core::{Caveat, Outcome, Policy, Proof};
use serde_json::json;

use crate::driver::Say::{self, Lost, Reply};
use crate::driver::{Replies, drive};
use crate::{api, base, capture};

/// How a capture of 100.00 USD ends whose reply is lost, and whose order is this.
fn found(order: &'static str) -> Outcome {
    let start = base();
    let step: Step = capture().start(&api(), &Policy::default(), start);
    let lookup = [Reply(200, &[], order)];
    drive(step, start, &mut Replies::new(&[Lost], Box::leak(Box::new(lookup)), &[])).outcome
}

#[test]
fn the_order_proves_no_amount_and_its_currency_is_compared() {
    const SHIP: &str =
        "Ship; the order is paid. Its status does not show the amount: check it in your books.";
    const CHECK: &str = "Check before you ship: an order in another currency is paid. Is it the order that you mean?";
    const REFUNDED: &str =
        "Do not ship before you know why: the order was captured and has since been refunded.";
    for (order, code, says, next_step) in [
        (
            r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7}"#,
            "order_status",
            "captured: the order is Completed",
            SHIP,
        ),
        (
            r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7,"currencyCode":"USD"}"#,
            "order_status",
            "captured: the order is Completed",
            SHIP,
        ),
        (
            r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7,"currencyCode":" usd"}"#,
            "order_status",
            "captured: the order is Completed",
            SHIP,
        ),
        (
            r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7,"currencyCode":"$"}"#,
            "order_status",
            "captured: the order is Completed",
            SHIP,
        ),
        (
            r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7,"currencyCode":"EUR"}"#,
            "other_currency",
            "captured: the order is Completed; it is in EUR, not in the currency asked for",
            CHECK,
        ),
        (
            r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7,"currencyCode":"USd"}"#,
            "other_currency",
            "captured: the order is Completed; it is in USd, not in the currency asked for",
            CHECK,
        ),
        (
            r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":6,"currencyCode":"USD"}"#,
            "refunded",
            "captured: the order is Returned; it has since been refunded",
            REFUNDED,
        ),
        (
            r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":6,"currencyCode":"EUR"}"#,
            "refunded",
            "captured: the order is Returned; it has since been refunded",
            REFUNDED,
        ),
    ] {
        let outcome = found(order);
        assert_eq!((outcome.name(), outcome.code()), ("captured", code), "{order}");
        assert_eq!(outcome.to_string(), says, "{order}");
        assert_eq!(outcome.next_step(), next_step, "{order}");
        let Outcome::Captured(receipt) = &outcome else { unreachable!("{order}") };
        assert!(!receipt.amount_verified(), "{order}");
        let caveat = receipt.caveat();
        assert_eq!(caveat.as_ref().map_or("order_status", Caveat::code), code, "{order}");
        assert_eq!(receipt.caveat().is_none(), next_step == SHIP, "{order}");
        let stored = serde_json::to_string(&outcome).unwrap();
        assert_eq!(serde_json::from_str::<Outcome>(&stored).unwrap(), outcome, "{stored}");
    }
}

#[test]
fn a_reply_proves_the_amount() {
    const SUCCESS: Say = Reply(200, &[], r#"{"status":"SUCCESS","success":true}"#);
    let step: Step = capture().start(&api(), &Policy::default(), base());
    let outcome = drive(step, base(), &mut Replies::new(&[SUCCESS], &[], &[])).outcome;
    let Outcome::Captured(receipt) = &outcome else { panic!("{outcome:?}") };
    assert!(receipt.amount_verified());
    assert_eq!(outcome.next_step(), "Ship; the order is paid.");
    assert_eq!((outcome.cause(), outcome.retry_after()), (None, None));
    assert_eq!(receipt.attempts(), outcome.attempts());
    assert_eq!(receipt.attempts().len(), 1);
}

/// The currency is the one thing that a receipt keeps of an order beside its status.
#[test]
fn a_receipt_is_stored_with_the_order_s_currency() {
    let order = r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7,"currencyCode":"EUR","firstName":"canary"}"#;
    let stored = serde_json::to_value(found(order)).unwrap();
    let proof = json!({ "order": { "status": "completed", "currency": "EUR" } });
    assert_eq!(stored["proof"], proof);
    assert_eq!((&stored["currency"], &stored["version"]), (&json!("USD"), &json!(2)));
    // What earlier programs stored, before the currency was read.
    let mut earlier = stored.clone();
    earlier["proof"] = json!({ "order_status": "returned" });
    let Ok(Outcome::Captured(receipt)) = serde_json::from_value(earlier) else { unreachable!() };
    assert!(matches!(receipt.proof(), Proof::OrderStatus(_)));
    assert_eq!(receipt.caveat(), Some(Caveat::Refunded));
    let mut broken = stored;
    broken["proof"]["order"]["currency"] = json!("EURO");
    assert!(serde_json::from_value::<Outcome>(broken).is_err());
}
