//! Faults 11 and 16, and the deadline in every phase: a capture that is dropped is settled later, and
//! the order is captured once.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use capture_conformance::fixture::{capture, money, setup};
use capture_conformance::notation::{attempts, ending};
use capture_conformance::parallel::{all_ended, run_rows, side_by_side};
use capture_conformance::replies::{order, raw};
use capture_conformance::wire::{Act, Dialogue, Do, Server, on_capture};
use capture_core::{Capture, IdempotencyKey, Outcome, Policy, Setup, Ticket};
use capture_sandbox::{Sandbox, Script};

use super::drivers::Driver;

/// Both ways to end a capture early, through this adapter.
pub(crate) fn check<D: Driver>() {
    let faults = [Script::default(), Script::lost_reply(), Script::captured_but(504)];
    side_by_side(&faults, faults.len(), dropped_at_every_poll::<D>);
    the_deadline_passes::<D>();
}

/// A capture is dropped after its first poll, after its second, and so on, until one ends by itself.
/// Each time a ticket made from what the merchant stored settles it. A blocking client cannot be
/// dropped: its first run is the last one.
fn dropped_at_every_poll<D: Driver>(faults: &Script) {
    const MOST_POLLS: usize = 40;
    let polls: Vec<usize> = (1..=MOST_POLLS).collect();
    let ran_out = side_by_side(&polls, 8, |polls| {
        let sandbox = Sandbox::start();
        sandbox.script(faults.clone());
        let id = sandbox.create_order(money());
        let capture = Capture::new(id, money(), IdempotencyKey::for_order(id));
        let client = || D::new(Setup::new(&sandbox.environment(), sandbox.credentials()));
        let (first, saved_at) = (client(), SystemTime::now());
        let outcome = first.capture_for(&capture, *polls);
        let ran_out = outcome.is_none();
        let outcome = outcome.unwrap_or_else(|| {
            // By the same client, or by that of another process.
            let other = if polls % 2 == 0 { first } else { client() };
            other.resume(Ticket::interrupted(capture, saved_at))
        });
        assert!(matches!(outcome, Outcome::Captured(_)), "after {polls} polls: {outcome:?}");
        assert_eq!(sandbox.ledger().captures(id), 1, "after {polls} polls");
        ran_out
    });
    let dropped = ran_out.iter().filter(|ran_out| **ran_out).count();
    assert!(dropped < MOST_POLLS, "no run ended by itself");
    assert_eq!(dropped > 3, D::ASYNC, "{dropped} runs were dropped");
}

/// The phase, the server, the deadline in milliseconds, and what must come of it.
type Phase = (&'static str, Dialogue, u64, &'static str, &'static str);

/// The attempt timeout or the deadline ends a capture in each phase; then another client settles it.
fn the_deadline_passes<D: Driver>() {
    let hang = || Act::does(vec![Do::Hang]);
    let cut = |head: &str| Act::say(raw(head, "content-length: 99\r\n", "{")).then(Do::Hang);
    let token = |act| Dialogue { token: vec![act], ..Dialogue::default() };
    let in_lookup = |act| Dialogue {
        capture: vec![Act::does(vec![Do::Finish])],
        lookup: vec![act],
        ..Dialogue::default()
    };
    let phases: Vec<Phase> = vec![
        ("the login's answer", token(hang()), 700, "not_captured login_no_reply", ""),
        ("the login's body", token(cut("HTTP/1.1 200 OK")), 700, "not_captured login_no_reply", ""),
        ("the answer", on_capture([hang()]), 700, "unknown no_reply", "C?"),
        (
            "the head",
            on_capture([Act::say("HTTP/1.1 200 OK\r\nx: ").then(Do::Hang)]),
            700,
            "unknown no_reply",
            "C?",
        ),
        ("the body", on_capture([cut("HTTP/1.1 200 OK")]), 700, "unknown cut_reply", "C200~"),
        ("the lookup", in_lookup(hang()), 1200, "unknown no_reply", "C? L?"),
        (
            "the lookup's body",
            in_lookup(cut("HTTP/1.1 200 OK")),
            1200,
            "unknown no_reply",
            "C? L200~",
        ),
        // The first wait of every capture is at least half a second.
        ("a wait", on_capture([Act::does(vec![Do::Finish])]), 400, "unknown no_reply", "C?"),
    ];
    let act = |(phase, dialogue, deadline, ends, came): &Phase| {
        let server = Server::start(dialogue.clone());
        let client = setup(&format!("http://{}", server.address()), false);
        let policy = Policy::default()
            .with_deadline(Duration::from_millis(*deadline))
            .with_attempt_timeout(Duration::from_millis(1500));
        let outcome = D::new(client.with_policy(policy)).capture(&capture());
        assert_eq!(ending(&outcome), *ends, "{phase}: {outcome:?}");
        assert_eq!(attempts(&outcome), *came, "{phase}");
        drop(server);

        let dialogue = Dialogue { lookup: vec![Act::say(order(7))], ..Dialogue::default() };
        let healed = Server::start(dialogue);
        let client = D::new(setup(&format!("http://{}", healed.address()), false));
        let outcome = match outcome {
            Outcome::Unknown(ticket) => client.resume(ticket),
            _ => client.capture(&capture()),
        };
        assert_eq!(outcome.name(), "captured", "{phase}: {outcome:?}");
    };
    let phases: Arc<[Phase]> = phases.into();
    all_ended(run_rows(
        &phases,
        phases.len(),
        |phase| format!("the deadline passes in {}", phase.0),
        act,
    ));
}
