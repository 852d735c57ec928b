//! Capture's own work: bytes out, bytes in, one whole capture through the machine.

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capture_core::driver::{Now, Step, Verdict};
use capture_core::{Credentials, Outcome, Policy, wire};

use crate::benchmark::Benchmark;
use crate::inputs;

pub fn benchmarks() -> Vec<Benchmark> {
    let (api, token, capture) = (inputs::api(), inputs::token(), inputs::capture());
    let body_of_first = wire::capture::body(&capture);
    let mut buffer = Vec::with_capacity(256);
    let credentials = Credentials::new("key-0123456789", "secret-0123456789").expect("credentials");
    let granted = reply(&inputs::grant());

    let encode = {
        let (api, token) = (api.clone(), token.clone());
        move || {
            drop(black_box(wire::capture::request(
                &api,
                &token,
                wire::capture::body(black_box(&capture)),
            )))
        }
    };
    let body = move || {
        buffer.clear();
        wire::capture::encode(black_box(&capture), &mut buffer);
        black_box(&buffer);
    };
    let retry = {
        let (api, token) = (api.clone(), token.clone());
        move || drop(black_box(wire::capture::request(&api, &token, body_of_first.clone())))
    };
    let login = {
        let api = api.clone();
        move || {
            drop(black_box(wire::token::request(&api, &credentials)));
            drop(black_box(wire::token::read_reply(black_box(&granted))));
        }
    };
    let mut benchmarks = vec![
        Benchmark::new("encode", "encode one capture request", encode),
        Benchmark::new("body", "encode the body into a caller's buffer", body),
        Benchmark::new("retry", "the same request again, for a retry", retry),
    ];
    let large = inputs::large(inputs::UNKNOWN);
    for (name, title, text) in [
        ("read-small", "read the documented reply", inputs::SMALL.to_owned()),
        ("read-large", "read the large reply", large),
        ("read-20-unknown", "the same with 20 unknown members", inputs::large(20)),
        ("read-200-unknown", "the same with 200 unknown members", inputs::large(200)),
    ] {
        let response = reply(&text);
        benchmarks.push(Benchmark::new(name, title, move || {
            drop(black_box(wire::capture::Reply::read(black_box(response.body()))));
        }));
    }
    let judged = reply(inputs::SMALL);
    benchmarks.push(Benchmark::new("verdict", "say what the documented reply proves", move || {
        drop(black_box(Verdict::of(&capture, black_box(&judged))));
    }));
    let captured = reply(inputs::SMALL);
    benchmarks.push(Benchmark::new(
        "machine",
        "one whole capture through the machine",
        move || {
            let now = Now::new(Duration::ZERO, SystemTime::now());
            let mut step = capture.start(&api, &Policy::default(), now);
            let outcome = loop {
                step = match step {
                    Step::Authorize(need) => need.authorized(token.clone(), now),
                    Step::Send(request, sent) => {
                        drop(black_box(request));
                        sent.received(captured.clone(), now)
                    }
                    Step::Wait(delay, waiting) => waiting.elapsed(now + delay),
                    Step::Done(outcome) => break outcome,
                };
            };
            assert!(matches!(black_box(outcome), Outcome::Captured(_)));
        },
    ));
    benchmarks.push(Benchmark::new("login", "build a login and read its reply", login));
    benchmarks
}

fn reply(body: &str) -> wire::Response {
    let mut response = http::Response::new(Bytes::copy_from_slice(body.as_bytes()));
    let json = http::HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}
