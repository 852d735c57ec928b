//! `/_sandbox/`: the surface for tests in any language.

use capture_sandbox::{PERSONAL_DATA, Settings};
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
        (Method::DELETE, "clock", "", 405, "wrong method"),
        (Method::DELETE, "ledger", "", 405, "wrong method"),
        (Method::GET, "nothing", "", 404, "no such path"),
    ] {
        let request = world.request(method, &format!("/_sandbox/{path}"), body);
        let reply = respond(world.send(&request));
        assert_eq!(reply.status(), status, "{path} {body}");
        let error = json(&reply)["error"].as_str().unwrap().to_owned();
        assert!(error.contains(why), "{path} {body}: {error}");
    }
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
fn only_requests_from_this_machine_are_answered() {
    let mut world = World::new();
    for (host, origin, status) in [
        ("127.0.0.1", None, 200),
        ("127.0.0.1:8787", None, 200),
        ("localhost:8787", None, 200),
        ("LOCALHOST", None, 200),
        ("[::1]:8787", None, 200),
        ("127.0.0.1:8787", Some("http://127.0.0.1:8787"), 200),
        ("evil.example", None, 403),
        ("127.0.0.1.evil.example", None, 403),
        ("localhost.evil.example:8787", None, 403),
        ("127.0.0.1@evil.example", None, 403),
        ("evil.example@127.0.0.1", None, 403),
        ("0.0.0.0:8787", None, 403),
        ("192.168.0.1", None, 403),
        ("", None, 403),
        ("127.0.0.1:8787", Some("http://evil.example"), 403),
        ("127.0.0.1:8787", Some("null"), 403),
    ] {
        let mut request = world.request(Method::POST, "/_sandbox/reset", "");
        request.headers_mut().insert("host", host.parse().unwrap());
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let reply = respond(world.send(&request));
        assert_eq!(reply.status(), status, "{host} {origin:?}");
    }
    let mut request = world.request(Method::GET, "/_sandbox/", "");
    request.headers_mut().remove("host");
    assert_eq!(respond(world.send(&request)).status(), 403);

    // Other machines may come where the settings say so; a page must still be of the same host.
    let mut world = World::with(Settings { remote: true, ..Settings::default() });
    for (host, origin, status) in [
        ("sandbox:8787", None, 200),
        ("sandbox:8787", Some("http://sandbox:8787"), 200),
        ("sandbox:8787", Some("http://evil.example"), 403),
        ("sandbox:8787", Some("null"), 403),
    ] {
        let mut request = world.request(Method::POST, "/_sandbox/reset", "");
        request.headers_mut().insert("host", host.parse().unwrap());
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        assert_eq!(respond(world.send(&request)).status(), status, "{host} {origin:?}");
    }
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
