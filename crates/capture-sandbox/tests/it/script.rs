//! Fault scripts: which request, what happens to it, what is true afterwards.

use std::time::Duration;

use capture_core::driver::Verdict;
use capture_sandbox::{Action, Answer, Handshake, Idempotency, Operation, Script, Sent, Settings};
use serde_json::json;

use crate::world::{World, intent, json, key, respond};

#[test]
fn a_lost_reply_is_found_by_a_repetition() {
    for (script, captured) in [(Script::lost_reply(), 1), (Script::close_before(), 0)] {
        let mut world = World::new();
        let order = world.order("1.00");
        world.sandbox.script(script);
        assert!(matches!(world.capture(order, 1, "1.00").action, Action::Close));
        assert_eq!(world.captures(order), captured);
        assert_eq!(world.captured(order, 1, "1.00").1, "SUCCESS", "the rule is spent");
        assert_eq!(world.captures(order), 1);
    }
}

#[test]
fn a_scripted_status_with_and_without_the_effect() {
    for (script, captured) in [(Script::status(504), 0), (Script::captured_but(504), 1)] {
        let mut world = World::new();
        let order = world.order("1.00");
        world.sandbox.script(script);
        let reply = respond(world.capture(order, 1, "1.00"));
        assert_eq!(reply.status(), 504);
        assert_eq!(&reply.body()[..], br#"{"message":"Gateway Timeout"}"#);
        assert_eq!(world.captures(order), captured);
        assert_eq!(world.captured(order, 1, "1.00").1, "SUCCESS", "the truth was kept");
    }
}

#[test]
fn scripted_replies_look_like_the_services_unless_given_a_body() {
    let mut world = World::new();
    let order = world.order("1.00");
    for (answer, body, content_type) in [
        (Answer::new(401), "", None),
        (Answer::new(302), "", None),
        (Answer::new(500).body(""), "", None),
        (Answer::new(200).body("{"), "{", Some("application/json; charset=utf-8")),
        (
            Answer::new(502).body("<html>").header("Content-Type", "text/html"),
            "<html>",
            Some("text/html"),
        ),
    ] {
        world.sandbox.script(Script::status(answer));
        let reply = respond(world.capture(order, 1, "1.00"));
        assert_eq!(reply.body(), body);
        let found = reply.headers().get("content-type");
        assert_eq!(found.map(|value| value.to_str().unwrap()), content_type);
    }
    world.sandbox.script(Script::status(422));
    let reply = respond(world.capture(order, 1, "1.00"));
    assert!(matches!(Verdict::of(&intent(order), &reply), Verdict::Refused(_)));
    let throttled = Answer::new(429).header("retry-after", "2");
    world.sandbox.script(Script::status(throttled));
    let reply = respond(world.capture(order, 1, "1.00"));
    assert_eq!(reply.headers()["retry-after"], "2");
    assert_eq!(json(&reply), json!({ "message": "Too Many Requests" }));
}

#[test]
fn rules_choose_their_requests() {
    let mut world = World::new();
    let (one, other) = (world.order("1.00"), world.order("1.00"));
    world.sandbox.script(Script::status(500).order(one).skip(1).times(2));
    let statuses: Vec<_> = [one, other, one, other, one, one]
        .map(|order| world.captured(order, u8::from(order == one) + 1, "1.00").0)
        .into();
    assert_eq!(statuses, [200, 200, 500, 200, 500, 200]);

    let script = Script::status(503).times(2).then(Script::status(429));
    world.sandbox.script(script.then(Script::status(500).on(Operation::Order)));
    assert_eq!(world.get(&format!("/v1/orders/{one}")).status(), 500);
    let statuses = [0; 4].map(|_| world.captured(one, 2, "1.00").0);
    assert_eq!(statuses, [503, 503, 429, 200]);

    world.sandbox.script(Script::status(500).times(u32::MAX));
    assert_eq!(world.captured(one, 2, "1.00").0, 500);
    world.sandbox.clear_script();
    assert_eq!(world.captured(one, 2, "1.00").0, 200);

    world.sandbox.script(Script::status(503).on(Operation::Token));
    let reply = world.post("/v1/oauth2/token", "{}");
    assert_eq!(reply.status(), 503);
}

#[test]
fn scripts_are_data() {
    let script = Script::status(Answer::new(503).header("retry-after", "1").body("x"))
        .times(2)
        .then(Script::lost_reply().skip(1).delay(Duration::from_millis(20)))
        .then(Script::close_before().on(Operation::Token))
        .then(Script::status(201).path("/v1/sites/*"))
        .then(Script::handshake(Handshake::Expired, u32::MAX))
        .then(
            Script::delayed(Duration::from_secs(1))
                .order("5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap()),
        );
    let written = serde_json::to_string(&script).unwrap();
    assert_eq!(serde_json::from_str::<Script>(&written).unwrap(), script);

    let read: Script = serde_json::from_value(json!({ "rules": [ {
        "on": { "operation": "capture" },
        "do": { "close": true, "effect": true },
    } ] }))
    .unwrap();
    assert_eq!(read, Script::lost_reply());

    for written in [
        r#"{"rules":[{"on":{},"skip":0,"times":1,"do":{"effect":true,"rst_stream":true,"code":"cancel"}}]}"#,
        r#"{"rules":[{"on":{},"skip":0,"times":1,"do":{"effect":true,"goaway":"mid-body","code":"no-error","last_stream":"earlier"}}]}"#,
    ] {
        let script = Script::from_json(written).unwrap();
        assert_eq!(serde_json::to_string(&script).unwrap(), written);
    }
}

#[test]
fn an_error_in_a_script_names_the_rule() {
    for (written, why) in [
        (json!({}), "missing field `rules`"),
        (json!({ "rule": [] }), "unknown field `rule`"),
        (json!({ "rules": [{ "when": {}, "do": {} }] }), "unknown field `when`"),
        (json!({ "rules": [{}] }), "missing field `do`"),
        (json!({ "rules": [{ "on": { "op": 1 }, "do": {} }] }), "unknown field `op`"),
        (json!({ "rules": [{ "on": { "operation": "x" }, "do": {} }] }), "unknown variant `x`"),
        (json!({ "rules": [{ "on": { "order": "x" }, "do": {} }] }), "order id"),
        (
            json!({ "rules": [{ "on": { "path": "v1" }, "do": {} }] }),
            "`path` \"v1\" must begin with /",
        ),
        (
            json!({ "rules": [{ "on": { "path": "/_sandbox/*" }, "do": {} }] }),
            "`path` \"/_sandbox/*\" is the control surface's",
        ),
        (json!({ "rules": [{ "do": { "crash": true } }] }), "unknown field `crash`"),
        (json!({ "rules": [{ "do": { "hang": true } }] }), "`effect` is missing"),
        (json!({ "rules": [{ "do": { "status": 500 } }] }), "`effect` is missing"),
        (json!({ "rules": [{ "do": { "close": true } }] }), "`effect` is missing"),
        (json!({ "rules": [{ "do": { "effect": false } }] }), "`effect`: false needs"),
        (json!({ "rules": [{ "do": { "body": "x" } }] }), "`body` needs a `status`"),
        (
            json!({ "rules": [{ "do": { "status": 500, "close": true, "effect": true } }] }),
            "both `status` and `close`",
        ),
        (json!({ "rules": [{ "do": { "status": 100, "effect": true } }] }), "`status` 100"),
        (json!({ "rules": [{ "do": { "status": 1000, "effect": true } }] }), "`status` 1000"),
        (json!({ "rules": [{ "do": { "delay_ms": 3_600_001 } }] }), "`delay_ms`"),
        (
            json!({ "rules": [{ "do": { "status": 500, "effect": true, "headers": { "a b": "" } } }] }),
            "header `a b`",
        ),
        (
            json!({ "rules": [{ "do": { "status": 500, "effect": true, "headers": { "a": "b\r\nc: d" } } }] }),
            "header `a`",
        ),
        (
            json!({ "rules": [{ "do": { "status": 500, "effect": true, "headers": { "Content-Length": "7" } } }] }),
            "header `Content-Length`",
        ),
    ] {
        let error = serde_json::from_value::<Script>(written.clone()).unwrap_err();
        assert!(error.to_string().contains(why), "{written}: {error}");
    }
}

#[test]
fn the_transcript_tells_what_was_done() {
    let mut world = World::new();
    let order = world.order("1.00");
    world
        .sandbox
        .script(Script::lost_reply().then(Script::status(503).delay(Duration::from_millis(5))));
    for _ in 0..3 {
        let _ = world.capture(order, 1, "1.00");
    }
    let _ = world.get(&format!("/v1/orders/{order}"));
    let _ = world.get("/nowhere");
    let seen: Vec<_> = world
        .sandbox
        .transcript()
        .map(|seen| (seen.number, seen.operation, seen.sent, seen.script.as_deref()))
        .collect();
    let status = |code: u16| Sent::Status(code.try_into().unwrap());
    let delayed = "delayed 5 ms, answered 503 Service Unavailable, not carried out";
    assert_eq!(
        seen,
        [
            (1, Some(Operation::Token), status(200), None),
            (2, Some(Operation::Capture), Sent::Closed, Some("carried out, then closed")),
            (3, Some(Operation::Capture), status(503), Some(delayed)),
            (4, Some(Operation::Capture), status(200), None),
            (5, Some(Operation::Order), status(200), None),
            (6, None, status(404), None),
        ]
    );
    let capture = world.sandbox.transcript().nth(1).unwrap();
    assert_eq!((capture.order, capture.key), (Some(order), Some(key(1))));
    for _ in 0..10_100 {
        let _ = world.get("/nowhere");
    }
    assert_eq!(world.sandbox.transcript().count(), 10_000);
    assert_eq!(world.sandbox.transcript().last().unwrap().number, 10_106);
}

#[test]
fn a_scripted_answer_is_kept_under_its_key() {
    use Idempotency::{Frozen, Ignored, OnlySuccess};
    for (idempotency, effect, statuses, captures) in [
        (Frozen, false, [500, 500, 200], 1),
        (Frozen, true, [500, 500, 200], 1),
        (OnlySuccess, false, [500, 200, 200], 1),
        (Ignored, false, [500, 200, 200], 1),
    ] {
        let mut world = World::with(Settings { idempotency, ..Settings::default() });
        let order = world.order("1.00");
        let script = if effect { Script::captured_but(500) } else { Script::status(500) };
        world.sandbox.script(script.stored());
        let first = respond(world.capture(order, 1, "1.00"));
        let second = respond(world.capture(order, 1, "1.00"));
        let third = world.captured(order, 2, "1.00");
        let found = [first.status().as_u16(), second.status().as_u16(), third.0];
        assert_eq!(found, statuses, "{idempotency:?}");
        if statuses[1] == 500 {
            assert_eq!(first.body(), second.body(), "byte for byte");
        }
        assert_eq!(world.captures(order), captures, "{idempotency:?} {effect}");
        let replays: Vec<_> = world.sandbox.transcript().map(|seen| seen.replayed).collect();
        assert_eq!(replays, [false, false, statuses[1] == 500, false]);
    }
    // What never reaches execution is answered as ever, and leaves no trace.
    let mut world = World::new();
    let order = world.order("1.00");
    world.sandbox.script(Script::status(Answer::new(500).header("x-a", "b")).stored().times(2));
    let token = std::mem::take(&mut world.token);
    assert_eq!(world.captured(order, 1, "1.00").0, 401);
    world.token = token;
    for _ in 0..2 {
        assert_eq!(respond(world.capture(order, 1, "1.00")).headers()["x-a"], "b");
    }
}

#[test]
fn rules_by_number_and_by_dice() {
    let mut world = World::new();
    let order = world.order("1.00");
    let script =
        Script::from_json(r#"{"rules":[{"on":{"request":3},"do":{"status":500,"effect":false}}]}"#);
    world.sandbox.script(script.unwrap());
    let statuses = [0; 4].map(|_| world.captured(order, 1, "1.00").0);
    assert_eq!(statuses, [200, 500, 200, 200], "the login was the first");

    let mut run = |seed, percent| {
        world.sandbox.clear_script();
        world.sandbox.script(Script::status(503).times(u32::MAX).percent(percent).seed(seed));
        (0..1000).map(|_| world.captured(order, 1, "1.00").0 == 503).collect::<Vec<_>>()
    };
    let first = run(7, 25);
    assert_eq!(first, run(7, 25), "the same seed, the same faults");
    assert_ne!(first, run(8, 25));
    let hits = first.iter().filter(|hit| **hit).count();
    assert!((200..300).contains(&hits), "{hits}");
    assert!(run(7, 100).iter().all(|hit| *hit));
}
