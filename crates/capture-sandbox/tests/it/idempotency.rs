//! What a repeated key gets under each setting.

use std::time::Duration;

use capture_sandbox::{Idempotency, Script, Settings};

use crate::world::{World, respond};

const DAY: u64 = 24 * 60 * 60;

fn world(idempotency: Idempotency) -> World {
    World::with(Settings {
        idempotency,
        window: Duration::from_secs(30 * DAY),
        token_lifetime: Duration::from_secs(30 * DAY),
        ..Settings::default()
    })
}

#[test]
fn the_same_key_within_a_day() {
    use Idempotency::{Frozen, Ignored, OnlySuccess};
    for (idempotency, repeated, after_a_day) in [
        (Frozen, "SUCCESS", "FAILED"),
        (OnlySuccess, "SUCCESS", "FAILED"),
        (Ignored, "FAILED", "FAILED"),
    ] {
        let mut world = world(idempotency);
        let order = world.order("1.00");
        let first = respond(world.capture(order, 1, "1.00"));
        world.wait(DAY - 1);
        let second = respond(world.capture(order, 1, "1.00"));
        assert_eq!(second.body() == first.body(), repeated == "SUCCESS");
        assert_eq!(world.captured(order, 1, "1.00").1, repeated, "{idempotency:?}");
        world.wait(1);
        assert_eq!(world.captured(order, 1, "1.00").1, after_a_day, "{idempotency:?}");
        assert_eq!(world.captures(order), 1);
    }
}

#[test]
fn errors_are_kept_or_not() {
    use Idempotency::{Frozen, Ignored, OnlySuccess};
    for (idempotency, expect) in [(Frozen, 409), (OnlySuccess, 200), (Ignored, 200)] {
        let mut world = world(idempotency);
        let mut elsewhere = World::with(Settings { seed: 1, ..Settings::default() });
        let (order, missing) = (world.order("1.00"), elsewhere.order("1.00"));
        let first = respond(world.capture(missing, 1, "1.00"));
        let second = respond(world.capture(missing, 1, "1.00"));
        assert_eq!((first.status().as_u16(), second.status().as_u16()), (404, 404));
        // Each execution draws a trace id of its own.
        assert_eq!(first.body() == second.body(), idempotency == Frozen);
        // Is the key taken? It is if the error was kept under it.
        assert_eq!(world.captured(order, 1, "1.00").0, expect, "{idempotency:?}");
    }
}

#[test]
fn another_payload_under_the_same_key_is_a_conflict() {
    let mut world = world(Idempotency::Frozen);
    let (order, other) = (world.order("1.00"), world.order("1.00"));
    assert_eq!(world.captured(order, 1, "1.00"), (200, "SUCCESS".into()));
    assert_eq!(world.captured(order, 1, "2.00").0, 409);
    assert_eq!(world.captured(other, 1, "1.00").0, 409);
    assert_eq!(world.captures(other), 0);
    // The meaning counts, not the spelling.
    let spelled = crate::world::capture_body(order, 1, "1.00").replace(',', " ,\n ");
    assert_eq!(world.post("/v1/capture", &spelled).status(), 200);
    world.wait(DAY);
    assert_eq!(world.captured(other, 1, "1.00"), (200, "SUCCESS".into()));
}

#[test]
fn a_repetition_gets_409_while_the_first_request_runs() {
    for idempotency in [Idempotency::Frozen, Idempotency::OnlySuccess] {
        let mut world = world(idempotency);
        let order = world.order("1.00");
        world.sandbox.script(Script::delayed(Duration::from_secs(10)));
        let first = world.capture(order, 1, "1.00");
        assert_eq!(first.delay, Duration::from_secs(10));
        world.wait(9);
        assert_eq!(world.captured(order, 1, "1.00").0, 409);
        assert_eq!(world.captured(order, 2, "1.00").1, "FAILED", "another key, another request");
        world.wait(1);
        let second = respond(world.capture(order, 1, "1.00"));
        assert_eq!(second.body(), respond(first).body());
        assert_eq!(world.captures(order), 1);
    }
}

#[test]
fn each_operation_has_its_own_keys() {
    let mut world = world(Idempotency::Frozen);
    let order = world.order("1.00");
    assert_eq!(world.captured(order, 1, "1.00").0, 200);
    let body = format!(r#"{{"idempotencyKey":"{}"}}"#, crate::world::key(1));
    let reply = world.post(&format!("/v1/orders/{order}/cancel"), &body);
    assert_eq!(reply.status(), 400, "executed, and refused for the order's status");
}
