//! Orders by the thousand, the summary of what became of them, and a rate that is held.

use std::collections::BTreeSet;
use std::time::Duration;

use capture_core::{IdempotencyKey, Money, OrderStatus};
use capture_sandbox::{NewOrder, Operation, Script, Settings};
use http::Method;
use serde_json::{Value, json};

use crate::world::{World, json, money, respond};

fn create(world: &mut World, body: &Value) -> (u16, Value) {
    let reply = world.post("/_sandbox/orders", &body.to_string());
    (reply.status().as_u16(), json(&reply))
}

#[test]
fn orders_of_a_list_are_created_all_or_none() {
    let mut world = World::new();
    let body = json!({ "orders": [
        { "amount": 100, "currency": "JPY" },
        { "amount": 1500, "currency": "KWD", "status": "problem" },
        { "amount": 1, "currency": "USD", "window_seconds": 60 },
    ] });
    let (status, made) = create(&mut world, &body);
    let seen = json(&world.get("/_sandbox/orders"));
    assert_eq!((status, &made), (201, &seen));
    let told = |place: usize, name: &str| made["orders"][place][name].clone();
    assert_eq!((told(0, "amount"), told(0, "currency")), (json!(100), json!("JPY")));
    assert_eq!((told(1, "status"), told(1, "seconds_left")), (json!("PROBLEM"), Value::Null));
    assert_eq!((told(2, "seconds_left"), told(2, "captures")), (json!(60), json!(0)));

    for (body, why) in [
        (
            json!({ "orders": [{ "amount": 1, "currency": "USD" }, { "amount": 0, "currency": "USD" }] }),
            "more than zero",
        ),
        (json!({ "orders": [{ "amount": 1 }] }), "orders[0]: missing field `currency`"),
        (json!({ "orders": 7 }), "orders: invalid type: integer `7`"),
        (json!({ "orders": [], "count": 1 }), "unknown field `count`"),
        (json!({ "count": -1 }), "count: invalid value: integer `-1`"),
        (json!({ "count": 1, "amount": 1 }), "unknown field `amount`"),
        (json!({ "count": 10_001 }), "one request creates at most 10000"),
        (json!({ "count": 1, "window_seconds": [2, 1] }), "the first is greater"),
        (json!({ "count": 1, "window_seconds": 1 }), "window_seconds"),
    ] {
        let (status, refused) = create(&mut world, &body);
        let said = refused["error"].as_str().unwrap().to_owned();
        assert!(status == 400 && said.contains(why), "{body}: {status} {said}");
    }
    assert_eq!(json(&world.get("/_sandbox/orders")), seen, "none of these was created");
}

#[test]
fn orders_are_drawn_by_the_seed() {
    let drawn = |seed, parts: &[usize]| {
        let mut world = World::with(Settings { seed, ..Settings::default() });
        let mut all = Vec::new();
        for count in parts {
            let windows = Duration::from_secs(60)..=Duration::from_secs(90);
            all.extend(world.sandbox.draw_orders(*count, Some(&windows), world.now));
        }
        all
    };
    let orders = drawn(1, &[200]);
    assert_eq!(orders, drawn(1, &[50, 150]), "in how many steps does not matter");
    assert_ne!(orders, drawn(2, &[200]));
    let currencies: BTreeSet<_> =
        orders.iter().map(|order| order.money.currency().to_string()).collect();
    assert_eq!(currencies, ["EUR", "GBP", "JPY", "KWD", "USD"].map(String::from).into());

    let mut world = World::new();
    let (status, made) = create(&mut world, &json!({ "count": 300, "window_seconds": [60, 90] }));
    let made = made["orders"].as_array().unwrap();
    assert_eq!((status, made.len()), (201, 300));
    let left = |order: &Value| order["seconds_left"].as_u64().unwrap();
    assert!(made.iter().all(|order| (60..=90).contains(&left(order))));
    // Each is voided when its own window ends, and is captured before.
    world.wait(75);
    let waiting = json(&world.get("/v1/orders?status=5"))["totalItemCount"].clone();
    let expect = made.iter().filter(|order| left(order) > 75).count();
    assert!((50..250).contains(&expect));
    assert_eq!(waiting, json!(expect));
}

#[test]
fn the_summary_adds_up() {
    let mut world = World::with(Settings { guard: false, ..Settings::default() });
    assert_eq!(
        json(&world.get("/_sandbox/summary")),
        json!({ "orders": {}, "captures": 0, "double_captures": 0, "captured": {} })
    );
    let now = world.now;
    let yen = Money::parse("300", "JPY").unwrap();
    let new =
        [money("1.00").into(), money("2.50").into(), money("4.00").into(), NewOrder::new(yen)];
    let [one, two, three, four] = world.sandbox.create_orders(new, now)[..] else { panic!() };
    let short = NewOrder::new(money("9.00")).window(Duration::from_secs(1));
    let _ = world.sandbox.create_order(short, now);
    assert!(world.sandbox.set_order_status(three, OrderStatus::Problem, now));
    for (order, key, amount) in
        [(one, 1, "1.00"), (two, 2, "2.50"), (two, 3, "2.50"), (two, 4, "2.50")]
    {
        assert_eq!(world.captured(order, key, amount).1, "SUCCESS");
    }
    let body = json!({ "idempotencyKey": IdempotencyKey::for_order(four), "orderId": four, "amount": 300, "currency": "JPY" });
    assert_eq!(world.post("/v1/capture", &body.to_string()).status(), 200);
    world.wait(1);
    let summary = world.sandbox.summary(world.now);
    assert_eq!(
        serde_json::to_value(&summary).unwrap(),
        json!({
            "orders": { "COMPLETED": 3, "PROBLEM": 1, "CANCELLED": 1 },
            "captures": 5, "double_captures": 1, "captured": { "USD": 850, "JPY": 300 },
        })
    );
    assert_eq!(json(&world.get("/_sandbox/summary")), serde_json::to_value(&summary).unwrap());
}

/// Each second has its own count; what a refused request costs is a 429 with the wait, and no money.
#[test]
fn captures_above_a_rate_are_throttled() {
    let mut world = World::new();
    let script = r#"{"rules": [{"on": {"operation": "capture", "above": 3}, "times": "always",
        "do": {"status": 429, "headers": {"retry-after": "1"}, "effect": false}}]}"#;
    world.sandbox.script(Script::from_json(script).unwrap());
    let orders: Vec<_> = (0..12_u8).map(|_| world.order("1.00")).collect();
    let mut statuses = Vec::new();
    for (order, number) in orders.iter().zip(1..) {
        if number == 6 || number == 11 {
            world.wait(1);
        }
        let reply = respond(world.capture(*order, number, "1.00"));
        statuses.push(reply.status().as_u16());
        let wait = reply.headers().get("retry-after").map(|wait| wait.to_str().unwrap());
        assert_eq!(wait, (reply.status() == 429).then_some("1"));
        // Lookups are not counted.
        assert_eq!(world.get(&format!("/v1/orders/{order}")).status(), 200);
    }
    let throttled = [200, 200, 200, 429, 429];
    assert_eq!(statuses, [&throttled[..], &throttled, &[200, 200]].concat());
    assert_eq!(world.sandbox.ledger().entries().len(), 8);
    // Its key was not used: the same request goes through in the next second.
    world.wait(1);
    assert_eq!(world.captured(orders[3], 4, "1.00").1, "SUCCESS");

    let seen = world.sandbox.transcript().filter(|seen| seen.script.is_some()).count();
    assert_eq!(seen, 4);
    let rules = serde_json::to_value(world.sandbox.rules()).unwrap();
    assert_eq!(rules["rules"][0]["on"]["above"], 3, "{rules}");
}

#[test]
fn a_rate_counts_what_the_rule_is_about() {
    let mut world = World::new();
    let order = world.order("1.00");
    let script = Script::status(429).above(1).times(2).on(Operation::Order);
    world.sandbox.script(script);
    let lookup = format!("/v1/orders/{order}");
    let request = world.request(Method::GET, &lookup, "");
    let mut statuses = [0; 5];
    for status in &mut statuses {
        *status = respond(world.send(&request)).status().as_u16();
    }
    assert_eq!(statuses, [200, 429, 429, 200, 200], "two times, then the rule is used up");

    world.sandbox.script(Script::preset("rate-limit").unwrap());
    let limited = (0..25_u8).filter(|number| {
        let order = world.order("1.00");
        respond(world.capture(order, number + 1, "1.00")).status() == 429
    });
    assert_eq!(limited.count(), 5);
}
