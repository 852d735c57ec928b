//! Claims compared with the truth, settings, and orders whose status is set.

use capture_core::OrderStatus;
use capture_sandbox::{Claimed, NewOrder, Sandbox, Script, Settings, Standing};
use serde_json::{Value, json};

use crate::world::{World, json, key, money};

fn claim(world: &mut World, body: &Value) -> u16 {
    world.post("/_sandbox/claims", &body.to_string()).status().as_u16()
}

#[test]
fn a_claim_is_compared_with_what_happened() {
    let mut world = World::new();
    let (paid, waiting) = (world.order("1.00"), world.order("2.00"));
    let bought = NewOrder::new(money("1.00")).status(OrderStatus::Completed);
    let bought = world.sandbox.create_order(bought, world.now);
    assert_eq!(world.captured(paid, 1, "1.00").1, "SUCCESS");
    for (order, outcome, standing, says) in [
        (
            paid,
            "not_captured",
            "disagrees",
            "your service reported failed for an order that was captured",
        ),
        (
            paid,
            "captured",
            "agrees",
            "your service reported captured for an order that was captured",
        ),
        (paid, "unknown", "open", "your service reported unknown for an order that was captured"),
        (
            waiting,
            "captured",
            "disagrees",
            "your service reported captured for an order that was not captured",
        ),
        (
            waiting,
            "not_captured",
            "agrees",
            "your service reported failed for an order that was not captured",
        ),
        (
            bought,
            "captured",
            "agrees",
            "your service reported captured for an order that was captured",
        ),
    ] {
        assert_eq!(claim(&mut world, &json!({ "order": order, "outcome": outcome })), 201);
        let audit = json(&world.get("/_sandbox/audit"));
        let comparisons = audit["comparisons"].as_array().unwrap();
        let comparison =
            comparisons.iter().find(|comparison| comparison["order"] == json!(order)).unwrap();
        assert_eq!(
            (&comparison["standing"], &comparison["says"]),
            (&json!(standing), &json!(says))
        );
        assert_eq!(audit["disagreements"], u64::from(standing == "disagrees"), "{audit}");
    }
    let shown = json(&world.get("/_sandbox/claims"));
    assert_eq!(shown["claims"].as_array().unwrap().len(), 3, "the last of each counts");
}

#[test]
fn several_clients_and_a_double_capture() {
    let mut world = World::with(Settings { guard: false, ..Settings::default() });
    let order = world.order("1.00");
    for (by, outcome) in [("checkout", "captured"), (" ledger ", "not_captured"), ("", "unknown")] {
        let body = json!({ "order": order, "outcome": outcome, "by": by });
        assert_eq!(claim(&mut world, &body), 201);
    }
    for number in [1, 2] {
        assert_eq!(world.captured(order, number, "1.00").1, "SUCCESS");
    }
    let report = world.sandbox.audit(world.now);
    assert_eq!((report.disagreements, report.double_captures), (1, 1));
    let says: Vec<_> =
        report.comparisons.iter().map(|comparison| comparison.says.as_str()).collect();
    assert_eq!(
        says,
        [
            "this order was captured 2 times",
            "ledger reported failed for an order that was captured",
            "your service reported unknown for an order that was captured",
            "checkout reported captured for an order that was captured",
        ]
    );
    assert_eq!(report.comparisons[0].standing, Standing::Double);
    assert_eq!(world.post("/_sandbox/reset", "").status(), 200);
    assert_eq!(world.sandbox.audit(world.now).comparisons, []);
}

#[test]
fn invalid_claims_are_refused() {
    let mut world = World::new();
    let order = world.order("1.00");
    for (body, status) in [
        (json!({ "order": key(1), "outcome": "captured" }), 404),
        (json!({ "order": "x", "outcome": "captured" }), 400),
        (json!({ "order": order, "outcome": "failed" }), 400),
        (json!({ "order": order }), 400),
        (json!({ "order": order, "outcome": "captured", "by": 7 }), 400),
        (json!({ "order": order, "outcome": "captured", "who": "x" }), 400),
    ] {
        assert_eq!(claim(&mut world, &body), status, "{body}");
    }
    let body = json!({ "order": order, "outcome": "failed" });
    let reply = json(&world.post("/_sandbox/claims", &body.to_string()));
    let error = reply["error"].as_str().unwrap();
    assert!(error.starts_with("outcome: unknown variant `failed`"), "{error}");
}

#[test]
fn in_a_rust_test_and_in_parallel() {
    let (one, other) = (Sandbox::start(), Sandbox::builder().script(Script::lost_reply()).start());
    let other = other.unwrap();
    assert_ne!(one.base_url(), other.base_url());
    assert_eq!((one.rules(), other.rules()), (Script::default(), Script::lost_reply()));
    let order = one.create_order(money("1.00"));
    assert!(one.claim(order, Claimed::Captured, Some("test")));
    assert!(!other.claim(order, Claimed::Captured, None), "another world");
    assert_eq!((one.audit().disagreements, other.audit().disagreements), (1, 0));
}

#[test]
fn settings_change_while_it_runs() {
    let mut world = World::new();
    let order = world.order("1.00");
    let body = r#"{"idempotency":"ignored","guard":false,"window_seconds":60}"#;
    let shown = json(&world.post("/_sandbox/settings", body));
    assert_eq!(
        shown,
        json!({
            "idempotency": "ignored", "guard": false, "window_seconds": 60,
            "token_lifetime_seconds": 600, "seed": 0,
        })
    );
    assert_eq!(shown, json(&world.get("/_sandbox/settings")));
    for _ in 0..2 {
        assert_eq!(world.captured(order, 1, "1.00").1, "SUCCESS");
    }
    assert_eq!(world.captures(order), 2, "keys mean nothing now");
    let short = world.order("1.00");
    world.wait(60);
    let status = world.sandbox.order_status(short, world.now);
    assert_eq!(status, Some(OrderStatus::Cancelled));
    let wrong = json(&world.post("/_sandbox/settings", r#"{"idempotency":"never"}"#));
    assert!(wrong["error"].as_str().unwrap().starts_with("idempotency: unknown variant `never`"));
}

#[test]
fn orders_are_listed_and_their_status_is_set() {
    let mut world = World::new();
    let order = world.order("1.00");
    let path = format!("/_sandbox/orders/{order}");
    let seen = |world: &mut World| json(&world.get("/_sandbox/orders"))["orders"][0].clone();
    assert_eq!(
        seen(&mut world),
        json!({
            "order": order, "amount": 100, "currency": "USD", "exponent": 2, "status": "CAPTUREREQUIRED",
            "seconds_left": 7 * 24 * 3600, "captures": 0,
        })
    );
    assert_eq!(world.captured(order, 1, "1.00").1, "SUCCESS");
    for status in ["RETURNED", "problem"] {
        let body = json!({ "status": status }).to_string();
        assert_eq!(world.post(&path, &body).status(), 200);
        let seen = seen(&mut world);
        assert_eq!(seen["status"], status.to_uppercase());
        assert_eq!((&seen["captures"], &seen["seconds_left"]), (&json!(1), &Value::Null));
    }
    for (path, body, status) in [
        (path.clone(), r#"{"status":"x"}"#, 400),
        (path.clone(), "{}", 400),
        ("/_sandbox/orders/x".into(), r#"{"status":"PROBLEM"}"#, 400),
        (format!("/_sandbox/orders/{}", key(7)), r#"{"status":"PROBLEM"}"#, 404),
    ] {
        assert_eq!(world.post(&path, body).status(), status, "{path} {body}");
    }
    assert_eq!(world.get(&path).status(), 405);
}
