//! Unknown outcomes that are resumed: in this process, in another, a day later.

use std::time::{Duration, SystemTime};

use capture_core::driver::{Now, Step};
use capture_core::{Barred, Obstacle, Outcome, Phase, Policy, Resend, Ticket};

use crate::driver::Login::Denied;
use crate::driver::Say::{self, Cut, Lost, Reply};
use crate::driver::{CANARY, Login, Replies, drive};
use crate::{api, base, capture, token, wall};

const SUCCESS: Say = Reply(200, &[], r#"{"status":"SUCCESS","success":true}"#);
const FAILED: Say = Reply(200, &[], r#"{"status":"FAILED","success":true}"#);
const BUSY: Say = Reply(409, &[("apigw-requestid", "id-1")], "");
const CANCELLED: Say =
    Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":2}"#);
const PROBLEM: Say = Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":3}"#);
const WAITING: Say = Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":5}"#);
const COMPLETED: Say =
    Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7}"#);

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// The wall clock this many milliseconds before `wall`; negative: it has been set back since.
fn ago(ms: i64) -> SystemTime {
    let distance = Duration::from_millis(ms.unsigned_abs());
    if ms < 0 { wall() + distance } else { wall() - distance }
}

/// Age of the key in milliseconds; replies to captures, lookups and logins; the line of the run.
type Row = (i64, &'static [Say], &'static [Say], &'static [Login], &'static str);

fn check(policy: &Policy, rows: &[Row]) {
    for row @ (age, captures, lookups, logins, expected) in rows {
        let start = base();
        let ticket = Ticket::interrupted(capture(), ago(*age));
        let step = ticket.resume(&api(), policy, start);
        let run = drive(step, start, &mut Replies::new(captures, lookups, logins));
        assert_eq!(run.line(), *expected, "{row:?}");
    }
}

#[test]
fn resuming_begins_with_the_orders_status() {
    check(
        &Policy::default(),
        &[
            (MINUTE, &[], &[COMPLETED], &[], "captured order_status: A L"),
            (MINUTE, &[], &[CANCELLED], &[], "not_captured order_cancelled: A L"),
            (MINUTE, &[], &[PROBLEM], &[], "unknown interrupted: A L+"),
            (MINUTE, &[SUCCESS], &[WAITING], &[], "captured reply: A L C"),
            (MINUTE, &[FAILED], &[WAITING, PROBLEM], &[], "unknown interrupted: A L C L+"),
            (MINUTE, &[FAILED], &[WAITING, COMPLETED], &[], "captured order_status: A L C L"),
            (MINUTE, &[SUCCESS], &[Lost, WAITING], &[], "captured reply: A L L C"),
            (MINUTE, &[], &[], &[Denied], "unknown interrupted: A"),
            (0, &[SUCCESS], &[WAITING], &[], "captured reply: A L C"),
        ],
    );
    check(
        &Policy::default().with_resend(Resend::Never),
        &[
            (MINUTE, &[], &[WAITING], &[], "unknown interrupted: A L+"),
            (MINUTE, &[], &[WAITING, COMPLETED], &[], "captured order_status: A L L"),
        ],
    );
}

/// R7: the server recognises a key for 24 hours. A clock that was set back by more than the
/// clocks of two hosts differ does not prove that a key is young.
#[test]
fn an_old_key_is_never_sent_again() {
    check(
        &Policy::default(),
        &[
            (DAY - MINUTE, &[SUCCESS], &[WAITING], &[], "captured reply: A L C"),
            (DAY, &[], &[WAITING], &[], "unknown interrupted: A L+"),
            (DAY, &[], &[WAITING, COMPLETED], &[], "captured order_status: A L L"),
            (400 * DAY, &[], &[WAITING], &[], "unknown interrupted: A L+"),
            (-MINUTE, &[SUCCESS], &[WAITING], &[], "captured reply: A L C"),
            (-10 * MINUTE, &[], &[WAITING], &[], "unknown interrupted: A L+"),
            (-DAY, &[], &[WAITING], &[], "unknown interrupted: A L+"),
        ],
    );
    check(
        &Policy::default().with_lookup(false),
        &[
            (MINUTE, &[SUCCESS], &[], &[], "captured reply: A C"),
            (DAY, &[], &[], &[], "unknown interrupted: "),
            (-10 * MINUTE, &[], &[], &[], "unknown interrupted: "),
        ],
    );
}

/// The key's age counts when the request is sent, not when the decision to send is made.
#[test]
fn a_key_that_grows_old_on_the_way_is_not_sent() {
    let policy = Policy::default().with_lookup(false);
    // It was young before the wait, and is old after it.
    check(&policy, &[(DAY - 50, &[Lost], &[], &[], "unknown no_reply: A C")]);
    // It was young before the login, and is old after it.
    let start = base();
    let ticket = Ticket::interrupted(capture(), ago(DAY - 5_000));
    let Step::Authorize(need) = ticket.resume(&api(), &policy, start) else {
        panic!("a token is needed first");
    };
    let step = need.authorized(token("late"), start + Duration::from_secs(10));
    assert!(matches!(step, Step::Done(Outcome::Unknown(_))), "{step:?}");
}

fn unknown() -> Ticket {
    let start = base();
    let policy = Policy::default().with_deadline(Duration::from_secs(2));
    let step = capture().start(&api(), &policy, start);
    match drive(step, start, &mut Replies::new(&[BUSY], &[PROBLEM], &[])).outcome {
        Outcome::Unknown(ticket) => ticket,
        other => panic!("{other}"),
    }
}

#[test]
fn a_stored_ticket_continues_where_the_first_one_stopped() {
    let ticket = unknown();
    assert_eq!((ticket.capture(), ticket.first_sent()), (&capture(), Some(wall())));
    let json = serde_json::to_string(&ticket).unwrap();
    assert!(!json.contains(CANARY), "{json}");
    let read: Ticket = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);

    let start = base() + Duration::from_secs(3600);
    let step = read.resume(&api(), &Policy::default(), start);
    let run = drive(step, start, &mut Replies::new(&[SUCCESS], &[WAITING], &[]));
    assert_eq!(run.line(), "captured reply: A L C");
    assert_eq!(run.outcome.attempts().len(), ticket.attempts().len() + 2, "the record goes on");
}

#[test]
fn a_ticket_that_is_not_understood_is_refused() {
    let good = serde_json::to_value(unknown()).unwrap();
    assert!(serde_json::from_value::<Ticket>(good.clone()).is_ok());
    for (member, value, error) in [
        ("version", serde_json::json!(3), "version 3 is not known here; update Capture"),
        ("version", serde_json::json!(0), "version 0 is not known"),
        ("version", serde_json::Value::Null, "invalid type"),
        ("order_id", serde_json::json!("00000000-0000-0000-0000-000000000000"), "nil GUID"),
        ("idempotency_key", serde_json::json!("7"), "not a GUID"),
        ("amount", serde_json::json!(0), "more than zero"),
        ("currency", serde_json::json!("hrk"), "must be upper case"),
        ("exponent", serde_json::json!(0), "2 decimals, not 0"),
        ("doubt", serde_json::json!("certainty"), "unknown variant"),
        ("first_sent_ms", serde_json::json!(-1), "invalid value"),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        let refused = serde_json::from_value::<Ticket>(bad).unwrap_err().to_string();
        assert!(refused.contains(error), "{member}: {refused}");
    }
    for member in ["version", "order_id", "idempotency_key", "amount", "doubt", "attempts"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(member);
        assert!(serde_json::from_value::<Ticket>(bad).is_err(), "without {member}");
    }
}

/// The wall clock was set back, or stands still: the monotonic one still knows that the key is old.
#[test]
fn a_key_grows_old_by_either_clock() {
    let day = Duration::from_secs(86_400);
    let policy = Policy::default().with_deadline(day).with_attempt_timeout(day);
    let Step::Authorize(need) = capture().start(&api(), &policy, base()) else { panic!("a token") };
    let Step::Send(_, sent) = need.authorized(token("t"), base()) else { panic!("the capture") };
    let lost = Lost.result().unwrap_err();
    let Step::Wait(delay, waiting) = sent.failed(&lost, base()) else { panic!("a wait") };
    let Step::Send(_, lookup) = waiting.elapsed(base() + delay) else { panic!("a lookup") };
    let later = Now::new(base().monotonic() + day, wall());
    let step = lookup.received(WAITING.reply().unwrap(), later);
    let Step::Done(Outcome::Unknown(ticket)) = step else { panic!("{step:?}") };
    assert_eq!(ticket.obstacle(), &Obstacle::NotSentAgain(Barred::KeyTooOld));
}

/// The gateway's id finds a request whose reply broke off, and its status says how far that got.
#[test]
fn the_head_of_a_cut_reply_is_kept() {
    const ID: &[(&str, &str)] = &[("apigw-requestid", "id-7"), ("retry-after", "900")];
    let step = capture().start(&api(), &Policy::default(), base());
    let run = drive(step, base(), &mut Replies::new(&[Cut(504, ID)], &[], &[]));
    let [attempt] = run.outcome.attempts() else { panic!("{:?}", run.outcome) };
    let head = (attempt.phase, attempt.status, attempt.request_id.as_deref());
    assert_eq!(head, (Phase::CutReply, Some(504), Some("id-7")));
}

#[test]
fn a_ticket_resumed_for_days_stays_small() {
    let (start, policy) = (base(), Policy::default());
    let mut ticket = Ticket::interrupted(capture(), wall());
    let mut made = 0;
    for _ in 0..40 {
        let mut script = Replies::new(&[], &[Reply(503, &[], "")], &[]);
        let run = drive(ticket.clone().resume(&api(), &policy, start), start, &mut script);
        assert_eq!(run.outcome.attempts_this_run().len(), run.sent.len(), "the latest ones stay");
        let Outcome::Unknown(open) = run.outcome else { panic!("{:?}", run.outcome) };
        let before = ticket.attempts();
        made += run.sent.len();
        assert_eq!(open.attempts().len(), made.min(100));
        let firsts = before.len().min(16);
        assert_eq!(open.attempts()[..firsts], before[..firsts], "the first ones stay");
        ticket = open;
    }
    assert!(made > 200, "{made}");
}

/// A first send a little ahead of this machine's clock is what NTP and two hosts do; one further
/// ahead bars the resend, and the outcome says which clock to look at.
#[test]
fn a_first_send_in_the_future_is_tolerated_or_said() {
    for (ahead, tolerated) in [(1, true), (5 * MINUTE, true), (10 * MINUTE, false), (DAY, false)] {
        let ticket = Ticket::interrupted(capture(), ago(-ahead));
        let step = ticket.resume(&api(), &Policy::default(), base());
        let run = drive(step, base(), &mut Replies::new(&[SUCCESS], &[WAITING], &[]));
        if tolerated {
            assert_eq!(run.line(), "captured reply: A L C", "{ahead}");
            continue;
        }
        let says = run.outcome.to_string();
        assert!(
            says.ends_with("the age of its key is unknown; check this machine's clock"),
            "{says}"
        );
        let stored = serde_json::to_value(&run.outcome).unwrap();
        assert_eq!(stored["obstacle"], serde_json::json!({ "not_sent_again": "key_age_unknown" }));
    }
}
