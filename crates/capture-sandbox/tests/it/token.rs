//! Logins, and the check of the token.

use std::time::Duration;

use capture_core::driver::Api;
use capture_core::wire;
use capture_sandbox::Settings;
use http::{Method, StatusCode};

use crate::world::{World, json, respond};

#[test]
fn a_login_has_the_recorded_shape() {
    let mut world = World::new();
    let settings = Settings::default();
    let environment = "http://127.0.0.1:1".parse().unwrap();
    let credentials =
        capture_core::Credentials::new(settings.app_key, settings.app_secret).unwrap();
    let request = wire::token::request(&Api::new(&environment), &credentials);
    let reply = respond(world.send(&request));
    let grant = wire::token::read_reply(&reply).unwrap();
    assert_eq!(grant.lifetime, Duration::from_secs(600));
    let body = json(&reply);
    assert_eq!(body["expires"], 1_700_000_600_000_u64);
    assert_eq!(reply.headers()["date"], "Tue, 14 Nov 2023 22:13:20 GMT");
    assert_eq!(reply.headers()["apigw-requestid"].len(), 16);
    assert_eq!(world.sandbox.logins(), 2);
}

#[test]
fn bad_logins() {
    let mut world = World::new();
    for (body, status, fault) in [
        (r#"{"AppKey":"sandbox/app+key=","AppSecret":"x"}"#, 400, "title"),
        (r#"{"AppKey":"x","AppSecret":"sandbox/app+secret="}"#, 400, "title"),
        (r#"{"AppKey":"sandbox/app+key="}"#, 400, "AppSecret"),
        (r#"{"AppKey":1,"AppSecret":"x"}"#, 400, "AppKey"),
        ("{}", 400, "AppKey"),
        ("AppKey=x&AppSecret=y", 400, "$"),
        ("", 400, "$"),
    ] {
        let reply = world.post("/v1/oauth2/token", body);
        assert_eq!(reply.status(), status, "{body}");
        assert!(json(&reply).get(fault).is_some(), "{body}: {}", json(&reply));
    }
    assert_eq!(world.sandbox.logins(), 1);
}

#[test]
fn only_a_valid_token_is_accepted() {
    let mut world = World::new();
    let good = world.token.clone();
    let order = world.order("1.00");
    let path = format!("/v1/orders/{order}");
    for (header, status) in [
        (format!("Bearer {good}"), 200),
        (format!("bearer  {good} "), 200),
        (good.clone(), 401),
        (format!("Basic {good}"), 401),
        (format!("Bearer {good}x"), 401),
        ("Bearer ".into(), 401),
        ("Bearer".into(), 401),
        (String::new(), 401),
    ] {
        let mut request = world.request(Method::GET, &path, "");
        let value = header.parse().unwrap();
        request.headers_mut().insert("authorization", value);
        let reply = respond(world.send(&request));
        assert_eq!(reply.status(), status, "{header}");
        assert_eq!(reply.body().is_empty(), status == 401);
    }
    let mut request = world.request(Method::GET, &path, "");
    request.headers_mut().remove("authorization");
    let reply = respond(world.send(&request));
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn tokens_expire_when_either_clock_moves() {
    let mut world = World::new();
    world.wait(599);
    assert_eq!(world.get("/v1/orders").status(), 200);
    world.wait(1);
    assert_eq!(world.get("/v1/orders").status(), 401);
    world.login();
    assert_eq!(world.get("/v1/orders").status(), 200);
    world.sandbox.advance(Duration::from_secs(600));
    assert_eq!(world.get("/v1/orders").status(), 401);
}

/// A login gives one more token; it takes none away, and all of them are counted.
#[test]
fn earlier_tokens_stay_valid() {
    let mut world = World::new();
    let mut tokens = vec![world.token.clone()];
    for _ in 0..5 {
        world.wait(1);
        world.login();
        tokens.push(world.token.clone());
    }
    assert_eq!(world.sandbox.logins(), tokens.len());
    for (number, token) in tokens.into_iter().enumerate() {
        world.token = token;
        assert_eq!(world.get("/v1/orders").status(), 200, "{number}");
    }
    world.wait(600);
    (0..3).for_each(|_| world.login()); // the last one forgets what has expired
    assert_eq!(world.sandbox.logins(), 9);
}

#[test]
fn the_token_is_checked_before_the_body() {
    let mut world = World::new();
    world.token = "none".into();
    for path in ["/v1/capture", "/v1/evaluate", "/v1/orders/x/cancel"] {
        let mut request = world.request(Method::POST, path, "not even JSON");
        request.headers_mut().remove("content-type");
        assert_eq!(respond(world.send(&request)).status(), 401, "{path}");
    }
}
