//! Any sequence of replies: the machine ends, sends the same bytes, and keeps doubt.
#![no_main]

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capture_core::driver::{Api, Now, Step, TransportError};
use capture_core::{
    BearerToken, Capture, Environment, IdempotencyKey, Money, OrderId, Outcome, Policy, Reason, TokenError,
};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Answer {
    Reply(u16, Option<u8>, Vec<u8>),
    Usual(u8),
    NotSent(bool),
    MaybeSent,
    Cut(u16),
    Denied(bool),
    SameToken,
    Late(u16),
}

const USUAL: [(u16, &str); 10] = [
    (200, r#"{"status":"SUCCESS","success":true}"#),
    (200, r#"{"status":"FAILED","success":true}"#),
    (200, r#"{"status":"PROCESSING","success":true}"#),
    (400, r#"{"TraceId":["t"],"Amount":["m"]}"#),
    (401, ""),
    (409, ""),
    (429, ""),
    (503, ""),
    (200, r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":5}"#),
    (200, r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":2}"#),
];

fuzz_target!(|answers: Vec<Answer>| {
    let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
    let capture = Capture::new(order, Money::parse("1.00", "USD").unwrap(), IdempotencyKey::for_order(order));
    let api = Api::new(&Environment::Sandbox);
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let mut now = Now::new(Duration::ZERO, wall);
    let mut step = capture.start(&api, &Policy::default(), now);
    let (mut answers, mut body, mut doubted, mut steps) = (answers.into_iter(), None, false, 0);
    let outcome = loop {
        steps += 1;
        assert!(steps < 4_000, "it ends");
        doubted |= step.progress().is_some_and(|progress| progress.doubt.is_some());
        let answer = answers.next().unwrap_or(Answer::MaybeSent);
        if let Answer::Late(seconds) = answer {
            now += Duration::from_secs(u64::from(seconds));
        }
        step = match step {
            Step::Authorize(need) => match answer {
                Answer::Denied(true) => need.no_token(TokenError::Credentials(400), now),
                Answer::Denied(false) => {
                    need.no_token(TokenError::Unavailable { why: "x".into(), retry_after: None }, now)
                }
                Answer::SameToken => need.authorized(BearerToken::new("same").unwrap(), now),
                _ => need.authorized(BearerToken::new(&format!("token-{steps}")).unwrap(), now),
            },
            Step::Send(request, open) => {
                if request.method() == http::Method::POST {
                    assert_eq!(body.get_or_insert_with(|| request.body().clone()), request.body());
                }
                match answer {
                    Answer::Reply(status, retry_after, body) => match reply(status, retry_after, body) {
                        Some(reply) => open.received(reply, now),
                        None => open.failed(&TransportError::maybe_sent("x"), now),
                    },
                    Answer::Usual(which) => {
                        let (status, body) = USUAL[usize::from(which) % USUAL.len()];
                        open.received(reply(status, None, body.into()).unwrap(), now)
                    }
                    Answer::NotSent(false) => open.failed(&TransportError::not_sent("x"), now),
                    Answer::NotSent(true) => open.failed(&TransportError::cannot_be_sent("x"), now),
                    Answer::Cut(status) => match http::StatusCode::from_u16(status) {
                        Ok(status) => open.failed(&TransportError::in_reply(status, Default::default(), "x"), now),
                        Err(_) => open.failed(&TransportError::maybe_sent("x"), now),
                    },
                    _ => open.failed(&TransportError::maybe_sent("x"), now),
                }
            }
            Step::Wait(delay, open) => {
                now += delay;
                open.elapsed(now)
            }
            Step::Done(outcome) => break outcome,
        };
    };
    if let (Outcome::NotCaptured(refusal), true) = (&outcome, doubted) {
        assert_eq!(*refusal.reason(), Reason::OrderCancelled);
    }
});

fn reply(status: u16, retry_after: Option<u8>, body: Vec<u8>) -> Option<capture_core::wire::Response> {
    let mut response = http::Response::new(Bytes::from(body));
    *response.status_mut() = http::StatusCode::from_u16(status).ok()?;
    if let Some(retry_after) = retry_after {
        response.headers_mut().insert("retry-after", u16::from(retry_after).into());
    }
    Some(response)
}
