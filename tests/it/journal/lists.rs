//! Lists, in a file and in a database: planned as a whole, held to what is known, worked off in their order.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use capture_core::limits::History;
use capture_core::{Capture, IdempotencyKey, Money};
use capture_journal::{
    Answer, Ask, Deadlines, How, KnownLine, Line, Lists, OpenNow, RunId, Stands, Turn, Want,
};

use super::server::{self, Database};
use super::store::{
    Directory, Store as _, ask, at, captured, declined, numbered, settle, turn, unknown, work,
};

/// Where lists are kept.
enum Place {
    File(Directory),
    Database(Database),
}

/// Each of them, empty.
fn places() -> Vec<Place> {
    let database = server::is_there().then(|| Place::Database(Database::create()));
    [Place::File(Directory::new())].into_iter().chain(database).collect()
}

impl Place {
    fn open(&self) -> Box<dyn Lists> {
        match self {
            Self::File(directory) => Box::new(directory.open()),
            Self::Database(database) => Box::new(database.open_now()),
        }
    }
}

fn line(number: u32, capture: Capture, capture_before: Option<SystemTime>) -> Line {
    Line { line: number, capture, reference: Some(format!("R-{number}")), capture_before }
}

fn plan(journal: &mut dyn Lists, plan: u8, lines: &[Line]) -> Option<RunId> {
    journal.stage().unwrap();
    journal.stage_lines(lines).unwrap();
    journal.plan("orders.csv", &[plan; 32], "").unwrap()
}

fn known(journal: &mut dyn Lists) -> Vec<KnownLine> {
    let mut found = Vec::new();
    journal.known_lines(&mut |known| found.push(known)).unwrap();
    found
}

fn wants(journal: &mut dyn Lists, run: Option<RunId>, most: usize) -> Vec<capture_journal::Work> {
    let want = Want { most, run, ..Want::default() };
    let turn = Turn { at: at(9), settled: Vec::new(), asks: Vec::new(), want };
    journal.turn(&turn).unwrap().work
}

#[test]
fn a_list_is_planned_once_and_in_the_order_of_its_deadlines() {
    for place in places() {
        let mut journal = place.open();
        let day = Duration::from_secs(24 * 3600);
        let lines = [
            line(2, numbered(1), None),
            line(3, numbered(2), Some(at(0) + day * 3)),
            line(4, numbered(3), Some(at(0) + day)),
        ];
        let run = plan(&mut *journal, 1, &lines).unwrap();
        // The same plan is the same list, for another process too.
        assert_eq!(plan(&mut *place.open(), 1, &lines), Some(run));
        let found = journal.run(run).unwrap().unwrap();
        assert_eq!((found.captures, &*found.name, found.ended), (3, "orders.csv", None));
        let work = wants(&mut *journal, Some(run), 9);
        let expected = [3, 2, 1].map(|n| How::Fresh(numbered(n)));
        assert_eq!(work.iter().map(|work| work.how.clone()).collect::<Vec<_>>(), expected);
        // They are told in the order of the file.
        let mut told = Vec::new();
        journal
            .lines(run, &mut |line, story| {
                assert_eq!(line.capture, story.capture);
                told.push(line);
                ControlFlow::Continue(())
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
}

#[test]
fn work_of_one_list_leaves_the_others_alone() {
    for place in places() {
        let mut journal = place.open();
        let first =
            plan(&mut *journal, 1, &[1, 2].map(|n| line(n, numbered(n.into()), None))).unwrap();
        let second =
            plan(&mut *journal, 2, &[3, 4].map(|n| line(n, numbered(n.into()), None))).unwrap();
        let hows = |work: Vec<capture_journal::Work>| -> Vec<_> {
            work.into_iter().map(|work| work.how).collect()
        };
        let of = |numbers: [u128; 2]| numbers.map(|n| How::Fresh(numbered(n)));
        assert_eq!(hows(wants(&mut *journal, Some(second), 9)), of([3, 4]));
        assert!(wants(&mut *journal, Some(second), 9).is_empty());
        // What the second one passed over is still there.
        assert_eq!(hows(wants(&mut *journal, None, 9)), of([1, 2]));
        assert!(wants(&mut *journal, Some(first), 9).is_empty());
    }
}

#[test]
fn what_is_known_stands_in_the_way_or_is_taken_in() {
    for place in places() {
        let mut journal = place.open();
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
            journal.stage_lines(&[line(2, capture, None)]).unwrap();
            let known = known(&mut *journal);
            let [one] = &known[..] else { panic!("{known:?}") };
            assert!(format!("{:?}", one.answer).starts_with(name), "{capture:?}: {one:?}");
            assert_eq!(one.is_obstacle(), is_obstacle, "{capture:?}");
            plans += 1;
            let planned = journal.plan("one.csv", &[plans; 32], "");
            assert_eq!(planned.unwrap().is_none(), is_obstacle, "{capture:?}");
        }
        // A new key after "no", and an order that nobody has asked for, are no news.
        journal.stage().unwrap();
        journal.stage_lines(&[line(2, following(2), None)]).unwrap();
        journal.stage_lines(&[line(3, numbered(9), None)]).unwrap();
        assert_eq!(known(&mut *journal), []);
        let run = journal.plan("new.csv", &[7; 32], "").unwrap().unwrap();
        let work = wants(&mut *journal, Some(run), 9);
        let expected = [How::Fresh(following(2)), How::Fresh(numbered(9))];
        assert_eq!(work.iter().map(|work| work.how.clone()).collect::<Vec<_>>(), expected);
    }
}

/// The order is captured, whatever the key: a list that asks for it under another one sends nothing.
#[test]
fn a_captured_order_is_not_captured_again_under_another_key() {
    for place in places() {
        let mut journal = place.open();
        let own = |n: u128| {
            let capture = numbered(n);
            let key = IdempotencyKey::following(capture.idempotency_key());
            Capture::new(capture.order_id(), capture.money(), key)
        };
        let asked =
            |journal: &mut dyn Lists, capture, outcome: fn(Capture) -> capture_core::Outcome| {
                let (want, asks) = (Want::default(), vec![Ask { capture, now: true }]);
                let turn = Turn { at: at(0), settled: Vec::new(), asks, want };
                let Answer::Work(work) = journal.turn(&turn).unwrap().answers.remove(0) else {
                    panic!()
                };
                let settled = vec![(work.held, outcome(capture))];
                journal.turn(&Turn { at: at(1), settled, asks: Vec::new(), want }).unwrap();
            };
        // One under a key of its own; one that was declined under its usual key, and then captured.
        asked(&mut *journal, own(1), captured);
        asked(&mut *journal, numbered(2), declined);
        asked(&mut *journal, own(2), captured);
        let lines = [line(2, numbered(1), None), line(3, numbered(2), None)];
        let run = plan(&mut *journal, 1, &lines).unwrap();
        assert!(wants(&mut *journal, Some(run), 9).is_empty());
        assert!(wants(&mut *journal, None, 9).is_empty());
        assert_eq!(journal.tally(run).unwrap().count(Stands::Captured), 2);
    }
}

/// Two that were written down under two keys, as a journal of another program may have them: one is sent.
#[test]
fn of_two_keys_of_one_order_one_is_sent() {
    for place in places() {
        let mut journal = place.open();
        let run = plan(&mut *journal, 1, &[line(2, numbered(1), None)]).unwrap();
        let other = IdempotencyKey::following(numbered(1).idempotency_key());
        match &place {
            Place::File(directory) => {
                let raw = rusqlite::Connection::open(directory.path()).unwrap();
                let insert = "INSERT INTO intent (environment, order_id, idempotency_key, amount, currency,
                    exponent, at_ms) SELECT environment, order_id, ?, amount, currency, exponent, 0 FROM intent";
                assert_eq!(raw.execute(insert, [other.as_bytes()]).unwrap(), 1);
            }
            Place::Database(database) => {
                let insert = format!(
                    "WITH other AS (INSERT INTO capture.intent SELECT nextval('capture.intent_id'), environment,
                        order_id, '{other}', amount, currency, exponent, 0 FROM capture.intent RETURNING *)
                     INSERT INTO capture.pending (intent, environment) SELECT id, environment FROM other"
                );
                database.psql("capture", &insert).unwrap();
            }
        }
        let work = wants(&mut *journal, None, 9);
        let hows: Vec<_> = work.iter().map(|it| it.how.clone()).collect();
        assert_eq!(hows, [How::Fresh(numbered(1))]);
        assert!(wants(&mut *journal, Some(run), 9).is_empty());
    }
}

/// What an earlier list has is worked off by a later one that asks for it too, and told in both.
#[test]
fn a_capture_can_be_in_two_lists() {
    for place in places() {
        let mut journal = place.open();
        let both = [1, 2, 3].map(|n| line(n, numbered(n.into()), None));
        let first = plan(&mut *journal, 1, &both).unwrap();
        let second = plan(&mut *journal, 2, &both[1..]).unwrap();
        let work = wants(&mut *journal, Some(second), 9);
        let hows: Vec<_> = work.iter().map(|it| it.how.clone()).collect();
        assert_eq!(hows, [2, 3].map(|n| How::Fresh(numbered(n))));
        let settled = vec![(work[0].held, captured(numbered(2)))];
        journal
            .turn(&Turn { at: at(9), settled, asks: Vec::new(), want: Want::default() })
            .unwrap();
        let lines = journal.lines_of(work[0].held.intent).unwrap();
        let runs: Vec<_> = lines.iter().map(|(run, line)| (*run, line.line)).collect();
        assert_eq!(runs, [(first, 2), (second, 2)]);
        for (run, left) in [(first, 1), (second, 0)] {
            let tally = journal.tally(run).unwrap();
            let counts = Stands::ALL.map(|stands| tally.count(stands));
            assert_eq!(counts, [1, 0, 0, 1, left], "{run:?}");
        }
        let names: Vec<_> = journal.runs().unwrap().into_iter().map(|run| run.id).collect();
        assert_eq!(names, [first, second]);
        // Only its own rows are due to a list that looks for what is open.
        let again = Want { most: 9, only_open: true, run: Some(first), ..Want::default() };
        let turn = Turn { at: at(10), settled: Vec::new(), asks: Vec::new(), want: again };
        assert!(journal.turn(&turn).unwrap().work.is_empty());
        drop(journal);
        let mut next = place.open();
        let resumed = next.turn(&turn).unwrap().work;
        let hows: Vec<_> = resumed.iter().map(|it| *it.how.capture()).collect();
        assert_eq!(hows, [numbered(3)], "its holder has ended");
    }
}

#[test]
fn what_is_staged_is_counted_and_drawn() {
    for place in places() {
        let mut journal = place.open();
        journal.stage().unwrap();
        let second = Duration::from_secs(1);
        let lines: Vec<_> = (1_u32..=2500)
            .map(|n| {
                let before = (n % 2 == 0).then(|| at(0) + second * n);
                line(n, numbered(n.into()), before)
            })
            .collect();
        lines.chunks(700).for_each(|some| journal.stage_lines(some).unwrap());
        // 10 are over, and go first: at one a second, the next nine come too late.
        let found = journal.deadlines(at(20), Some(1)).unwrap();
        let first = Some(at(2));
        assert_eq!(found, Deadlines { known: 1250, first, past: 10, too_soon: 9 });
        let at_once = journal.deadlines(at(0), None).unwrap();
        assert_eq!((at_once.past, at_once.too_soon), (0, 0));
        let mut drawn = BTreeSet::new();
        let mut draw = |seed, most| {
            let mut count = 0;
            let each = &mut |line: Line| {
                assert_eq!(line, lines[line.line as usize - 1]);
                drawn.insert(line.line);
                count += 1;
                ControlFlow::Continue(())
            };
            journal.drawn(seed, most, each).unwrap();
            count
        };
        assert_eq!(draw(7, Some(40)), 40);
        assert_eq!(draw(8, None), 2500);
        assert_eq!(drawn.len(), 2500);
        let mut count = 0;
        let broken_off = &mut |_| {
            count += 1;
            if count < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        journal.drawn(7, None, broken_off).unwrap();
        assert_eq!(count, 3);
        // What was staged before is forgotten.
        journal.stage().unwrap();
        assert_eq!(journal.deadlines(at(0), None).unwrap(), Deadlines::default());
    }
}

#[test]
fn guards_learn_what_was_captured_of_late() {
    for place in places() {
        let mut journal = place.open();
        let now = SystemTime::now();
        let day = Duration::from_secs(24 * 3600);
        let mut expected = History::default();
        for (n, outcome, when) in [
            (1, captured as fn(Capture) -> _, now - day * 3),
            (2, declined, now),
            (3, captured, now),
        ] {
            let asks = vec![Ask { capture: numbered(n), now: true }];
            let want = Want::default();
            let turn = Turn { at: when, settled: Vec::new(), asks, want };
            let Answer::Work(work) = journal.turn(&turn).unwrap().answers.remove(0) else {
                panic!()
            };
            let settled = vec![(work.held, outcome(numbered(n)))];
            journal.turn(&Turn { at: when, settled, asks: Vec::new(), want }).unwrap();
        }
        // The latest comes first.
        expected.captured(numbered(3).money(), 1);
        expected.today(numbered(3).money().into());
        expected.captured(numbered(1).money(), 1);
        assert_eq!(format!("{:?}", journal.history(now).unwrap()), format!("{expected:?}"));
    }
}

#[test]
fn what_is_open_is_counted() {
    for place in places() {
        let mut journal = place.open();
        assert!(journal.environments().unwrap().is_empty());
        let lines = [1, 2, 3, 4].map(|n| line(n, numbered(n.into()), None));
        let run = plan(&mut *journal, 1, &lines).unwrap();
        let ready = OpenNow { ready: 4, ..OpenNow::default() };
        assert_eq!(journal.open_now().unwrap(), ready);
        let work = wants(&mut *journal, Some(run), 3);
        let settled = vec![
            (work[0].held, captured(numbered(1))),
            (work[1].held, unknown(numbered(2), at(5))),
        ];
        let want = Want::default();
        journal.turn(&Turn { at: at(9), settled, asks: Vec::new(), want }).unwrap();
        let oldest_unknown = Some(at(5));
        let open = OpenNow { ready: 1, claimed: 1, unknown: 1, oldest_unknown };
        assert_eq!(journal.open_now().unwrap(), open);
        let claimed = journal.stories(numbered(3).order_id()).unwrap().remove(0);
        let mut other = place.open();
        assert!(other.is_held(&claimed).unwrap());
        assert_eq!(other.environments().unwrap().len(), 1);
        drop(journal);
        assert!(!other.is_held(&claimed).unwrap(), "its holder has ended");
        // It was claimed before the other one was sent.
        let after = other.open_now().unwrap();
        assert_eq!((after.ready, after.claimed, after.unknown), (1, 0, 2));
    }
}

/// While a list is written down nobody else asks for anything, and the other way round; what is claimed goes on.
#[test]
fn who_asks_waits_for_a_list_and_a_list_for_who_asks() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let mut worker = database.open_now();
    let held = work(ask(&mut worker, 1, numbered(1))).held;
    plan(&mut worker, 1, &[line(2, numbered(2), None)]).unwrap();
    let mut raw = database.client();
    let number = "SELECT id FROM capture.environment";
    let number: i64 = raw.query_one(number, &[]).unwrap().get(0);
    let mut lock = |what: &str| {
        let sql = format!("SELECT {what}(x'41736b73'::integer, {number})");
        raw.execute(&sql, &[]).unwrap();
    };
    let waits = || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let began = Instant::now();
        while database.psql("capture", waiting).unwrap() == "0" {
            assert!(began.elapsed() < Duration::from_secs(30), "nobody waits");
            thread::sleep(Duration::from_millis(5));
        }
    };
    // A list is being written down.
    lock("pg_advisory_lock");
    thread::scope(|scope| {
        let asks = scope.spawn(|| ask(&mut database.open_now(), 2, numbered(3)));
        waits();
        let told = settle(&mut worker, 3, held, captured(numbered(1)));
        assert_eq!(told, captured(numbered(1)));
        let found = wants(&mut worker, None, 9);
        assert_eq!(found[0].how, How::Fresh(numbered(2)));
        assert!(!asks.is_finished());
        lock("pg_advisory_unlock");
        assert!(matches!(asks.join().unwrap(), Answer::Work(_)));
    });
    // What one turn settles is recorded while what it asks for waits.
    let held = work(ask(&mut worker, 3, numbered(6))).held;
    lock("pg_advisory_lock");
    thread::scope(|scope| {
        let both = scope.spawn(|| {
            let asks = [Ask { capture: numbered(7), now: true }];
            turn(&mut worker, 3, &[(held, captured(numbered(6)))], &asks, 0)
        });
        waits();
        let recorded = "SELECT count(*) FROM capture.record";
        assert_eq!(database.psql("capture", recorded).unwrap(), "2");
        assert!(!both.is_finished());
        lock("pg_advisory_unlock");
        let turned = both.join().unwrap();
        assert_eq!(turned.told, [captured(numbered(6))]);
        assert!(matches!(turned.answers[..], [Answer::Work(_)]));
    });
    // Somebody is asking.
    lock("pg_advisory_lock_shared");
    thread::scope(|scope| {
        let planning = scope
            .spawn(|| plan(&mut database.open_now(), 2, &[line(2, numbered(4), None)]).unwrap());
        waits();
        assert!(matches!(ask(&mut database.open_now(), 4, numbered(5)), Answer::Work(_)));
        assert!(!planning.is_finished());
        lock("pg_advisory_unlock_shared");
        let run = planning.join().unwrap();
        assert_eq!(worker.run(run).unwrap().unwrap().captures, 1);
    });
}
