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
    lines.iter().for_each(|line| journal.stage_line(line).unwrap());
    journal.plan("orders.csv", &[plan; 32]).unwrap()
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
        let planned = journal.plan("one.csv", &[plans; 32]);
        assert_eq!(planned.unwrap().is_none(), is_obstacle, "{capture:?}");
    }
    // A new key after "no", and an order that nobody has asked for, are no news.
    journal.stage().unwrap();
    journal.stage_line(&line(2, following(2), None)).unwrap();
    journal.stage_line(&line(3, numbered(9), None)).unwrap();
    assert_eq!(known(&mut journal), []);
    let run = journal.plan("new.csv", &[7; 32]).unwrap().unwrap();
    let work = wants(&mut journal, Some(run), 9);
    let expected = [How::Fresh(following(2)), How::Fresh(numbered(9))];
    assert_eq!(work.iter().map(|work| work.how.clone()).collect::<Vec<_>>(), expected);
}
