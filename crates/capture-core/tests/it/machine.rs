//! How a capture ends: scripted replies in, outcome and trace out. `docs/architecture.md`
//! explains the notation of the traces (Testing).

use std::num::NonZeroU32;
use std::time::Duration;

use capture_core::driver::Step;
use capture_core::{Barred, Obstacle, Outcome, Phase, Policy, Resend, Ticket};

use crate::driver::Login::{Denied, Fresh, Same, Unavailable};
use crate::driver::Say::{self, Cut, Lost, NeverSent, NotSent, Reply};
use crate::driver::{Login, Replies, Run, drive};
use crate::{api, base, capture, token, wall};

const SUCCESS: Say = Reply(200, &[], r#"{"status":"SUCCESS","success":true}"#);
const FAILED: Say = Reply(200, &[], r#"{"status":"FAILED","success":true,"errors":["m"]}"#);
const NEW_WORD: Say = Reply(200, &[], r#"{"status":"SUBMITTED","success":true}"#);
const CONTRADICTION: Say = Reply(200, &[], r#"{"status":"SUCCESS","success":false}"#);
const FOREIGN_SUCCESS: Say = Reply(
    200,
    &[],
    r#"{"status":"SUCCESS","success":true,"orderId":"11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81"}"#,
);
const HTML: Say = Reply(200, &[("content-type", "text/html")], "<html>");
const ACCEPTED: Say = Reply(202, &[], "");
const REDIRECT: Say = Reply(307, &[("location", "https://api.flexfactor.io/v1/capture")], "");
const BAD_REQUEST: Say = Reply(400, &[], r#"{"TraceId":["t"],"Amount":["m"]}"#);
const UNAUTHORIZED: Say = Reply(401, &[], "");
const NOT_FOUND: Say = Reply(404, &[], r#"{"title":"Not Found","status":404}"#);
const NO_ROUTE: Say = Reply(404, &[], r#"{"message":"Not Found"}"#);
const UNAUTHORIZED_HTML: Say = Reply(401, &[("content-type", "text/html")], "<html>");
const FORBIDDEN: Say = Reply(403, &[], r#"{"message":"Forbidden"}"#);
const USED: Say =
    Reply(409, &[], r#"{"status":409,"title":"The key was used with another payload"}"#);
const BUSY: Say = Reply(409, &[], "");
const TOO_EARLY: Say = Reply(425, &[], "");
const MISDIRECTED: Say = Reply(421, &[], "");
const SLOW_DOWN: Say = Reply(429, &[], "");
const IN_5_S: Say = Reply(429, &[("retry-after", "5")], "");
const IN_AN_HOUR: Say = Reply(429, &[("retry-after", "3600")], "");
const ERROR: Say = Reply(500, &[], "");
const DOWN_5_S: Say = Reply(503, &[("retry-after", "5")], r#"{"message":"Service Unavailable"}"#);
const DOWN_AN_HOUR: Say = Reply(503, &[("retry-after", "3600")], "");
const CUT: Say = Cut(200, &[]);

const fn order(body: &'static str) -> Say {
    Reply(200, &[], body)
}
const CANCELLED: Say = order(r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":2}"#);
const PROBLEM: Say = order(r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":3}"#);
const PROCESSING: Say = order(r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":4}"#);
const WAITING: Say = order(r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":5}"#);
const RETURNED: Say = order(r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":6}"#);
const COMPLETED: Say = order(r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7}"#);
const NEW_STATUS: Say = order(r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":8}"#);
const FOREIGN: Say = order(r#"{"id":"11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7}"#);
const NO_ID: Say = order(r#"{"status":7}"#);

/// Replies to captures, to lookups and to logins (none: fresh tokens), and the line of the run.
type Row = (&'static [Say], &'static [Say], &'static [Login], &'static str);

fn run(policy: &Policy, (captures, lookups, logins, _): &Row) -> Run {
    let start = base();
    let mut script = Replies::new(captures, lookups, logins);
    drive(capture().start(&api(), policy, start), start, &mut script)
}

fn check(policy: &Policy, rows: &[Row]) {
    for row in rows {
        let run = run(policy, row);
        assert_eq!(run.line(), row.3, "{row:?}");
        let recorded: Vec<_> = run.outcome.attempts().iter().map(|made| made.operation).collect();
        assert_eq!(recorded, run.recorded(), "the record is complete");
        assert_eq!(run.outcome.capture(), &capture());
        assert!(!run.outcome.next_step().is_empty() && !run.outcome.to_string().is_empty());
    }
}

#[test]
fn decided_at_once() {
    check(
        &Policy::default(),
        &[
            (&[SUCCESS], &[], &[], "captured reply: A C"),
            (&[NotSent, SUCCESS], &[], &[], "captured reply: A C C"),
            (&[MISDIRECTED, SUCCESS], &[], &[], "captured reply: A C C"),
            (&[NotSent], &[], &[], "not_captured never_sent: A C+"),
            (&[MISDIRECTED], &[], &[], "not_captured never_sent: A C+"),
            (&[NeverSent], &[], &[], "not_captured never_sent: A C"),
            (&[NotSent, NeverSent], &[], &[], "not_captured never_sent: A C C"),
        ],
    );
}

/// A refusal may be the echo of somebody else's capture: it counts once the order was seen waiting
/// three times in a row. Until then it is unknown.
#[test]
fn a_refusal_is_confirmed_by_the_order() {
    check(
        &Policy::default(),
        &[
            (&[FAILED], &[WAITING], &[], "not_captured declined: A C L+"),
            (&[FAILED], &[WAITING, COMPLETED], &[], "captured order_status: A C L L"),
            (&[FAILED], &[WAITING, WAITING, COMPLETED], &[], "captured order_status: A C L+"),
            (&[FAILED], &[PROCESSING], &[], "unknown unconfirmed_refusal: A C L+"),
            (&[FAILED], &[PROBLEM], &[], "unknown unconfirmed_refusal: A C L+"),
            (&[FAILED], &[NEW_STATUS], &[], "unknown unconfirmed_refusal: A C L+"),
            (&[FAILED], &[PROCESSING, COMPLETED], &[], "captured order_status: A C L L"),
            (&[FAILED], &[CANCELLED], &[], "not_captured order_cancelled: A C L"),
            (&[FAILED], &[COMPLETED], &[], "captured order_status: A C L"),
            (&[FAILED], &[RETURNED], &[], "captured refunded: A C L"),
            (&[FAILED], &[FOREIGN], &[], "unknown unconfirmed_refusal: A C L+"),
            (&[FAILED], &[NO_ID], &[], "unknown unconfirmed_refusal: A C L+"),
            (&[FAILED], &[ERROR], &[], "unknown unconfirmed_refusal: A C L+"),
            (&[FAILED], &[ERROR, COMPLETED], &[], "captured order_status: A C L L"),
            (&[FAILED], &[SLOW_DOWN], &[], "unknown unconfirmed_refusal: A C L+"),
            (&[FAILED], &[IN_AN_HOUR], &[], "unknown unconfirmed_refusal: A C L"),
            (&[FAILED], &[Lost], &[], "unknown unconfirmed_refusal: A C L+"),
            (&[FAILED], &[NeverSent], &[], "unknown unconfirmed_refusal: A C L"),
            (&[FAILED], &[UNAUTHORIZED, WAITING], &[], "not_captured declined: A C L A L+"),
            (&[FAILED], &[UNAUTHORIZED, COMPLETED], &[], "captured order_status: A C L A L"),
            (&[FAILED], &[UNAUTHORIZED], &[], "unknown unconfirmed_refusal: A C L A L L"),
            (&[FAILED], &[UNAUTHORIZED], &[Fresh, Denied], "unknown unconfirmed_refusal: A C L A"),
            (&[BAD_REQUEST], &[WAITING], &[], "not_captured rejected: A C L+"),
            (&[BAD_REQUEST], &[COMPLETED], &[], "captured order_status: A C L"),
            (&[NOT_FOUND], &[NOT_FOUND], &[], "not_captured rejected: A C L"),
            (&[NOT_FOUND], &[NO_ROUTE], &[], "unknown unconfirmed_refusal: A C L+"),
            (&[BAD_REQUEST], &[NOT_FOUND], &[], "unknown unconfirmed_refusal: A C L+"),
            (&[NotSent, FAILED], &[WAITING], &[], "not_captured declined: A C C L+"),
            (&[UNAUTHORIZED, BAD_REQUEST], &[WAITING], &[], "not_captured rejected: A C A C L+"),
        ],
    );
    let once = Policy::default().with_confirmations(NonZeroU32::MIN);
    check(
        &once,
        &[
            (&[FAILED], &[WAITING], &[], "not_captured declined: A C L"),
            (&[FAILED], &[ERROR, WAITING], &[], "not_captured declined: A C L L"),
        ],
    );
}

/// The looks come at once, after 1 s, and 4 s apart; a state other than waiting starts them anew, and a
/// look that fails counts for nothing.
#[test]
fn the_looks_that_confirm_are_spaced() {
    let policy = Policy::default().with_confirmations(NonZeroU32::new(4).unwrap());
    let waits = |lookups: &'static [Say]| {
        let start = base();
        let mut script = Replies::new(&[FAILED], lookups, &[]);
        let run = drive(capture().start(&api(), &policy, start), start, &mut script);
        assert_eq!(run.outcome.code(), "declined");
        run.waits.iter().map(Duration::as_millis).collect::<Vec<_>>()
    };
    assert_eq!(waits(&[WAITING]), [1_000, 4_000, 4_000]);
    let restarted = waits(&[WAITING, WAITING, PROCESSING, WAITING]);
    assert_eq!([&restarted[..2], &restarted[3..]].concat(), [1_000, 4_000, 1_000, 4_000, 4_000]);
    let failed = waits(&[WAITING, ERROR, WAITING]);
    assert_eq!([&failed[..1], &failed[2..]].concat(), [1_000, 4_000, 4_000]);
}

/// An unconfirmed refusal is resumed by looks alone, and confirmed by as many as a fresh one.
#[test]
fn an_unconfirmed_refusal_is_resumed() {
    let policy = Policy::default();
    let resumed = |policy: &Policy, lookups: &'static [Say]| {
        let first = run(&Policy::default(), &(&[FAILED], &[WAITING, NeverSent], &[], ""));
        let Outcome::Unknown(ticket) = first.outcome else { panic!("{:?}", first.outcome) };
        let json = serde_json::to_string(&ticket).unwrap();
        let ticket: Ticket = serde_json::from_str(&json).unwrap();
        assert_eq!(ticket.doubt().code(), "unconfirmed_refusal");
        let mut script = Replies::new(&[SUCCESS], lookups, &[]);
        drive(ticket.resume(&api(), policy, base()), base(), &mut script).line()
    };
    assert_eq!(resumed(&policy, &[WAITING]), "not_captured declined: A L+");
    assert_eq!(resumed(&policy, &[WAITING, COMPLETED]), "captured order_status: A L L");
    assert_eq!(resumed(&policy, &[PROCESSING]), "unknown unconfirmed_refusal: A L+");
    let blind = policy.with_lookup(false);
    assert_eq!(resumed(&blind, &[WAITING]), "unknown unconfirmed_refusal: ");

    // What is no refusal by the API cannot be confirmed: such a ticket is doubt like any other.
    let mut odd = serde_json::to_value(Ticket::interrupted(capture(), wall())).unwrap();
    odd["doubt"] = serde_json::json!({ "unconfirmed": { "never_sent": "m" } });
    let ticket: Ticket = serde_json::from_value(odd).unwrap();
    for (lookups, line) in [
        (&[WAITING], "captured reply: A L C"),
        (&[PROCESSING], "unknown unconfirmed_refusal: A L+"),
    ] {
        let mut script = Replies::new(&[SUCCESS], lookups, &[]);
        let run = drive(ticket.clone().resume(&api(), &policy, base()), base(), &mut script);
        assert_eq!(run.line(), line);
    }
}

/// A 409 that says that the key was used is a refusal like any other; other 409s are doubt, and end
/// early once they have come for longer than any capture takes.
#[test]
fn the_two_meanings_of_a_409() {
    check(
        &Policy::default(),
        &[
            (&[USED], &[WAITING], &[], "not_captured key_used: A C L+"),
            (&[USED], &[COMPLETED], &[], "captured order_status: A C L"),
            (&[USED], &[ERROR], &[], "unknown unconfirmed_refusal: A C L+"),
            (&[Lost, USED], &[WAITING, COMPLETED], &[], "captured order_status: A C L C L"),
        ],
    );
    let rows: [Row; 2] = [
        (&[Lost, BUSY], &[WAITING], &[], "in_progress"),
        (&[Lost, USED], &[WAITING], &[], "no_reply"),
    ];
    for row in rows {
        let (run, code) = (run(&Policy::default(), &row), row.3);
        let Outcome::Unknown(ticket) = &run.outcome else { panic!("{:?}", run.outcome) };
        assert_eq!(ticket.doubt().code(), code);
        assert_eq!(*ticket.obstacle(), Obstacle::NotSentAgain(Barred::KeyBusy));
        assert!(run.took >= Duration::from_secs(35) && run.took < Duration::from_secs(60));
        assert!(run.captures().count() < 16, "{}", run.captures().count());
    }
    // The row of 409s is broken by anything else.
    const CALM: &[Say] = &[BUSY, BUSY, BUSY, BUSY, Lost, BUSY, BUSY, BUSY, BUSY, SUCCESS];
    let run = run(&Policy::default(), &(CALM, &[WAITING], &[], ""));
    assert_eq!(run.outcome.name(), "captured");
}

#[test]
fn tokens() {
    check(
        &Policy::default(),
        &[
            (&[UNAUTHORIZED, SUCCESS], &[], &[], "captured reply: A C A C"),
            (&[UNAUTHORIZED_HTML, SUCCESS], &[], &[], "captured reply: A C A C"),
            // A fresh token that is refused is tried once more: the clock of its issuer may be ahead.
            (&[UNAUTHORIZED, UNAUTHORIZED, SUCCESS], &[], &[], "captured reply: A C A C C"),
            (&[UNAUTHORIZED], &[], &[], "not_captured unauthorized: A C A C C"),
            (&[UNAUTHORIZED, SUCCESS], &[], &[Fresh, Same], "captured reply: A C A C"),
            (&[UNAUTHORIZED], &[], &[Fresh, Same], "not_captured unauthorized: A C A C"),
            (&[FORBIDDEN, SUCCESS], &[], &[], "captured reply: A C A C"),
            (&[FORBIDDEN], &[], &[], "not_captured forbidden: A C A C C"),
            (&[UNAUTHORIZED, FORBIDDEN], &[], &[], "not_captured forbidden: A C A C C"),
            (&[Lost], &[FORBIDDEN, COMPLETED], &[], "captured order_status: A C L A L"),
            (&[Lost], &[FORBIDDEN], &[], "unknown no_reply: A C L A L+"),
            (
                &[UNAUTHORIZED, NotSent, UNAUTHORIZED, SUCCESS],
                &[],
                &[],
                "captured reply: A C A C C A C",
            ),
            (
                &[UNAUTHORIZED, SUCCESS],
                &[],
                &[Fresh, Unavailable(None), Fresh],
                "captured reply: A C A A C",
            ),
            (&[SUCCESS], &[], &[Denied], "not_captured credentials_refused: A"),
            // The last obstacle is the one to name, unless the API has decided.
            (&[UNAUTHORIZED], &[], &[Fresh, Denied], "not_captured credentials_refused: A C A"),
            (
                &[UNAUTHORIZED],
                &[],
                &[Fresh, Unavailable(Some(3600))],
                "not_captured login_unavailable: A C A",
            ),
            (
                &[FAILED],
                &[UNAUTHORIZED],
                &[Fresh, Unavailable(Some(3600))],
                "unknown unconfirmed_refusal: A C L A",
            ),
            (
                &[SUCCESS],
                &[],
                &[Unavailable(None), Unavailable(Some(5)), Fresh],
                "captured reply: A+ C",
            ),
            (&[SUCCESS], &[], &[Unavailable(Some(3600))], "not_captured login_unavailable: A"),
            (&[SUCCESS], &[], &[Unavailable(None)], "not_captured login_unavailable: A+"),
            (&[Lost], &[UNAUTHORIZED, COMPLETED], &[], "captured order_status: A C L A L"),
            (&[Lost], &[UNAUTHORIZED], &[], "unknown no_reply: A C L A L L"),
            (&[Lost], &[UNAUTHORIZED], &[Fresh, Same], "unknown no_reply: A C L A L"),
            (&[Lost], &[UNAUTHORIZED], &[Fresh, Denied], "unknown no_reply: A C L A"),
            (
                &[Lost],
                &[UNAUTHORIZED, COMPLETED],
                &[
                    Fresh,
                    Unavailable(None),
                    Unavailable(None),
                    Unavailable(None),
                    Unavailable(None),
                    Fresh,
                ],
                "captured order_status: A C L A+ L",
            ),
            (&[Lost, UNAUTHORIZED, SUCCESS], &[WAITING], &[], "captured reply: A C L C A C"),
            (&[Lost, UNAUTHORIZED], &[WAITING], &[], "unknown no_reply: A C L C A C C"),
        ],
    );
}

#[test]
fn waiting_for_the_server() {
    check(
        &Policy::default(),
        &[
            (&[SLOW_DOWN, SUCCESS], &[], &[], "captured reply: A C C"),
            (&[IN_5_S, IN_5_S, SUCCESS], &[], &[], "captured reply: A C+"),
            (&[SLOW_DOWN], &[], &[], "not_captured throttled: A C+"),
            (&[IN_AN_HOUR], &[], &[], "not_captured throttled: A C"),
            (&[BUSY, SUCCESS], &[WAITING], &[], "captured reply: A C L C"),
            (&[TOO_EARLY, SUCCESS], &[WAITING], &[], "captured reply: A C L C"),
            (
                &[BUSY, BUSY, BUSY, BUSY, BUSY, SUCCESS],
                &[WAITING],
                &[],
                "captured reply: A C L C L C L C L C L C",
            ),
            (&[BUSY], &[COMPLETED], &[], "captured order_status: A C L"),
            (&[BUSY], &[CANCELLED], &[], "not_captured order_cancelled: A C L"),
            (&[BUSY], &[PROCESSING], &[], "unknown in_progress: A C L+"),
            (&[DOWN_5_S], &[COMPLETED], &[], "captured order_status: A C L"),
            (&[DOWN_5_S, FAILED], &[WAITING], &[], "unknown undecided_status: A C L C L C L C L+"),
            (&[DOWN_AN_HOUR], &[], &[], "unknown undecided_status: A C"),
        ],
    );
}

/// R1, R2, R6: a request that may have been executed is settled by evidence or not at all.
#[test]
fn doubt() {
    check(
        &Policy::default(),
        &[
            (&[Lost], &[COMPLETED], &[], "captured order_status: A C L"),
            (&[Lost], &[RETURNED], &[], "captured refunded: A C L"),
            (&[Lost], &[CANCELLED], &[], "not_captured order_cancelled: A C L"),
            (&[Lost], &[PROBLEM], &[], "unknown no_reply: A C L+"),
            (&[Lost], &[NEW_STATUS], &[], "unknown no_reply: A C L+"),
            (&[Lost], &[WAITING], &[], "unknown no_reply: A C L C L C L C L+"),
            (&[Lost, SUCCESS], &[WAITING], &[], "captured reply: A C L C"),
            (&[Lost], &[PROCESSING, WAITING, COMPLETED], &[], "captured order_status: A C L L C L"),
            (&[Lost, FAILED], &[WAITING, COMPLETED], &[], "captured order_status: A C L C L"),
            (&[Lost, FAILED], &[WAITING], &[], "unknown no_reply: A C L C L C L C L+"),
            (
                &[Lost, FAILED],
                &[WAITING, CANCELLED],
                &[],
                "not_captured order_cancelled: A C L C L",
            ),
            (&[Lost, BAD_REQUEST], &[WAITING, PROCESSING], &[], "unknown no_reply: A C L C L+"),
            (&[Lost, NOT_FOUND], &[WAITING, PROCESSING], &[], "unknown no_reply: A C L C L+"),
            (&[Lost, SLOW_DOWN], &[WAITING, COMPLETED], &[], "captured order_status: A C L C L"),
            (&[Lost, IN_AN_HOUR], &[WAITING], &[], "unknown no_reply: A C L C"),
            (&[Lost, NotSent], &[WAITING, COMPLETED], &[], "captured order_status: A C L C L"),
            (&[Lost, NeverSent], &[WAITING], &[], "unknown no_reply: A C L C"),
            (&[Lost, MISDIRECTED], &[WAITING, COMPLETED], &[], "captured order_status: A C L C L"),
            (&[NotSent, Lost], &[COMPLETED], &[], "captured order_status: A C C L"),
            (&[Lost], &[NotSent, COMPLETED], &[], "captured order_status: A C L L"),
            (&[Lost], &[NeverSent], &[], "unknown no_reply: A C L"),
            (
                &[Lost],
                &[ERROR, HTML, CUT, NOT_FOUND, NO_ROUTE, FOREIGN, NO_ID, COMPLETED],
                &[],
                "captured order_status: A C L+",
            ),
            (&[Lost], &[FOREIGN], &[], "unknown no_reply: A C L+"),
            (&[Lost], &[SUCCESS], &[], "unknown no_reply: A C L+"),
            (&[Lost], &[IN_AN_HOUR], &[], "unknown no_reply: A C L"),
        ],
    );
}

#[test]
fn every_other_reply_to_a_capture_is_doubt() {
    check(
        &Policy::default(),
        &[
            (&[CUT], &[PROBLEM], &[], "unknown cut_reply: A C L+"),
            (&[ACCEPTED], &[PROBLEM], &[], "unknown undecided_status: A C L+"),
            (&[ERROR], &[PROBLEM], &[], "unknown undecided_status: A C L+"),
            (&[NO_ROUTE], &[PROBLEM], &[], "unknown undecided_status: A C L+"),
            (&[REDIRECT], &[PROBLEM], &[], "unknown redirect: A C L+"),
            (&[HTML], &[PROBLEM], &[], "unknown unreadable_reply: A C L+"),
            (&[NEW_WORD], &[PROBLEM], &[], "unknown undecided_word: A C L+"),
            (&[CONTRADICTION], &[PROBLEM], &[], "unknown contradiction: A C L+"),
            (&[FOREIGN_SUCCESS], &[PROBLEM], &[], "unknown foreign_order: A C L+"),
            (&[COMPLETED], &[PROBLEM], &[], "unknown unreadable_reply: A C L+"),
            (&[ACCEPTED], &[PROCESSING, COMPLETED], &[], "captured order_status: A C L L"),
        ],
    );
}

#[test]
fn never_resend() {
    check(
        &Policy::default().with_resend(Resend::Never),
        &[
            (&[Lost], &[WAITING], &[], "unknown no_reply: A C L+"),
            (&[Lost], &[WAITING, COMPLETED], &[], "captured order_status: A C L L"),
            (&[BUSY], &[WAITING, COMPLETED], &[], "captured order_status: A C L L"),
            (&[NotSent, SUCCESS], &[], &[], "captured reply: A C C"),
            (&[SLOW_DOWN, SUCCESS], &[], &[], "captured reply: A C C"),
            (&[UNAUTHORIZED, SUCCESS], &[], &[], "captured reply: A C A C"),
        ],
    );
}

#[test]
fn without_lookups() {
    let policy = Policy::default().with_lookup(false);
    check(
        &policy,
        &[
            (&[FAILED], &[], &[], "not_captured declined: A C"),
            (&[BAD_REQUEST], &[], &[], "not_captured rejected: A C"),
            (&[Lost, SUCCESS], &[], &[], "captured reply: A C C"),
            (&[Lost, FAILED], &[], &[], "unknown no_reply: A C+"),
            (&[Lost], &[], &[], "unknown no_reply: A C+"),
            (&[BUSY, BUSY, BUSY, BUSY, BUSY, SUCCESS], &[], &[], "captured reply: A C+"),
        ],
    );
    check(
        &policy.with_resend(Resend::Never),
        &[
            (&[Lost], &[], &[], "unknown no_reply: A C"),
            (&[BUSY], &[], &[], "unknown in_progress: A C"),
        ],
    );
}

#[test]
fn sends_and_time_are_bounded() {
    check(
        &Policy::default().with_max_sends(NonZeroU32::MIN),
        &[
            (&[Lost], &[WAITING], &[], "unknown no_reply: A C L+"),
            (&[NotSent], &[], &[], "not_captured never_sent: A C"),
            (&[SLOW_DOWN], &[], &[], "not_captured throttled: A C"),
            (&[BUSY, SUCCESS], &[WAITING], &[], "captured reply: A C L C"),
            (&[UNAUTHORIZED, SUCCESS], &[], &[], "captured reply: A C A C"),
            (&[UNAUTHORIZED], &[], &[], "not_captured unauthorized: A C A C C"),
            (&[FORBIDDEN, SUCCESS], &[], &[], "captured reply: A C A C"),
        ],
    );
    check(
        &Policy::default().with_deadline(Duration::ZERO),
        &[
            (&[SUCCESS], &[], &[], "captured reply: A C"),
            (&[FAILED], &[], &[], "unknown unconfirmed_refusal: A C"),
            (&[NotSent], &[], &[], "not_captured never_sent: A C"),
            (&[Lost], &[], &[], "unknown no_reply: A C"),
            (&[SUCCESS], &[], &[Unavailable(None)], "not_captured login_unavailable: A"),
        ],
    );
    let logins = |policy: &Policy| run(policy, &(&[], &[], &[Unavailable(None)], "")).logins();
    assert_eq!(logins(&Policy::default()), 4);
    assert_eq!(logins(&Policy::default().with_max_sends(NonZeroU32::MIN)), 1);
    let sends = |captures, lookups| {
        let run = run(&Policy::default(), &(captures, lookups, &[], ""));
        assert!(run.took <= Policy::default().deadline(), "{run:?}");
        run.captures().count()
    };
    assert_eq!(sends(&[Lost], &[WAITING]), 4);
    assert_eq!(sends(&[CUT], &[WAITING]), 4);
    assert_eq!(sends(&[NotSent], &[]), 4);
    assert_eq!(sends(&[SLOW_DOWN], &[]), 4);
    assert!(sends(&[BUSY], &[WAITING]) > 10, "409 costs time, not sends");
}

/// A wait is as long as the server asks where that makes sense, else by backoff.
#[test]
fn waits_follow_retry_after_or_backoff() {
    const DATE: (&str, &str) = ("date", "Tue, 01 Sep 2026 10:00:00 GMT");
    const LATER: (&str, &str) = ("date", "Tue, 01 Sep 2026 11:00:00 GMT");
    const DATED: (&str, &str) = ("retry-after", "Tue, 01 Sep 2026 10:00:09 GMT");
    let first_backoff = (0.5, 1.0);
    let rows: [(&'static [Say], _); 13] = [
        (&[Reply(429, &[("retry-after", "60")], ""), SUCCESS], (60.0, 60.0)),
        (&[Reply(503, &[("retry-after", "7")], "")], (7.0, 7.0)),
        (&[Reply(429, &[DATE, DATED], ""), SUCCESS], (9.0, 9.0)),
        (&[Reply(429, &[DATED], ""), SUCCESS], first_backoff),
        (&[Reply(429, &[LATER, DATED], ""), SUCCESS], first_backoff),
        (&[Reply(429, &[("retry-after", "-5")], ""), SUCCESS], first_backoff),
        (&[Reply(429, &[("retry-after", "0")], ""), SUCCESS], first_backoff),
        (&[Reply(429, &[("retry-after", "soon")], ""), SUCCESS], first_backoff),
        (&[Reply(429, &[("retry-after", "5"), ("retry-after", "6")], ""), SUCCESS], first_backoff),
        (&[SLOW_DOWN, SUCCESS], first_backoff),
        (&[Cut(503, &[("retry-after", "7")])], (7.0, 7.0)),
        (&[Lost], first_backoff),
        (&[NotSent, SUCCESS], first_backoff),
    ];
    for (captures, (least, most)) in rows {
        let run = run(&Policy::default(), &(captures, &[COMPLETED], &[], ""));
        let wait = run.waits[0].as_secs_f64();
        assert!((least..=most).contains(&wait), "{captures:?}: {wait}");
    }
}

/// A wait beyond a minute, or beyond the deadline, is handed back to the caller.
#[test]
fn a_long_wait_is_handed_back() {
    let short = Policy::default().with_deadline(Duration::from_secs(4));
    let rows: [(_, &'static [Say], _); 4] = [
        (Policy::default(), &[DOWN_AN_HOUR], 3600),
        (Policy::default(), &[Reply(503, &[("retry-after", "61")], "")], 61),
        (
            Policy::default(),
            &[Reply(503, &[("retry-after", "99999999999999999999999")], "")],
            u64::MAX,
        ),
        (short, &[DOWN_5_S], 5),
    ];
    for (policy, captures, seconds) in rows {
        let run = run(&policy, &(captures, &[], &[], ""));
        assert_eq!(run.waits, []);
        match run.outcome {
            Outcome::Unknown(ticket) => {
                assert_eq!(ticket.retry_after(), Some(Duration::from_secs(seconds)));
            }
            other => panic!("{captures:?}: {other}"),
        }
    }
    let run = run(&short, &(&[IN_5_S], &[], &[], ""));
    assert_eq!(run.line(), "not_captured throttled: A C");
    assert_eq!(run.outcome.to_string(), "not captured: the API asks to wait 5 s");
}

#[test]
fn there_is_no_wait_after_the_last_attempt() {
    let waits = |captures, lookups| {
        let run = run(&Policy::default(), &(captures, lookups, &[], ""));
        (run.line(), run.waits.len())
    };
    assert_eq!(waits(&[NotSent], &[]), ("not_captured never_sent: A C+".into(), 3));
    assert_eq!(waits(&[SLOW_DOWN], &[]), ("not_captured throttled: A C+".into(), 3));
    assert_eq!(waits(&[FAILED], &[WAITING]), ("not_captured declined: A C L+".into(), 2));
}

#[test]
fn a_driver_that_wakes_early_waits_for_the_rest() {
    let start = base();
    let mut step = capture().start(&api(), &Policy::default(), start);
    let mut now = start;
    loop {
        step = match step {
            Step::Authorize(need) => need.authorized(token("token"), now),
            Step::Send(_, open) => {
                assert_eq!(open.timeout(), Policy::default().attempt_timeout());
                open.received(SLOW_DOWN.reply().unwrap(), now)
            }
            Step::Wait(delay, open) => {
                now += delay - Duration::from_nanos(1);
                let Step::Wait(rest, open) = open.elapsed(now) else { panic!("too early") };
                assert_eq!(rest, Duration::from_nanos(1));
                assert!(matches!(open.elapsed(now + rest), Step::Authorize(_)), "it continues");
                break;
            }
            Step::Done(outcome) => panic!("{outcome:?}"),
        };
    }
}

/// A driver that ignores waits, or whose clock stands still, is told so instead of spinning forever.
#[test]
fn a_driver_that_never_waits_is_stopped() {
    for (first, code, obstacle) in [
        (SLOW_DOWN, "never_sent", None),
        (Lost, "no_reply", Some(Obstacle::Driver)),
        (FAILED, "unconfirmed_refusal", Some(Obstacle::Driver)), // and no order at the lookup
    ] {
        let (now, mut early) = (base(), 0);
        let mut step = capture().start(&api(), &Policy::default(), now);
        let outcome = loop {
            early += u32::from(matches!(step, Step::Wait(..)));
            assert!(early <= 1_000, "it is stopped");
            step = match step {
                Step::Authorize(need) => need.authorized(token("token"), now),
                Step::Send(_, open) => match first.result() {
                    Ok(reply) => open.received(reply, now),
                    Err(error) => open.failed(&error, now),
                },
                Step::Wait(_, waiting) => waiting.elapsed(now),
                Step::Done(outcome) => break outcome,
            };
        };
        assert_eq!((outcome.code(), early), (code, 1_000), "{outcome}");
        assert!(outcome.to_string().contains("the driver did not wait"), "{outcome}");
        let Outcome::Unknown(ticket) = outcome else { continue };
        assert_eq!(Some(ticket.obstacle()), obstacle.as_ref());
    }
}

/// Stopped in every phase: what may have been sent stays in doubt, and the attempts are recorded.
#[test]
fn a_stopped_capture_keeps_its_doubt_and_attempts() {
    let now = base();
    let start = || capture().start(&api(), &Policy::default(), now);
    let Step::Authorize(need) = start() else { panic!("a token first") };
    let outcome = need.clone().stop(now);
    assert_eq!((outcome.code(), outcome.attempts().len()), ("never_sent", 0));

    let Step::Send(_, sent) = need.authorized(token("token"), now) else { panic!("it sends") };
    let outcome = sent.clone().stop(now);
    assert_eq!((outcome.code(), outcome.attempts()[0].phase), ("interrupted", Phase::MaybeSent));

    let lost = Lost.result().unwrap_err();
    let Step::Wait(delay, waiting) = sent.failed(&lost, now) else { panic!("it waits") };
    let Outcome::Unknown(ticket) = waiting.clone().stop(now) else { panic!("in doubt") };
    assert_eq!((ticket.doubt().code(), ticket.obstacle()), ("no_reply", &Obstacle::Stopped));

    let Step::Send(_, looking) = waiting.elapsed(now + delay) else { panic!("it looks") };
    let Outcome::Unknown(ticket) = looking.stop(now + delay) else { panic!("in doubt") };
    assert_eq!((ticket.doubt().code(), ticket.attempts().len()), ("no_reply", 2));

    let resumed = ticket.resume(&api(), &Policy::default(), now + delay);
    let Step::Authorize(need) = resumed else { panic!("a token first") };
    let outcome = need.stop(now + delay);
    assert_eq!((outcome.attempts().len(), outcome.attempts_this_run().len()), (2, 0));
}

#[test]
fn a_resend_needs_a_permit_and_ends_without_one() {
    for (first, name, reason) in [
        (NotSent, "not_captured", "never_sent"),
        (SLOW_DOWN, "not_captured", "throttled"),
        (Lost, "unknown", "no_reply"),
        (BUSY, "unknown", "in_progress"),
    ] {
        let start = base();
        let mut step = capture().start(&api(), &Policy::default(), start);
        let (mut now, mut asked) = (start, Vec::new());
        let outcome = loop {
            step = match step {
                Step::Authorize(need) => {
                    asked.push(need.token_request().resend);
                    if need.token_request().resend {
                        need.no_permit(now)
                    } else {
                        need.authorized(token("token"), now)
                    }
                }
                Step::Send(request, open) if request.method() == "POST" => match first.result() {
                    Ok(reply) => open.received(reply, now),
                    Err(lost) => open.failed(&lost, now),
                },
                Step::Send(_, open) => open.received(WAITING.reply().unwrap(), now),
                Step::Wait(delay, open) => {
                    now += delay;
                    open.elapsed(now)
                }
                Step::Done(outcome) => break outcome,
            };
        };
        assert_eq!((outcome.name(), outcome.code(), asked), (name, reason, vec![false, true]));
    }
}

#[test]
fn a_refused_token_costs_no_permit() {
    let start = base();
    let mut step = capture().start(&api(), &Policy::default(), start);
    let mut resends = Vec::new();
    for answer in [UNAUTHORIZED, SUCCESS] {
        let Step::Authorize(need) = step else { panic!("{step:?}") };
        resends.push(need.token_request().resend);
        let fresh = token(if need.token_request().refused.is_some() { "second" } else { "first" });
        let Step::Send(_, open) = need.authorized(fresh, start) else { panic!("it sends") };
        step = open.received(answer.reply().unwrap(), start);
    }
    assert!(matches!(step, Step::Done(Outcome::Captured(_))));
    assert_eq!(resends, [false, false]);
}
