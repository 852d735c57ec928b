//! What a capture holds and stores is bounded, whatever the server says: what was written can be read.

use std::num::NonZeroU32;
use std::time::Duration;

use capture_core::driver::{Now, Step, TransportError};
use capture_core::wire::Response;
use capture_core::{Attempt, Outcome, Policy, Ticket};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{api, base, capture, cases, reply, token};

/// A text that is as long as it can be where it is shown: the cut is by characters, and JSON escapes
/// some of them.
const LONG: [&str; 5] = ["\u{1f4b0}", "\u{e0001}", "\u{0}", "\\", "\""];

fn long(kind: usize) -> String {
    LONG[kind % LONG.len()].repeat(401)
}

fn text(kind: usize) -> String {
    serde_json::to_string(&long(kind)).unwrap()
}

/// What a hostile server or network says to one request.
fn says(kind: usize, variant: usize) -> Result<Response, TransportError> {
    let (text, id) = (text(variant), "\"".repeat(300));
    let headers = [("apigw-requestid", id.as_str()), ("location", "https://\"x\"/")];
    let entry = format!(r#"{{"message":{text},"code":{text},"field":{text}}}"#);
    let entries = |most| vec![entry.as_str(); most].join(",");
    let body = match kind % 10 {
        0 => return Err(TransportError::maybe_sent(long(variant))),
        1 => {
            let (head, _) = reply(200, &headers, "").into_parts();
            return Err(TransportError::in_reply(head.status, head.headers, long(variant)));
        }
        2 => return Err(TransportError::not_sent(long(variant))),
        3 => return Ok(reply(409, &headers, vec![b' '; 32 * 1024])),
        4 => {
            return Ok(reply(
                400,
                &headers,
                format!(r#"{{"title":"t","errors":[{}]}}"#, entries(8)),
            ));
        }
        5 => return Ok(reply(403, &headers, format!(r#"{{"message":{text}}}"#))),
        6 => return Ok(reply(401, &headers, "")),
        7 => format!(r#"{{"status":{text},"success":true}}"#),
        8 => format!(r#"{{"status":"FAILED","success":true,"errors":[{}]}}"#, entries(8)),
        _ => format!(r#"{{"id":"{}","status":5}}"#, crate::ORDER),
    };
    Ok(reply(200, &headers, body))
}

/// What a server says to captures and to lookups, each list in a circle: kinds and variants.
type Says = [Vec<(usize, usize)>; 2];

fn run(mut step: Step, mut now: Now, replies: &Says) -> (Outcome, Now) {
    let [mut captures, mut lookups] = replies.each_ref().map(|list| list.iter().cycle());
    let mut tokens = 0;
    loop {
        now += Duration::from_millis(10);
        step = match step {
            Step::Authorize(need) => {
                tokens += 1;
                need.authorized(token(&format!("token-{tokens}")), now)
            }
            Step::Send(request, sent) => {
                let is_capture = request.uri().path() == "/v1/capture";
                let list = if is_capture { &mut captures } else { &mut lookups };
                let (kind, variant) = list.next().expect("no list is empty");
                match says(*kind, *variant) {
                    Ok(reply) => sent.received(reply, now),
                    Err(error) => sent.failed(&error, now),
                }
            }
            Step::Wait(delay, waiting) => {
                now += delay;
                waiting.elapsed(now)
            }
            Step::Done(outcome) => return (outcome, now),
        };
    }
}

/// Long enough for more attempts than a record keeps.
fn patient() -> Policy {
    let deadline = Duration::from_secs(8 * 60);
    Policy::default().with_deadline(deadline).with_max_sends(NonZeroU32::MAX)
}

/// The outcome after this many runs, each the resumption of the one before.
fn outcome(replies: &Says, policy: &Policy, runs: usize) -> Outcome {
    let (mut outcome, mut now) = run(capture().start(&api(), policy, base()), base(), replies);
    for _ in 1..runs {
        let Outcome::Unknown(ticket) = outcome else { break };
        (outcome, now) = run(ticket.resume(&api(), policy, now), now, replies);
    }
    outcome
}

/// What is stored is read again, and is not too long to be read; returns its length.
fn check(outcome: &Outcome) -> usize {
    let json = serde_json::to_string(outcome).unwrap();
    assert!(json.len() < Ticket::MAX_JSON, "{} bytes", json.len());
    assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), *outcome);
    let ids = outcome.attempts().iter().filter_map(|attempt| attempt.request_id.as_ref());
    assert!(ids.map(|id| id.chars().count()).all(|length| length <= 81), "80, and an ellipsis");
    let raw = outcome.attempts().iter().filter_map(Attempt::raw_reply).map(<[u8]>::len);
    assert!(raw.sum::<usize>() <= 100 * 16 * 1024);
    json.len()
}

/// Each attempt is as long as it can be, and there are as many as a record keeps.
#[test]
fn the_longest_outcome_can_be_read() {
    let mut longest = 0;
    for kind in [0, 3, 4, 7, 8] {
        for variant in 0..LONG.len() {
            // No reply first, so that a refusal ends nothing; the order waits, so it is sent again.
            let captures = [vec![(0, variant)], vec![(kind, variant); 100]].concat();
            let outcome = outcome(&[captures, vec![(9, 0)]], &patient(), 1);
            longest = longest.max(check(&outcome));
        }
    }
    assert!(longest > 200_000, "the replies of this test are no longer hostile: {longest} bytes");
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn every_outcome_can_be_read(captures in kinds(), lookups in kinds(), runs in 1..3_usize) {
        let replies = [captures, lookups];
        check(&outcome(&replies, &patient(), runs));
        check(&outcome(&replies, &Policy::default(), runs));
    }
}

fn kinds() -> impl Strategy<Value = Vec<(usize, usize)>> {
    vec((0..10_usize, 0..LONG.len()), 1..8)
}

#[test]
fn a_long_reply_is_kept_in_part_and_its_digest_is_of_the_whole() {
    let short = vec![b'x'; 16 * 1024];
    let long = [&short[..], b"y"].concat();
    for (body, digest) in [
        (short.clone(), "5e1b995161bd166670d54a83d314a7d2293b6c3d"),
        (long, "deedeeb0d2610532812fa9fb38d3dbb2716e02a4"),
    ] {
        let Step::Authorize(need) = capture().start(&api(), &Policy::default(), base()) else {
            panic!("a token is needed first");
        };
        let Step::Send(_, sent) = need.authorized(token("t"), base()) else {
            panic!("the capture is sent");
        };
        let step = sent.received(reply(409, &[], body), base());
        let attempt = &step.attempts()[0];
        assert_eq!(attempt.raw_reply(), Some(&short[..]));
        assert_eq!(attempt.reply_sha1().as_deref(), Some(digest));
        let stored = serde_json::to_value(attempt).unwrap();
        assert_eq!(stored["reply_sha1"], digest);
        let read: Attempt = serde_json::from_value(stored).unwrap();
        assert_eq!((read.raw_reply(), &read), (None, attempt));
    }
}
