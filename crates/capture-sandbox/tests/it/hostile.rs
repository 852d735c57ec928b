//! Malformed requests and scripts always get an answer, and the same one again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use capture_sandbox::{Action, Sandbox, Script, Settings};
use http::{Method, Request};

use crate::world::{World, capture_body};

/// A small generator, so that each run is the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// Requests that are nearly right.
fn requests(world: &mut World, count: usize) -> Vec<Request<Bytes>> {
    let order = world.order("1.00");
    let capture = capture_body(order, 1, "1.00");
    let evaluate = format!(
        r#"{{"idempotencyKey":"{order}","transactionType":"authorization","transaction":{{"amount":1,"currency":"USD"}}}}"#
    );
    let good = [
        (Method::POST, "/v1/capture".to_owned(), capture),
        (Method::POST, "/v1/evaluate".to_owned(), evaluate),
        (Method::POST, format!("/v1/orders/{order}/cancel"), "{}".to_owned()),
        (Method::GET, "/v1/orders?status=5&pageSize=3".to_owned(), String::new()),
        (
            Method::POST,
            "/v1/oauth2/token".to_owned(),
            r#"{"AppKey":"a","AppSecret":"b"}"#.to_owned(),
        ),
        (
            Method::POST,
            "/_sandbox/orders".to_owned(),
            r#"{"amount":1,"currency":"USD"}"#.to_owned(),
        ),
        (
            Method::POST,
            "/_sandbox/script".to_owned(),
            r#"{"rules":[{"do":{"delay_ms":5}}]}"#.to_owned(),
        ),
        (
            Method::POST,
            "/_sandbox/claims".to_owned(),
            format!(r#"{{"order":"{order}","outcome":"unknown","by":"x"}}"#),
        ),
        (Method::GET, "/_sandbox/audit".to_owned(), String::new()),
        (
            Method::GET,
            "/v1/orders?from=2023-11-14&to=2023-11-15&sort=desc".to_owned(),
            String::new(),
        ),
        (Method::POST, "/_sandbox/clock".to_owned(), r#"{"advance_seconds":1}"#.to_owned()),
    ];
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let mut made = Vec::new();
    while made.len() < count {
        let (method, path, body) = &good[dice.below(good.len())];
        let mut path = path.clone().into_bytes();
        let mut body = body.clone().into_bytes();
        for _ in 0..dice.below(3) {
            if !body.is_empty() {
                let place = dice.below(body.len());
                match dice.below(3) {
                    0 => body[place] = u8::try_from(dice.below(256)).unwrap(),
                    1 => drop(body.remove(place)),
                    _ => body.truncate(place),
                }
            }
        }
        if dice.below(4) == 0 {
            let place = dice.below(path.len());
            path[place] = u8::try_from(dice.below(256)).unwrap();
        }
        let Ok(uri) = http::Uri::try_from(path) else {
            continue;
        };
        let mut request = world.request(method.clone(), "/", "");
        *request.uri_mut() = uri;
        *request.body_mut() = body.into();
        made.push(request);
    }
    made
}

#[test]
fn malformed_requests_get_answers_that_repeat() {
    let mut world = World::with(Settings {
        token_lifetime: Duration::from_secs(30 * 24 * 3600), // the clock is among what is moved
        ..Settings::default()
    });
    let requests = requests(&mut world, 30_000);
    let run = |mut sandbox: Sandbox, now: SystemTime| -> Vec<String> {
        let answer = |request| match sandbox.handle(request, now).action {
            Action::Respond(response) => {
                assert!(!response.status().is_informational());
                format!("{response:?}")
            }
            other => panic!("nobody asked for {other:?}"),
        };
        requests.iter().map(answer).collect()
    };
    let first = run(world.sandbox.clone(), world.now);
    assert_eq!(first, run(world.sandbox.clone(), world.now));
    for status in ["200", "201", "400", "404", "409"] {
        let count =
            first.iter().filter(|reply| reply.contains(&format!("status: {status}"))).count();
        assert!(count > 50, "{status}: {count}");
    }
}

#[test]
fn malformed_scripts_are_refused_or_obeyed() {
    let written = r#"{"seed":1,"rules":[{"on":{"operation":"capture","percent":99},"times":3,"do":{"effect":true,"stored":true,"status":200,"headers":{"x-a":"b"},"body":{"hex":"7b7d","times":9},"members":"upper","truncate":9,"framing":"trailers","drip":{"bytes":9,"every_ms":9},"delay_ms":9,"reset":"mid-body"}},{"do":{"raw":"x","hang":"after-reply","effect":false}},{"do":{"close":"before-reading"}},{"do":{"content_length":9,"members":"lower"}}]}"#;
    assert!(Script::from_json(written).is_ok());
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut obeyed, mut refused) = (0, 0);
    for _ in 0..5_000 {
        let mut bytes = written.as_bytes().to_vec();
        for _ in 0..=dice.below(2) {
            let place = dice.below(bytes.len());
            match dice.below(3) {
                0 => bytes[place] = b"0129ax\"{}[],:-"[dice.below(14)],
                1 => drop(bytes.remove(place)),
                _ => bytes.insert(place, b'9'),
            }
        }
        let Ok(script) = Script::from_json(&String::from_utf8(bytes).unwrap()) else {
            refused += 1;
            continue;
        };
        obeyed += 1;
        let mut world = World::new();
        let order = world.order("1.00");
        world.sandbox.script(script);
        for _ in 0..4 {
            let _ = world.capture(order, 1, "1.00");
        }
        assert!(world.captures(order) <= 1);
    }
    assert!(obeyed > 50 && refused > 300, "{obeyed} {refused}");
}

#[test]
fn another_seed_gives_other_ids() {
    let order = |seed| {
        let settings = Settings { seed, ..Settings::default() };
        World::with(settings).order("1.00")
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
}

#[test]
fn any_time_is_accepted() {
    let far = Duration::from_secs(u64::MAX >> 2);
    for now in [
        UNIX_EPOCH,
        UNIX_EPOCH - Duration::from_secs(1),
        UNIX_EPOCH.checked_sub(far).unwrap_or(UNIX_EPOCH),
        UNIX_EPOCH.checked_add(far).unwrap_or(UNIX_EPOCH),
    ] {
        let mut world = World::new();
        world.now = now;
        let order = world.order("1.00");
        world.sandbox.script(Script::delayed(Duration::from_secs(9)));
        let _ = world.capture(order, 1, "1.00");
        assert_eq!(world.get("/v1/orders").headers()["date"].len(), 29);
    }
}
