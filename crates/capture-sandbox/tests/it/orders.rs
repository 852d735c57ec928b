//! Creating, looking up, listing and cancelling orders.

use capture_core::{OrderId, OrderStatus, wire};
use capture_sandbox::{NewOrder, PERSONAL_DATA};
use serde_json::{Value, json};

use crate::world::{World, json, key, money};

fn evaluation() -> Value {
    json!({
        "idempotencyKey": key(1), "transactionType": "Authorization", "isMIT": false,
        "orderId": "the merchant's own", "transaction": { "amount": 10_000, "currency": "USD" },
    })
}

#[test]
fn an_order_is_created_the_documented_way() {
    let mut world = World::new();
    let reply = world.post("/v1/evaluate", &evaluation().to_string());
    let body = json(&reply);
    assert_eq!((reply.status().as_u16(), &body["status"]), (200, &json!("CAPTUREREQUIRED")));
    assert_eq!(body["orderId"], body["orderSessionKey"]);
    let order: OrderId = body["orderId"].as_str().unwrap().parse().unwrap();
    let again = world.post("/v1/evaluate", &evaluation().to_string());
    assert_eq!(again.body(), reply.body(), "the key is the same");
    assert_eq!(world.captured(order, 1, "100.00").1, "SUCCESS");

    for (number, kind, word) in [
        (2, json!("AUTHORIZATION"), "CAPTUREREQUIRED"),
        (3, json!("Purchase"), "APPROVED"),
        (4, json!(null), "APPROVED"),
    ] {
        let mut body = evaluation();
        body["idempotencyKey"] = json!(key(number));
        body["transactionType"] = kind;
        let reply = world.post("/v1/evaluate", &body.to_string());
        assert_eq!(json(&reply)["status"], word);
    }
}

#[test]
fn an_evaluation_names_the_invalid_fields() {
    let mut world = World::new();
    for (path, value, name) in [
        ("/idempotencyKey", json!(null), "IdempotencyKey"),
        ("/idempotencyKey", json!("x"), "IdempotencyKey"),
        ("/transactionType", json!("Refund"), "TransactionType"),
        ("/transaction", json!(7), "Transaction.Amount"),
        ("/transaction/amount", json!(0), "Transaction.Amount"),
        ("/transaction/amount", json!(1.5), "Transaction.Amount"),
        ("/transaction/currency", json!("usd"), "Transaction.Currency"),
    ] {
        let mut body = evaluation();
        *body.pointer_mut(path).unwrap() = value;
        let reply = world.post("/v1/evaluate", &body.to_string());
        assert_eq!(reply.status(), 400, "{body}");
        assert!(json(&reply)[name][0].is_string(), "{body}: {}", json(&reply));
        assert!(json(&reply)["TraceId"][0].is_string());
    }
    for body in ["", "7", "[]", &"[".repeat(100_000)] {
        assert_eq!(world.post("/v1/evaluate", body).status(), 400);
    }
}

#[test]
fn a_lookup_shows_the_status_and_a_person() {
    let mut world = World::new();
    let order = world.order("1.00");
    let reply = world.get(&format!("/v1/orders/{order}"));
    let read = wire::order::read_reply(order, &reply).unwrap();
    assert_eq!(read.status, OrderStatus::CaptureRequired);
    assert_eq!(read.currency.map(String::from).as_deref(), Some("USD"));
    let body = json(&reply);
    assert_eq!((&body["status"], &body["statusName"]), (&json!(5), &json!("CAPTUREREQUIRED")));
    assert_eq!(body["expiryDate"], "2023-11-21T22:13:20Z");
    for personal in PERSONAL_DATA {
        assert!(body.to_string().contains(personal));
    }
    for (status, number) in [(OrderStatus::Completed, 7), (OrderStatus::Problem, 3)] {
        assert!(world.sandbox.set_order_status(order, status, world.now));
        let body = json(&world.get(&format!("/v1/orders/{}", order.to_string().to_uppercase())));
        assert_eq!((&body["status"], &body["expiryDate"]), (&json!(number), &Value::Null));
    }
    let missing = world.get(&format!("/v1/orders/{}", key(1)));
    assert_eq!((missing.status().as_u16(), &json(&missing)["status"]), (404, &json!(404)));
    for bad in ["x", "", "%20", "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(world.get(&format!("/v1/orders/{bad}")).status(), 400, "{bad}");
    }
}

#[test]
fn the_list_filters_by_status_and_has_pages() {
    let mut world = World::new();
    let waiting: Vec<_> = (0..12).map(|_| world.order("1.00")).collect();
    for status in [OrderStatus::Completed, OrderStatus::Cancelled] {
        let new = NewOrder::new(money("1.00")).status(status);
        let _ = world.sandbox.create_order(new, world.now);
    }
    for (query, first, on_page, total, pages) in [
        ("", 1, 10, 14, 2),
        ("?pageNumber=2", 11, 4, 14, 2),
        ("?status=5", 1, 10, 12, 2),
        ("?status=5&pageSize=5&pageNumber=3&sort=asc", 11, 2, 12, 3),
        ("?Status=7&status=2", 1, 2, 2, 1),
        ("?status=6", 0, 0, 0, 0),
        ("?pageNumber=2147483647", 0, 0, 14, 2),
    ] {
        let body = json(&world.get(&format!("/v1/orders{query}")));
        let seen = (
            body["firstItemOnPage"].as_u64().unwrap(),
            body["orders"].as_array().unwrap().len(),
            body["totalItemCount"].as_u64().unwrap(),
            body["pageCount"].as_u64().unwrap(),
        );
        assert_eq!(seen, (first, on_page, total, pages), "{query}: {body}");
    }
    let body = json(&world.get("/v1/orders?status=5&pageSize=100"));
    let ids: Vec<OrderId> = body["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| order["id"].as_str().unwrap().parse().unwrap())
        .collect();
    assert_eq!(ids, waiting);
    for bad in
        ["status=x", "status=", "pageSize=0", "pageSize=101", "pageNumber=0", "pageNumber=-1"]
    {
        assert_eq!(world.get(&format!("/v1/orders?{bad}")).status(), 400, "{bad}");
    }
}

#[test]
fn a_cancellation_voids_and_may_be_repeated() {
    let mut world = World::new();
    let order = world.order("1.00");
    let path = format!("/v1/orders/{order}/cancel");
    let mut bare = world.request(http::Method::POST, &path, "");
    bare.headers_mut().remove("content-type");
    for _ in 0..2 {
        let reply = crate::world::respond(world.send(&bare));
        assert_eq!((reply.status().as_u16(), &reply.body()[..]), (200, &b"{}"[..]));
    }
    assert_eq!(world.captured(order, 1, "1.00").1, "FAILED");

    let (first, second) = (world.order("1.00"), world.order("1.00"));
    let keyed = format!(r#"{{"idempotencyKey":"{}"}}"#, key(1));
    let cancel = |world: &mut World, order, body: &str| {
        let reply = world.post(&format!("/v1/orders/{order}/cancel"), body);
        reply.status().as_u16()
    };
    assert_eq!(cancel(&mut world, first, &keyed), 200);
    assert_eq!(cancel(&mut world, first, &keyed), 200);
    assert_eq!(cancel(&mut world, second, &keyed), 409, "the key belongs to the first");
    assert_eq!(cancel(&mut world, second, "{}"), 200);
    for body in ["[]", "{", r#"{"idempotencyKey":"x"}"#, r#"{"idempotencyKey":1}"#] {
        assert_eq!(cancel(&mut world, second, body), 400, "{body}");
    }
    let captured = world.order("1.00");
    assert_eq!(world.captured(captured, 2, "1.00").1, "SUCCESS");
    assert_eq!(cancel(&mut world, captured, ""), 400);
    assert_eq!(world.post(&format!("/v1/orders/{}/cancel", key(9)), "").status(), 404);
}

#[test]
fn the_list_filters_by_time_id_and_merchant() {
    let mut world = World::new();
    let mut placed = Vec::new();
    for _ in 0..3 {
        placed.push(world.order("1.00"));
        world.wait(24 * 3600);
    }
    world.login();
    let [first, second, third] = placed[..] else { panic!("three") };
    let mine = "6d1f7f0e-51a5-4a52-9d6b-3a1c1f0b7e11";
    for (query, expect) in [
        (String::new(), vec![first, second, third]),
        ("from=2023-11-15".into(), vec![second, third]),
        ("from=2023-11-14T22%3A13%3A21Z".into(), vec![second, third]),
        ("to=2023-11-15".into(), vec![first, second]),
        ("to=2023-11-15T22:13:19Z".into(), vec![first]),
        ("from=2023-11-15&to=2023-11-15".into(), vec![second]),
        ("sort=desc&orderBy=anything".into(), vec![third, second, first]),
        (format!("query={}", &second.to_string().to_uppercase()[4..13]), vec![second]),
        (format!("mid={mine}"), vec![first, second, third]),
        (format!("mid={first}"), vec![]),
    ] {
        let body = json(&world.get(&format!("/v1/orders?{query}")));
        let ids = body["orders"].as_array().unwrap().iter();
        let ids: Vec<OrderId> =
            ids.map(|order| order["id"].as_str().unwrap().parse().unwrap()).collect();
        assert_eq!(ids, expect, "{query}");
    }
    for bad in ["from=yesterday", "to=2023-02-30", "sort=up"] {
        assert_eq!(world.get(&format!("/v1/orders?{bad}")).status(), 400, "{bad}");
    }
}

#[test]
fn members_appear_in_the_documented_order() {
    let mut world = World::new();
    let order = world.order("1.00");
    let evaluated = world.post("/v1/evaluate", &evaluation().to_string());
    let lookup = world.get(&format!("/v1/orders/{order}"));
    let list = world.get("/v1/orders");
    for (reply, begins) in [
        (evaluated, r#"{"orderSessionKey":""#.to_owned()),
        (lookup, format!(r#"{{"id":"{order}","correlationId":"{order}","referenceNumber":null,"status":5,"statusName":"CAPTUREREQUIRED","orderPlacedDate":"2023-11-14T22:13:20Z","#)),
        (list, r#"{"firstItemOnPage":1,"hasNextPage":false,"hasPreviousPage":false,"isFirstPage":true,"#.into()),
    ] {
        let body = std::str::from_utf8(reply.body()).unwrap();
        assert!(body.starts_with(&begins), "{body}");
    }
}
