//! Lists in the file: planned as a whole, held to what is known, worked off in their order.

use std::time::{Duration, SystemTime};

use capture_core::{Capture, IdempotencyKey, Money};
use capture_journal::{Answer, Ask, How, Journal as _, Line, RunId, Stands, Turn, Want};
use capture_sqlite::{KnownLine, Sqlite};

use super::store::{Directory, Store as _, at, captured, declined, numbered, unknown};

fn line(number: u32, capture: Capture, capture_before: Option<SystemTime>) -> Line {
    Line { line: number, capture, reference: Some(format!("R-{number}")), capture_before }
}

fn plan(journal: &mut Sqlite, plan: u8, lines: &[Line]) -> Option<RunId> {
    journal.stage().unwrap();
    for line in lines {
        assert!(journal.stage_line(line).unwrap());
    }
    journal.plan("orders.csv", &[plan; 32], "").unwrap()
}

fn known(journal: &mut Sqlite) -> Vec<KnownLine> {
    let mut found = Vec::new();
    journal.known_lines(|known| found.push(known)).unwrap();
    found
}

fn wants(journal: &mut Sqlite, run: Option<RunId>, most: usize) -> Vec<capture_journal::Work> {
    let want = Want { most, run, ..Want::default() };
    let turn = Turn { at: at(9), settled: Vec::new(), asks: Vec::new(), want };
    journal.turn(&turn).unwrap().work
}

#[test]
fn a_list_is_planned_once_and_in_the_order_of_its_deadlines() {
    let directory = Directory::new();
    let mut journal = directory.open();
    let day = Duration::from_secs(24 * 3600);
    let lines = [
        line(2, numbered(1), None),
        line(3, numbered(2), Some(at(0) + day * 3)),
        line(4, numbered(3), Some(at(0) + day)),
    ];
    let run = plan(&mut journal, 1, &lines).unwrap();
    // The same plan is the same list, for another process too.
    assert_eq!(plan(&mut directory.open(), 1, &lines), Some(run));
    let found = journal.run(run).unwrap().unwrap();
    assert_eq!((found.captures, &*found.name, found.ended), (3, "orders.csv", None));
    let work = wants(&mut journal, Some(run), 9);
    let expected = [3, 2, 1].map(|n| How::Fresh(numbered(n)));
    assert_eq!(work.iter().map(|work| work.how.clone()).collect::<Vec<_>>(), expected);
    // They are told in the order of the file.
    let mut told = Vec::new();
    journal
        .lines::<capture_journal::Lost>(run, |line, story| {
            assert_eq!(line.capture, story.capture);
            told.push(line);
            Ok(())
        })
        .unwrap();
    assert_eq!(told, lines);
    // What a claim may have sent is unknown, until it is settled.
    assert_eq!(journal.tally(run).unwrap().count(Stands::Unknown), 3);
    let settled = vec![
        (work[0].held, captured(numbered(3))),
        (work[1].held, declined(numbered(2))),
        (work[2].held, unknown(numbered(1), at(0))),
    ];
    let want = Want::default();
    journal.turn(&Turn { at: at(10), settled, asks: Vec::new(), want }).unwrap();
    let tally = journal.tally(run).unwrap();
    let counts = Stands::ALL.map(|stands| tally.count(stands));
    assert_eq!(counts, [1, 0, 1, 1, 0]);
    // Only what is decided is noted as done.
    journal.note_end(run, &tally).unwrap();
    assert_eq!(journal.run(run).unwrap().unwrap().ended, None);
}

#[test]
fn work_of_one_list_leaves_the_others_alone() {
    let directory = Directory::new();
    let mut journal = directory.open();
    let first = plan(&mut journal, 1, &[1, 2].map(|n| line(n, numbered(n.into()), None))).unwrap();
    let second = plan(&mut journal, 2, &[3, 4].map(|n| line(n, numbered(n.into()), None))).unwrap();
    let hows = |work: Vec<capture_journal::Work>| -> Vec<_> {
        work.into_iter().map(|work| work.how).collect()
    };
    let of = |numbers: [u128; 2]| numbers.map(|n| How::Fresh(numbered(n)));
    assert_eq!(hows(wants(&mut journal, Some(second), 9)), of([3, 4]));
    assert!(wants(&mut journal, Some(second), 9).is_empty());
    // What the second one passed over is still there.
    assert_eq!(hows(wants(&mut journal, None, 9)), of([1, 2]));
    assert!(wants(&mut journal, Some(first), 9).is_empty());
}

#[test]
fn what_is_known_stands_in_the_way_or_is_taken_in() {
    let directory = Directory::new();
    let mut journal = directory.open();
    let asks: Vec<_> = (1..=4).map(|n| Ask { capture: numbered(n), now: true }).collect();
    let want = Want::default();
    let turned =
        journal.turn(&Turn { at: at(0), settled: Vec::new(), asks, want }).unwrap().answers;
    let held: Vec<_> = turned
        .iter()
        .map(|answer| match answer {
            Answer::Work(work) => work.held,
            other => panic!("{other:?}"),
        })
        .collect();
    let settled = vec![
        (held[0], captured(numbered(1))),
        (held[1], declined(numbered(2))),
        (held[2], unknown(numbered(3), at(0))),
    ];
    journal.turn(&Turn { at: at(1), settled, asks: Vec::new(), want }).unwrap();
    let cheaper = |n| {
        let capture = numbered(n);
        let money = Money::parse("99.00", "USD").unwrap();
        Capture::new(capture.order_id(), money, capture.idempotency_key())
    };
    let following = |n| {
        let capture = numbered(n);
        let key = IdempotencyKey::following(capture.idempotency_key());
        Capture::new(capture.order_id(), capture.money(), key)
    };
    let mut plans = 100;
    for (capture, name, is_obstacle) in [
        (numbered(1), "Decided", false),
        (cheaper(1), "Other", true),
        (numbered(2), "Decided", true),
        (numbered(3), "Queued", false),
        (cheaper(3), "Other", true),
        (numbered(4), "Busy", false),
        (cheaper(4), "Other", true),
    ] {
        journal.stage().unwrap();
        journal.stage_line(&line(2, capture, None)).unwrap();
        let known = known(&mut journal);
        let [one] = &known[..] else { panic!("{known:?}") };
        assert!(format!("{:?}", one.answer).starts_with(name), "{capture:?}: {one:?}");
        assert_eq!(one.is_obstacle(), is_obstacle, "{capture:?}");
        plans += 1;
        let planned = journal.plan("one.csv", &[plans; 32], "");
        assert_eq!(planned.unwrap().is_none(), is_obstacle, "{capture:?}");
    }
    // A new key after "no", and an order that nobody has asked for, are no news.
    journal.stage().unwrap();
    assert!(journal.stage_line(&line(2, following(2), None)).unwrap());
    assert!(journal.stage_line(&line(3, numbered(9), None)).unwrap());
    assert_eq!(known(&mut journal), []);
    let run = journal.plan("new.csv", &[7; 32], "").unwrap().unwrap();
    let work = wants(&mut journal, Some(run), 9);
    let expected = [How::Fresh(following(2)), How::Fresh(numbered(9))];
    assert_eq!(work.iter().map(|work| work.how.clone()).collect::<Vec<_>>(), expected);
}

/// The order is captured, whatever the key: a list that asks for it under another one sends nothing.
#[test]
fn a_captured_order_is_not_captured_again_under_another_key() {
    let directory = Directory::new();
    let mut journal = directory.open();
    let own = |n: u128| {
        let capture = numbered(n);
        let key = IdempotencyKey::following(capture.idempotency_key());
        Capture::new(capture.order_id(), capture.money(), key)
    };
    let asked = |journal: &mut Sqlite, capture, outcome: fn(Capture) -> capture_core::Outcome| {
        let (want, asks) = (Want::default(), vec![Ask { capture, now: true }]);
        let turn = Turn { at: at(0), settled: Vec::new(), asks, want };
        let Answer::Work(work) = journal.turn(&turn).unwrap().answers.remove(0) else { panic!() };
        let settled = vec![(work.held, outcome(capture))];
        journal.turn(&Turn { at: at(1), settled, asks: Vec::new(), want }).unwrap();
    };
    // One under a key of its own; one that was declined under its usual key, and then captured.
    asked(&mut journal, own(1), captured);
    asked(&mut journal, numbered(2), declined);
    asked(&mut journal, own(2), captured);
    let lines = [line(2, numbered(1), None), line(3, numbered(2), None)];
    let run = plan(&mut journal, 1, &lines).unwrap();
    assert!(wants(&mut journal, Some(run), 9).is_empty());
    assert!(wants(&mut journal, None, 9).is_empty());
    assert_eq!(journal.tally(run).unwrap().count(Stands::Captured), 2);
}

/// Two that were written down under two keys, as a journal of another program may have them: one is sent.
#[test]
fn of_two_keys_of_one_order_one_is_sent() {
    let directory = Directory::new();
    let mut journal = directory.open();
    let run = plan(&mut journal, 1, &[line(2, numbered(1), None)]).unwrap();
    let other = IdempotencyKey::following(numbered(1).idempotency_key());
    let raw = rusqlite::Connection::open(directory.path()).unwrap();
    let insert = "INSERT INTO intent (environment, order_id, idempotency_key, amount, currency,
        exponent, at_ms) SELECT environment, order_id, ?, amount, currency, exponent, 0 FROM intent";
    assert_eq!(raw.execute(insert, [other.as_bytes()]).unwrap(), 1);
    let work = wants(&mut journal, None, 9);
    assert_eq!(work.iter().map(|it| it.how.clone()).collect::<Vec<_>>(), [How::Fresh(numbered(1))]);
    assert!(wants(&mut journal, Some(run), 9).is_empty());
}

/// The same order twice in a file is one capture.
#[test]
fn a_repeated_line_is_staged_once() {
    let directory = Directory::new();
    let mut journal = directory.open();
    journal.stage().unwrap();
    assert!(journal.stage_line(&line(2, numbered(1), None)).unwrap());
    assert!(!journal.stage_line(&line(3, numbered(1), None)).unwrap());
    let run = journal.plan("twice.csv", &[1; 32], "").unwrap().unwrap();
    assert_eq!(journal.run(run).unwrap().unwrap().captures, 1);
    assert_eq!(journal.tally(run).unwrap().captures(), 1);
}
