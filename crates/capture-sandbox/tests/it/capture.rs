//! `POST /v1/capture`: what is checked, and what happens.

use capture_core::driver::Verdict;
use capture_core::{OrderStatus, wire};
use capture_sandbox::{NewOrder, Settings};
use http::Method;
use serde_json::json;

use crate::world::{World, capture_body, intent, json, money, respond};

#[test]
fn an_order_is_captured_once() {
    let mut world = World::new();
    let order = world.order("100.00");
    let reply = respond(world.capture(order, 1, "100.00"));
    assert_eq!(Verdict::of(&intent(order), &reply), Verdict::Captured);
    assert_eq!(reply.body(), wire::capture::captured().body());
    let status = world.sandbox.order_status(order, world.now);
    assert_eq!(status, Some(OrderStatus::Completed));

    let (status, word) = world.captured(order, 2, "100.00");
    assert_eq!((status, word.as_str()), (200, "FAILED"));
    let [entry] = world.sandbox.ledger().entries() else {
        panic!("one entry, not {:?}", world.sandbox.ledger());
    };
    assert_eq!((entry.order, entry.money), (order, money("100.00")));
    assert_eq!((entry.key, entry.at), (crate::world::key(1), world.now));
}

#[test]
fn without_the_guard_each_new_key_captures_again() {
    let guard = false;
    let mut world = World::with(Settings { guard, ..Settings::default() });
    let order = world.order("100.00");
    for key in [1, 2, 2] {
        assert_eq!(world.captured(order, key, "100.00").1, "SUCCESS");
    }
    assert_eq!(world.captures(order), 2);
    let void = NewOrder::new(money("1.00")).status(OrderStatus::Cancelled);
    let void = world.sandbox.create_order(void, world.now);
    assert_eq!(world.captured(void, 3, "1.00").1, "FAILED");
}

#[test]
fn a_refused_capture_says_why() {
    let mut world = World::new();
    let order = world.order("100.00");
    let done = NewOrder::new(money("1.00")).status(OrderStatus::Processing);
    let done = world.sandbox.create_order(done, world.now);
    for (number, order, amount, why) in [
        (1, order, "99.99", "amount or currency"),
        (2, order, "100.01", "amount or currency"),
        (3, done, "1.00", "The order is Processing"),
    ] {
        let reply = respond(world.capture(order, number, amount));
        assert_eq!(reply.status(), 200);
        let body = json(&reply);
        assert_eq!((&body["status"], &body["success"]), (&json!("FAILED"), &json!(true)));
        assert!(body["errors"][0].as_str().unwrap().contains(why), "{body}");
    }
    let euros = json!({
        "idempotencyKey": crate::world::key(4), "orderId": order, "amount": 10000, "currency": "EUR",
    });
    let reply = world.post("/v1/capture", &euros.to_string());
    assert_eq!(json(&reply)["status"], "FAILED");
    assert_eq!(world.captured(order, 5, "100.00").1, "SUCCESS");
}

#[test]
fn an_unknown_order_is_a_404_with_provenance() {
    let mut world = World::new();
    let order = World::with(Settings { seed: 9, ..Settings::default() }).order("1.00");
    let reply = respond(world.capture(order, 1, "1.00"));
    assert_eq!(reply.status(), 404);
    assert!(matches!(Verdict::of(&intent(order), &reply), Verdict::Refused(_)));
}

#[test]
fn an_order_is_void_when_its_window_ends() {
    let mut world = World::new();
    let window = std::time::Duration::from_secs(300);
    let short = NewOrder::new(money("1.00")).window(window);
    let (early, late) = (
        world.sandbox.create_order(short, world.now),
        world.sandbox.create_order(short, world.now),
    );
    let usual = world.order("1.00");
    world.wait(299);
    assert_eq!(world.captured(early, 1, "1.00").1, "SUCCESS");
    world.wait(1);
    assert_eq!(world.captured(late, 2, "1.00").1, "FAILED");
    let status = |world: &World, order| world.sandbox.order_status(order, world.now).unwrap();
    assert_eq!(status(&world, early), OrderStatus::Completed);
    assert_eq!(status(&world, late), OrderStatus::Cancelled);
    world.sandbox.advance(std::time::Duration::from_secs(7 * 24 * 3600));
    assert_eq!(status(&world, usual), OrderStatus::Cancelled);
}

#[test]
fn content_types() {
    let mut world = World::new();
    let body = capture_body(world.order("1.00"), 1, "1.00");
    for (content_type, status) in [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON;charset=UTF-8", 200),
        ("text/json", 200),
        ("application/*+json", 200),
        ("application/*+json; charset=utf-8", 200),
        ("application/problem+JSON", 200),
        ("application/x-www-form-urlencoded", 415),
        ("text/plain", 415),
        ("application/jsonp", 415),
        ("json", 415),
        ("", 415),
        ("\u{e9}", 415),
    ] {
        let mut request = world.request(Method::POST, "/v1/capture", &body);
        let value = http::HeaderValue::from_bytes(content_type.as_bytes()).unwrap();
        request.headers_mut().insert("content-type", value);
        let reply = respond(world.send(&request));
        assert_eq!(reply.status(), status, "{content_type}");
        if status == 415 {
            assert_eq!(json(&reply)["status"], 415);
        }
    }
    let mut request = world.request(Method::POST, "/v1/capture", &body);
    request.headers_mut().remove("content-type");
    assert_eq!(respond(world.send(&request)).status(), 415);
}

#[test]
fn accepted_types() {
    let mut world = World::new();
    let order = world.order("1.00");
    for (accept, status) in [
        ("application/json", 200),
        ("*/*", 200),
        ("text/html, application/*;q=0.1", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
    ] {
        let mut request =
            world.request(Method::POST, "/v1/capture", &capture_body(order, 1, "1.00"));
        request.headers_mut().insert("accept", accept.parse().unwrap());
        let reply = respond(world.send(&request));
        assert_eq!(reply.status(), status, "{accept}");
        assert_eq!(reply.body().is_empty(), status == 406);
    }
}

#[test]
fn paths_and_methods() {
    let mut world = World::new();
    for (method, path, status, allow) in [
        (Method::GET, "/v1/capture", 405, Some("POST")),
        (Method::PUT, "/v1/capture", 405, Some("POST")),
        (Method::HEAD, "/v1/orders", 405, Some("GET")),
        (Method::GET, "/v1/oauth2/token", 405, Some("POST")),
        (Method::POST, "/v1/orders", 405, Some("GET")),
        (Method::POST, "/v1/captures", 404, None),
        (Method::GET, "/", 404, None),
        (Method::POST, "/capture", 404, None),
    ] {
        let request = world.request(method, path, "");
        let reply = respond(world.send(&request));
        assert_eq!(reply.status(), status, "{path}");
        let found = reply.headers().get("allow").map(|allow| allow.to_str().unwrap());
        assert_eq!(found, allow, "{path}");
        if status == 404 {
            assert_eq!(json(&reply), json!({ "message": "Not Found" }));
        } else {
            assert!(reply.body().is_empty());
        }
    }
}

#[test]
fn invalid_fields_are_named() {
    let mut world = World::new();
    let order = world.order("1.00");
    let good = json!({
        "idempotencyKey": crate::world::key(1), "orderId": order, "amount": 100, "currency": "USD",
    });
    for (field, value, name) in [
        ("idempotencyKey", json!(null), "IdempotencyKey"),
        ("idempotencyKey", json!("x"), "IdempotencyKey"),
        ("orderId", json!("00000000-0000-0000-0000-000000000000"), "OrderId"),
        ("orderId", json!(7), "OrderId"),
        ("amount", json!(0), "Amount"),
        ("amount", json!(-1), "Amount"),
        ("amount", json!(1.5), "Amount"),
        ("amount", json!("100"), "Amount"),
        ("amount", json!(1_u64 << 31), "Amount"),
        ("currency", json!("usd"), "Currency"),
        ("currency", json!(""), "Currency"),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let reply = world.post("/v1/capture", &body.to_string());
        assert_eq!(reply.status(), 400, "{field} {value}");
        let body = json(&reply);
        assert!(body[name][0].is_string(), "{field} {value}: {body}");
        assert!(body["TraceId"][0].as_str().unwrap().starts_with("00-"));
        assert!(matches!(Verdict::of(&intent(order), &reply), Verdict::Refused(_)));
    }
    for body in ["", "[]", "{", r#"{"amount":1,"Amount":1}"#] {
        assert_eq!(world.post("/v1/capture", body).status(), 400, "{body}");
    }
    assert_eq!(world.captures(order), 0);
    assert_eq!(world.captured(order, 1, "1.00").1, "SUCCESS", "no trace was left");
}
