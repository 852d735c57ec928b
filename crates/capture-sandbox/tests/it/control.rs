//! `/_sandbox/`: the surface for tests in any language.

use capture_sandbox::{Answer, PERSONAL_DATA, Script, Settings};
use http::Method;
use serde_json::json;

use crate::world::{World, json, respond};

#[test]
fn a_whole_test_through_the_surface() {
    let mut world = World::new();
    let mut control = |method: Method, path: &str, body: &str| {
        let mut request = world.request(method, &format!("/_sandbox/{path}"), body);
        request.headers_mut().remove("authorization");
        request.headers_mut().remove("content-type");
        let reply = respond(world.send(&request));
        (reply.status().as_u16(), json(&reply))
    };
    let (status, body) = control(Method::GET, "", "");
    assert_eq!(status, 200);
    assert!(body["sandbox"]["POST /_sandbox/orders"].is_string());
    let (status, body) = control(Method::POST, "orders", r#"{"amount":10000,"currency":"USD"}"#);
    assert_eq!(status, 201);
    let order = body["orderId"].as_str().unwrap().parse().unwrap();
    let script = r#"{"rules":[{"do":{"close":true,"effect":true}}]}"#;
    assert_eq!(control(Method::POST, "script", script).0, 200);
    let _ = world.capture(order, 1, "100.00");
    assert_eq!(world.captured(order, 1, "100.00").1, "SUCCESS");

    let ledger = json(&world.get("/_sandbox/ledger"));
    let captures = ledger["captures"].as_array().unwrap();
    assert_eq!(captures.len(), 1);
    assert_eq!(captures[0]["order"], json!(order));
    assert_eq!((&captures[0]["amount"], &captures[0]["currency"]), (&json!(10_000), &json!("USD")));
    assert_eq!(captures[0]["at_ms"], 1_700_000_000_000_u64);
    let transcript = json(&world.get("/_sandbox/transcript"));
    let statuses: Vec<_> = transcript["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seen| seen["status"].clone())
        .collect();
    assert_eq!(statuses, [json!(200), json!("closed"), json!(200)]);

    assert_eq!(world.post("/_sandbox/clock", r#"{"advance_seconds":600}"#).status(), 200);
    assert_eq!(world.captured(order, 1, "100.00").0, 401, "the token expired");
    assert_eq!(world.post("/_sandbox/reset", "").status(), 200);
    assert_eq!(json(&world.get("/_sandbox/ledger")), json!({ "captures": [] }));
    world.login();
    assert_eq!(world.captured(order, 1, "100.00").0, 404);
}

#[test]
fn orders_in_any_state_and_window() {
    let mut world = World::new();
    let mut status_of = |body: &str, wait: u64| {
        let reply = world.post("/_sandbox/orders", body);
        let id = json(&reply)["orderId"].as_str().unwrap().to_owned();
        world.wait(wait);
        world.login();
        json(&world.get(&format!("/v1/orders/{id}")))["statusName"].clone()
    };
    let short = r#"{"amount":1,"currency":"JPY","window_seconds":300}"#;
    assert_eq!(status_of(short, 299), "CAPTUREREQUIRED");
    assert_eq!(status_of(short, 300), "CANCELLED");
    let done = r#"{"amount":1,"currency":"JPY","status":"capture required"}"#;
    assert_eq!(status_of(done, 0), "CAPTUREREQUIRED");
    let done = r#"{"amount":1,"currency":"JPY","status":"COMPLETED"}"#;
    assert_eq!(status_of(done, 0), "COMPLETED");
    let for_ever = format!(r#"{{"amount":1,"currency":"JPY","window_seconds":{}}}"#, u64::MAX);
    assert_eq!(status_of(&for_ever, 0), "CAPTUREREQUIRED");
}

#[test]
fn mistakes_are_named() {
    let mut world = World::new();
    let headers: Vec<_> = (0..40_000).map(|number| format!(r#""a{number}":"""#)).collect();
    let headers = headers.join(",");
    let many_headers = format!(r#"{{"rules":[{{"do":{{"headers":{{{headers}}}}}}}]}}"#);
    for (method, path, body, status, why) in [
        (Method::POST, "orders", r#"{"amount":1}"#, 400, "missing field `currency`"),
        (Method::POST, "orders", r#"{"amount":1,"currency":"usd"}"#, 400, "write USD"),
        (Method::POST, "orders", r#"{"amount":0,"currency":"USD"}"#, 400, "more than zero"),
        (Method::POST, "orders", r#"{"amount":-1,"currency":"USD"}"#, 400, "integer `-1`"),
        (
            Method::POST,
            "orders",
            r#"{"amount":1,"currency":"USD","window":1}"#,
            400,
            "unknown field `window`",
        ),
        (
            Method::POST,
            "orders",
            r#"{"amount":1,"currency":"USD","status":"x"}"#,
            400,
            r#"status "x""#,
        ),
        (Method::POST, "orders", "", 400, "EOF"),
        (Method::POST, "clock", r#"{"advance_seconds":-1}"#, 400, "integer `-1`"),
        (Method::POST, "clock", r#"{"advance":1}"#, 400, "unknown field `advance`"),
        (
            Method::POST,
            "script",
            r#"{"rules":[{"do":{"crash":1}}]}"#,
            400,
            "rules[0].do.crash: unknown field `crash`",
        ),
        (
            Method::POST,
            "script",
            &many_headers,
            400,
            "rules[0].do: `headers` has 40000 headers; the limit is 1000",
        ),
        (Method::DELETE, "clock", "", 405, "wrong method"),
        (Method::DELETE, "ledger", "", 405, "wrong method"),
        (Method::GET, "nothing", "", 404, "no such path"),
    ] {
        let request = world.request(method, &format!("/_sandbox/{path}"), body);
        let reply = respond(world.send(&request));
        let shown = &body[..body.len().min(100)];
        assert_eq!(reply.status(), status, "{path} {shown}");
        let error = json(&reply)["error"].as_str().unwrap().to_owned();
        assert!(error.contains(why), "{path} {shown}: {error}");
        assert_eq!(reply.headers().contains_key("allow"), status == 405, "{path}");
    }
}

/// As many headers as a rule may have reach the client.
#[test]
fn a_thousand_headers_are_sent() {
    let mut world = World::new();
    let mut answer = Answer::new(200);
    for number in 0..1_000 {
        answer = answer.header(&format!("a{number}"), "");
    }
    world.sandbox.script(Script::status(answer).times(2));
    let order = world.order("1.00");
    let reply = respond(world.capture(order, 1, "1.00"));
    assert!(reply.headers().len() > 1_000);
    let words = world.sandbox.transcript().last().unwrap().script.clone().unwrap();
    assert!(words.len() < 500, "{words}");
}

/// What waits, and what is kept under keys, is bounded by its size, not only by its number.
#[test]
fn a_sandbox_that_is_full_says_so() {
    let mut world = World::new();
    let long = "x".repeat(900_000);
    let rule = format!(r#"{{"rules":[{{"do":{{"raw":"{long}","effect":false}}}}]}}"#);
    let small = format!(r#"{{"rules":[{}]}}"#, vec![r#"{"do":{}}"#; 20_000].join(","));
    for script in [rule, small] {
        let mut added = 0;
        let refused = loop {
            let reply = world.post("/_sandbox/script", &script);
            if reply.status() != 200 {
                break reply;
            }
            added += 1;
            assert!(added < 20, "no more than 16 MiB wait");
        };
        assert_eq!(refused.status(), 503);
        assert!(json(&refused)["error"].as_str().unwrap().starts_with("the sandbox is full"));
        let request = world.request(Method::DELETE, "/_sandbox/script", "");
        assert_eq!(respond(world.send(&request)).status(), 200);
        assert_eq!(world.post("/_sandbox/script", r#"{"preset":"chaos"}"#).status(), 200);
        world.sandbox.clear_script();
    }
}

#[test]
fn a_rule_that_is_spent_makes_room_for_another() {
    let mut world = World::new();
    let order = world.order("1.00");
    let long = "x".repeat(900_000);
    let rule = format!(r#"{{"rules":[{{"do":{{"status":500,"body":"{long}","effect":false}}}}]}}"#);
    for _ in 0..30 {
        assert_eq!(world.post("/_sandbox/script", &rule).status(), 200);
        let _ = world.capture(order, 1, "1.00");
    }
}

#[test]
fn a_byte_order_mark_is_no_obstacle() {
    let mut world = World::new();
    let script = "\u{feff}{\"preset\": \"lost-reply\"}";
    assert_eq!(world.post("/_sandbox/script", script).status(), 200);
    assert_eq!(Script::from_json(script).unwrap(), Script::lost_reply());
}

#[test]
fn the_clock_never_leaves_the_calendar() {
    let mut world = World::new();
    let far = format!(r#"{{"advance_seconds":{}}}"#, u64::MAX);
    for _ in 0..2 {
        let reply = world.post("/_sandbox/clock", &far);
        assert_eq!(reply.headers()["date"], "Fri, 31 Dec 9999 23:59:59 GMT");
    }
    let order = world.order("1.00");
    world.login(); // expires at once: there is no later
    assert_eq!(world.get(&format!("/v1/orders/{order}")).status(), 401);
}

#[test]
fn nothing_private_is_shown() {
    let mut world = World::new();
    let order = world.order("1.00");
    let _ = world.capture(order, 1, "1.00");
    let _ = world.get(&format!("/v1/orders/{order}?secret=canary"));
    let _ = world.get("/canary");
    let settings = Settings::default();
    let shown = [
        world.get("/_sandbox/").body().clone(),
        world.get("/_sandbox/ledger").body().clone(),
        world.get("/_sandbox/transcript").body().clone(),
        format!("{:?} {settings:?}", world.sandbox).into(),
    ]
    .concat();
    let shown = String::from_utf8(shown).unwrap();
    let secrets = [&world.token, &settings.app_key, &settings.app_secret];
    for secret in secrets.map(String::as_str).iter().chain(&PERSONAL_DATA).chain(&["canary"]) {
        assert!(!shown.contains(secret), "{secret}");
    }
}
