//! Many holders of one database: who gets what, and what is kept on bad days.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant, SystemTime};
use std::{env, thread};

use capture_core::driver::Now;
use capture_core::{Capture, Environment, IdempotencyKey, OrderId, Outcome};
use capture_journal::{Answer, Ask, Foreman, Journal, KeepError, Lost, Move, Pace, Turn, Want};
use capture_postgres::{Config, OpenError, Options, Postgres};

use super::server::{self, Database, Opened, Server};
use super::store::{
    Directory, Store, ask, at, capture, captured, declined, numbered, record, settle, turn,
    unknown, work,
};

fn sandbox() -> Environment {
    "sandbox".parse().unwrap()
}

/// An opening whose lease runs out soon.
fn hasty(config: &Config) -> Result<Postgres, OpenError> {
    let options = Options { lease: Duration::from_secs(1), ..Options::default() };
    Postgres::open_with(config, &sandbox(), &options)
}

fn queue(journal: &mut impl Journal, orders: std::ops::RangeInclusive<u128>) {
    let asks: Vec<_> = orders.map(|n| Ask { capture: numbered(n), now: false }).collect();
    assert!(turn(journal, 0, &[], &asks, 0).answers.iter().all(|it| *it == Answer::Queued));
}

fn sound(journal: &mut Postgres) {
    assert_eq!(journal.check().unwrap(), Vec::<String>::new());
    let verified = journal.verify(&[]).unwrap();
    assert_eq!(verified.broken_at, []);
}

#[test]
fn of_many_who_ask_at_once_one_works() {
    if !server::is_there() {
        return;
    }
    // They make the tables at once, too.
    let database = Database::create();
    let (start, config) = (Barrier::new(8), database.config());
    let ask_for_all = || {
        start.wait();
        let mut journal = Postgres::open(&config, &sandbox());
        let answers: Vec<_> = (1..=20)
            .map(|order| {
                // Nobody leaves before the others have come: they would wait for ever.
                start.wait();
                let asks = vec![Ask { capture: numbered(order), now: true }];
                let turn = Turn { at: at(0), settled: Vec::new(), asks, want: Want::default() };
                format!("{:?}", journal.as_mut().map(|journal| journal.turn(&turn)))
            })
            .collect();
        start.wait();
        answers
    };
    let answers: Vec<_> = thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(ask_for_all)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for order in 0..20 {
        let of_order: Vec<_> = answers.iter().map(|answers| &answers[order]).collect();
        let works = of_order.iter().filter(|it| it.contains("answers: [Work(")).count();
        let busy = of_order.iter().filter(|it| it.contains("answers: [Busy(")).count();
        assert_eq!((works, busy), (1, 7), "{of_order:?}");
    }
}

#[test]
fn many_share_the_work_and_each_capture_is_handed_out_once() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let mut journal = Postgres::open(&database.config(), &sandbox()).unwrap();
    queue(&mut journal, 1..=400);
    let config = database.config();
    let do_all = || {
        let mut journal = Postgres::open(&config, &sandbox()).unwrap();
        let (mut done, mut settled) = (Vec::new(), Vec::new());
        loop {
            let (asks, want) = (Vec::new(), Want::most(7));
            let given = journal.turn(&Turn { at: at(1), settled, asks, want }).unwrap();
            let outcome = |work: &capture_journal::Work| captured(*work.how.capture());
            settled = given.work.iter().map(|work| (work.held, outcome(work))).collect();
            done.extend(given.work.iter().map(|work| work.how.capture().order_id()));
            if given.work.is_empty() {
                return done;
            }
        }
    };
    let done: Vec<OrderId> = thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(do_all)).collect();
        all.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(done.len(), 400);
    assert_eq!(done.iter().collect::<BTreeSet<_>>().len(), 400);
    sound(&mut journal);
    assert_eq!(journal.verify(&[]).unwrap().records, 400);
    let left = database.client().query_one("SELECT count(*) FROM capture.pending", &[]).unwrap();
    assert_eq!(left.get::<_, i64>(0), 0);
}

/// Turns that need the same orders wait for each other, none fails, and no capture is in two hands.
#[test]
fn turns_over_the_same_orders_share_them() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let (config, in_hand) = (database.config(), Mutex::new(BTreeSet::new()));
    let work_on = |orders: Vec<u128>, want: usize| {
        let mut journal = Postgres::open(&config, &sandbox()).unwrap();
        for _ in 0..40 {
            let asks: Vec<_> =
                orders.iter().map(|n| Ask { capture: numbered(*n), now: true }).collect();
            let turned = turn(&mut journal, 0, &[], &asks, want);
            let given = turned.answers.into_iter().filter_map(|answer| match answer {
                Answer::Work(work) => Some(work),
                _ => None,
            });
            let given: Vec<_> = given.chain(turned.work).collect();
            for work in &given {
                let order = work.how.capture().order_id();
                assert!(in_hand.lock().unwrap().insert(order), "{order} is in two hands");
            }
            thread::sleep(Duration::from_millis(5));
            for work in &given {
                in_hand.lock().unwrap().remove(&work.how.capture().order_id());
            }
            let back: Vec<_> =
                given.into_iter().map(|work| (work.held, work.how.untouched())).collect();
            let _ = turn(&mut journal, 0, &back, &[], 0);
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| work_on((1..=12).collect(), 3));
        scope.spawn(|| work_on((1..=12).rev().collect(), 0));
        scope.spawn(|| work_on(Vec::new(), 5));
        scope.spawn(|| work_on(Vec::new(), 5));
        scope.spawn(|| work_on((8..=20).rev().collect(), 20));
    });
    sound(&mut Postgres::open(&config, &sandbox()).unwrap());
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let deadlocks = database.client().query_one(deadlocks, &[]).unwrap();
    assert_eq!(deadlocks.get::<_, i64>(0), 0);
}

/// A holder in a process of its own: it claims, and settles as it is told.
#[test]
#[ignore = "the other tests run it"]
fn a_process_of_its_own() {
    let Ok(config) = env::var(WORKER) else { return };
    let mut journal = hasty(&config.parse().unwrap()).unwrap();
    let held = work(ask(&mut journal, 0, capture("100.00"))).held;
    println!("claimed");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let outcome = match line.trim() {
        "captured" => captured(capture("100.00")),
        _ => declined(capture("100.00")),
    };
    println!("told {}", settle(&mut journal, 9, held, outcome).name());
}

const WORKER: &str = "CAPTURE_TEST_WORKER";

fn worker(database: &Database) -> (Child, impl FnMut(&str) -> String) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "journal::fleet::a_process_of_its_own"])
        .env(WORKER, database.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let next = move |begin: &str| {
        let found = lines.by_ref().map_while(Result::ok).find_map(|line| {
            // The harness writes before it, on the same line.
            line.find(begin).map(|at| line[at..].to_owned())
        });
        found.expect("a line")
    };
    (child, next)
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
}

#[test]
fn a_process_that_is_stopped_past_its_lease_loses_what_it_holds() {
    if !server::is_there() {
        return;
    }
    for (found, told, stands) in
        [("declined", "told unknown", "claimed"), ("captured", "told captured", "captured")]
    {
        let database = Database::create();
        let mut other = hasty(&database.config()).unwrap();
        let (mut child, mut next) = worker(&database);
        next("claimed");
        // It renews its lease while it works, and is left alone.
        thread::sleep(Duration::from_millis(1500));
        assert!(matches!(ask(&mut other, 1, capture("100.00")), Answer::Busy(_)));
        signal(&child, "-STOP");
        let began = Instant::now();
        let taken = loop {
            match ask(&mut other, 1, capture("100.00")) {
                Answer::Work(work) => break work,
                Answer::Busy(_) => thread::sleep(Duration::from_millis(50)),
                other => panic!("{other:?}"),
            }
            assert!(began.elapsed() < Duration::from_secs(20), "its lease does not run out");
        };
        assert_eq!(taken.how.capture(), &capture("100.00"));
        assert!(matches!(taken.how, capture_journal::How::Resume(_)));
        signal(&child, "-CONT");
        writeln!(child.stdin.take().unwrap(), "{found}").unwrap();
        assert_eq!(next("told"), told);
        assert!(child.wait().unwrap().success());
        let stories = other.stories(capture("100.00").order_id()).unwrap();
        assert!(stories[0].entries[0].is_note);
        assert_eq!(stories[0].standing().name(), stands);
        sound(&mut other);
    }
}

/// A foreman that stood still had claimed more than it had begun, and others have taken that over: it asks,
/// learns that it has another number, and sends none of it.
#[test]
fn what_was_claimed_before_a_stall_is_given_back_and_not_sent() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let mut stalled = Store::open(&database);
    queue(&mut stalled, 1..=5);
    let now = |seconds: u64| Now::new(Duration::from_secs(seconds), at(seconds));
    let pace = Pace { concurrency: 2, ..Pace::default() };
    let mut foreman = Foreman::new(pace, now(0));
    let Move::Turn(looks) = foreman.next(now(0)) else { panic!("it looks for work") };
    let turned = stalled.turn(&looks).unwrap();
    assert_eq!((turned.fence, turned.work.len()), (stalled.journal.fence(), 5));
    let held_for = turned.held_for.expect("a lease");
    assert!(foreman.turned(turned, now(0)).is_empty());
    let Move::Start(begun) = foreman.next(now(1)) else { panic!("the first begins") };
    stalled.run_out();
    let mut other = Store::open(&database);
    let taken = turn(&mut other, 1, &[], &[], 9).work;
    assert_eq!(taken.len(), 5);
    let late = Now::new(held_for, at(1));
    let mut given_back = Vec::new();
    loop {
        match foreman.next(late) {
            Move::Turn(turn) => {
                given_back.extend(turn.settled.iter().map(|(held, _)| held.intent));
                let turned = stalled.turn(&turn).unwrap();
                assert!(turned.work.is_empty(), "the other one has it");
                let _ = foreman.turned(turned, late);
            }
            Move::Wait(_) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(given_back.len(), 4);
    assert!(!given_back.contains(&begun.held.intent));
    // The other one goes on as if nothing had been said.
    for work in taken {
        let capture = *work.how.capture();
        assert_eq!(settle(&mut other, 9, work.held, captured(capture)).name(), "captured");
    }
    sound(&mut other.journal);
}

/// It is not revived, whether somebody has looked meanwhile or not.
#[test]
fn a_holder_whose_lease_ran_out_goes_on_under_a_new_number() {
    if !server::is_there() {
        return;
    }
    for is_looked_at in [false, true] {
        let database = Database::create();
        let (mut one, mut other) = (database.open(), database.open());
        let before = one.journal.fence();
        let held = work(ask(&mut one, 0, numbered(1))).held;
        one.run_out();
        if is_looked_at {
            let _ = work(ask(&mut other, 1, numbered(1)));
        }
        let _ = work(ask(&mut one, 2, numbered(2)));
        assert!(one.journal.fence() > before);
        // What it claims now is its own; what it had claimed is not.
        assert!(matches!(ask(&mut other, 3, numbered(2)), Answer::Busy(_)));
        assert_eq!(settle(&mut one, 4, held, captured(numbered(1))).name(), "captured");
        sound(&mut one.journal);
    }
}

/// Others may have taken what it hands out by the time it does.
#[test]
fn a_turn_that_takes_longer_than_its_lease_hands_out_nothing() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let mut journal = hasty(&database.config()).unwrap();
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN PERFORM pg_sleep(1.2); RETURN NULL; END';
        CREATE TRIGGER slow AFTER INSERT ON capture.claim EXECUTE FUNCTION slow()";
    database.client().batch_execute(slow).unwrap();
    let asks = vec![Ask { capture: numbered(1), now: true }];
    let turn = Turn { at: at(0), settled: Vec::new(), asks, want: Want::default() };
    assert!(matches!(journal.turn(&turn), Err(Lost::Io(_))));
    assert!(matches!(journal.turn(&turn), Err(Lost::Closed)));
}

/// It waits for no lock longer than half its lease, and then begins anew.
#[test]
fn a_turn_that_the_server_undoes_is_made_again() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let mut journal = hasty(&database.config()).unwrap();
    queue(&mut journal, 1..=1);
    let mut client = database.client();
    let mut locked = client.transaction().unwrap();
    locked.batch_execute("SELECT * FROM capture.pending FOR UPDATE").unwrap();
    thread::scope(|scope| {
        let asking = scope.spawn(|| ask(&mut journal, 1, numbered(1)));
        thread::sleep(Duration::from_millis(700));
        locked.rollback().unwrap();
        let _ = work(asking.join().unwrap());
    });
    sound(&mut journal);
}

/// Its row would be looked at for ever.
#[test]
fn a_new_key_is_not_sent_once_the_old_one_was_captured_after_all() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let (mut one, mut other) = (database.open(), database.open());
    let usual = capture("100.00");
    let held = work(ask(&mut one, 0, usual)).held;
    one.run_out();
    let taken = work(ask(&mut other, 1, usual)).held;
    let _ = settle(&mut other, 2, taken, declined(usual));
    let key = IdempotencyKey::following(usual.idempotency_key());
    let new = Capture::new(usual.order_id(), usual.money(), key);
    let queued = turn(&mut other, 3, &[], &[Ask { capture: new, now: false }], 0).answers;
    assert_eq!(queued, [Answer::Queued]);
    assert_eq!(settle(&mut one, 4, held, captured(usual)).name(), "captured");
    let given = turn(&mut other, 5, &[], &[], 9);
    assert_eq!((given.work, given.later), (Vec::new(), None));
    sound(&mut other.journal);
}

/// No lease, and nothing that rests on one, is by a holder's clock.
#[test]
fn a_clock_that_is_off_by_a_day_takes_nothing_from_others() {
    const DAY: u64 = 24 * 3600;
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let (mut one, mut early, mut late) = (database.open(), database.open(), database.open());
    let held = work(ask(&mut one, DAY, capture("100.00"))).held;
    for (journal, seconds) in [(&mut early, 0), (&mut late, 2 * DAY)] {
        assert!(matches!(ask(journal, seconds, capture("100.00")), Answer::Busy(_)));
        assert_eq!(turn(journal, seconds, &[], &[], 9).work, []);
    }
    let outcome = settle(&mut one, DAY + 1, held, captured(capture("100.00")));
    assert_eq!(outcome.name(), "captured");
    for (journal, seconds) in [(&mut early, 0), (&mut late, 2 * DAY)] {
        assert!(matches!(ask(journal, seconds, capture("100.00")), Answer::Decided(..)));
    }
    // What one of them leaves open is found by the other one, once it has ended.
    let _ = work(ask(&mut late, 2 * DAY, numbered(7)));
    drop(late);
    assert_eq!(turn(&mut early, 0, &[], &[], 9).work.len(), 1);
}

fn cut(database: &Database) {
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'capture'";
    database.client().query(others, &[]).unwrap();
}

#[test]
fn a_lost_connection_closes_the_journal_and_the_next_opening_resumes() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let mut journal = hasty(&database.config()).unwrap();
    let first = journal.fence();
    let held = work(ask(&mut journal, 0, capture("100.00"))).held;
    cut(&database);
    let settled = vec![(held, captured(capture("100.00")))];
    let lost = Turn { at: at(1), settled, asks: Vec::new(), want: Want::default() };
    assert!(matches!(journal.turn(&lost), Err(Lost::Io(_) | Lost::Closed)));
    assert!(matches!(journal.turn(&lost), Err(Lost::Closed)));
    assert!(matches!(journal.stories(capture("100.00").order_id()), Err(Lost::Closed)));
    let mut again = hasty(&database.config()).unwrap();
    assert!(again.fence() > first);
    drop(journal);
    thread::sleep(Duration::from_millis(1100));
    let resumed = work(ask(&mut again, 2, capture("100.00")));
    assert!(matches!(resumed.how, capture_journal::How::Resume(_)));
    sound(&mut again);
}

/// The server commits, and the connection is lost before it says so.
#[test]
fn a_commit_without_an_answer_is_a_doubt_and_a_crash_loses_nothing() {
    if !server::is_there() {
        return;
    }
    let Some(server) = Server::start(None) else { return };
    let server: &'static Server = Box::leak(Box::new(server));
    let database = Database::on(server);
    let mut opened = database.open();
    let set = |setting: &str| server.set(&[setting]);
    // It has committed once it waits for a standby that never comes.
    let mut client = database.client();
    client.execute("SET synchronous_commit = local", &[]).unwrap();
    set("synchronous_standby_names = 'nobody'");
    let lost = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let asks = vec![Ask { capture: capture("100.00"), now: true }];
            opened.turn(&Turn { at: at(0), settled: Vec::new(), asks, want: Want::default() })
        });
        let waits =
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        while client.query(waits, &[]).unwrap().is_empty() {
            thread::sleep(Duration::from_millis(10));
        }
        asking.join().unwrap()
    });
    assert!(matches!(lost, Err(Lost::Io(_))), "{lost:?}");
    set("synchronous_standby_names = ''");
    opened.run_out();
    let mut journal = hasty(&database.config()).unwrap();
    // The claim is there, so that it may have been sent.
    let resumed = work(ask(&mut journal, 1, capture("100.00")));
    assert!(matches!(resumed.how, capture_journal::How::Resume(_)));
    record(&mut journal, 1, 2, captured);

    server.crash();
    let asks = vec![Ask { capture: numbered(2), now: true }];
    let turn = Turn { at: at(4), settled: Vec::new(), asks, want: Want::default() };
    assert!(journal.turn(&turn).is_err());
    let mut again = hasty(&database.config()).unwrap();
    assert_eq!(ask(&mut again, 5, numbered(1)), Answer::Decided(captured(numbered(1)), at(3)));
    thread::sleep(Duration::from_millis(1100));
    let resumed = work(ask(&mut again, 6, capture("100.00")));
    assert!(matches!(resumed.how, capture_journal::How::Resume(_)));
    sound(&mut again);

    // A server that may lose what it has committed is refused.
    set("fsync = off");
    let refused = hasty(&database.config());
    assert!(matches!(refused, Err(OpenError::Forgetful("fsync"))), "{refused:?}");
    set("fsync = on");
    set("full_page_writes = off");
    assert!(matches!(hasty(&database.config()), Err(OpenError::Forgetful("full_page_writes"))));
}

#[test]
fn a_newer_schema_is_refused_and_left_as_it_is() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    drop(database.open());
    database.client().execute("UPDATE capture.version SET version = 99", &[]).unwrap();
    let opened = Postgres::open(&database.config(), &sandbox());
    assert!(matches!(opened, Err(OpenError::Newer(99))), "{opened:?}");
}

/// Each spoils the records in its own way.
#[test]
fn an_edit_shows_in_the_chain() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let mut journals = [database.open(), database.open()];
    for order in 1..=6 {
        record(&mut journals[order % 2], order as u128, 10 * order as u64, captured);
    }
    let [first, _] = &mut journals;
    let verified = first.journal.verify(&[]).unwrap();
    let heads: Vec<_> = verified.heads.iter().map(|head| (head.records, head.hash)).collect();
    assert_eq!((verified.records, heads.len(), heads[0].0, heads[1].0), (6, 2, 3, 3));
    assert!(first.journal.verify(&[heads[0].1]).unwrap().missing.is_empty());
    assert_eq!(first.journal.verify(&[[7; 32]]).unwrap().missing, [[7; 32]]);
    let of = verified.heads[0].fence.0;
    for (spoil, at) in [
        ("UPDATE capture.record SET is_note = true WHERE fence = $1 AND number = 2", 2),
        ("UPDATE capture.record SET at_ms = at_ms + 1 WHERE fence = $1 AND number = 1", 1),
        (
            "UPDATE capture.record SET body = (body::text || ' ')::json WHERE fence = $1 AND number = 3",
            3,
        ),
        ("DELETE FROM capture.record WHERE fence = $1 AND number = 3", 3),
        ("DELETE FROM capture.record WHERE fence = $1", 1),
        (
            "UPDATE capture.intent SET amount = 1 WHERE id = (SELECT intent FROM capture.record
            WHERE fence = $1 AND number = 2)",
            2,
        ),
    ] {
        let mut client = database.client();
        let mut transaction = client.transaction().unwrap();
        transaction.batch_execute("CREATE TABLE kept AS SELECT * FROM capture.record").unwrap();
        transaction.batch_execute("CREATE TABLE asked AS SELECT * FROM capture.intent").unwrap();
        transaction.execute(spoil, &[&of]).unwrap();
        transaction.commit().unwrap();
        let broken = first.journal.verify(&[]).unwrap().broken_at;
        assert_eq!(
            broken.iter().map(|(fence, at)| (fence.0, *at)).collect::<Vec<_>>(),
            [(of, at)],
            "{spoil}"
        );
        client
            .batch_execute(
                "DELETE FROM capture.record; UPDATE capture.intent SET amount = asked.amount FROM asked
                    WHERE asked.id = intent.id;
                 INSERT INTO capture.record OVERRIDING SYSTEM VALUE SELECT * FROM kept;
                 DROP TABLE kept, asked",
            )
            .unwrap();
        sound(&mut first.journal);
    }
}

/// What is not decided and not looked for would be forgotten.
#[test]
fn a_capture_that_nobody_looks_for_is_told() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let mut journal = database.open();
    queue(&mut journal, 1..=1);
    database.client().execute("DELETE FROM capture.pending", &[]).unwrap();
    let found = journal.journal.check().unwrap();
    assert!(found[0].ends_with("it is ready and is not looked for"), "{found:?}");
    let outcome: fn(_) -> Outcome = captured;
    record(&mut journal, 1, 3, outcome);
    sound(&mut journal.journal);
}

/// Those who work off captures at a rate, and live; not who asks for one, nor who works elsewhere.
#[test]
fn holders_that_share_a_rate_are_counted() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let sharers = |journal: &mut Opened, shares_rate: bool| {
        let want = Want { shares_rate, ..Want::default() };
        let (settled, asks) = (Vec::new(), Vec::new());
        journal.turn(&Turn { at: at(1), settled, asks, want }).unwrap().sharers
    };
    let mut hosts = [database.open(), database.open(), database.open()];
    let _one_that_asks = ask(&mut database.open(), 1, numbered(1));
    let mut elsewhere =
        Postgres::open(&database.config(), &"https://api.example/v1".parse().unwrap()).unwrap();
    let want = Want { shares_rate: true, ..Want::default() };
    let turn = Turn { at: at(1), settled: Vec::new(), asks: Vec::new(), want };
    assert_eq!(elsewhere.turn(&turn).unwrap().sharers, 1);
    for (at, expected) in [(0, 1), (1, 2), (2, 3), (0, 3), (1, 3)] {
        assert_eq!(sharers(&mut hosts[at], true), expected, "host {at}");
    }
    // One is done, one is stopped for too long, and comes back.
    let _ = sharers(&mut hosts[1], false);
    assert_eq!(sharers(&mut hosts[0], true), 2);
    hosts[2].run_out();
    assert_eq!(sharers(&mut hosts[0], true), 1);
    assert_eq!(sharers(&mut hosts[2], true), 2);
    assert_eq!(sharers(&mut hosts[0], true), 2);
}

/// Each chain goes on from where it was cut, and an order goes as a whole.
#[test]
fn what_is_long_decided_is_removed_from_every_chain() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let mut hosts = [database.open(), database.open()];
    for n in 1..=6 {
        record(&mut hosts[n as usize % 2], n, n as u64 * 10, captured);
    }
    // One that is in both chains: in doubt here, and decided there. What follows it is as old.
    let held = work(ask(&mut hosts[0], 70, numbered(7))).held;
    let _ = settle(&mut hosts[0], 71, held, unknown(numbered(7), at(70)));
    hosts[0].run_out();
    let held = work(ask(&mut hosts[1], 80, numbered(7))).held;
    let _ = settle(&mut hosts[1], 81, held, captured(numbered(7)));
    record(&mut hosts[1], 8, 90, captured);
    // One is not decided, and everything after it in its chain stays.
    let held = work(ask(&mut hosts[1], 100, numbered(9))).held;
    let _ = settle(&mut hosts[1], 101, held, unknown(numbered(9), at(100)));
    // So does one that was decided there, and with it what another chain has of it.
    let held = work(ask(&mut hosts[0], 102, numbered(12))).held;
    let _ = settle(&mut hosts[0], 103, held, unknown(numbered(12), at(102)));
    hosts[0].run_out();
    let held = work(ask(&mut hosts[1], 104, numbered(12))).held;
    let _ = settle(&mut hosts[1], 105, held, captured(numbered(12)));
    record(&mut hosts[1], 10, 110, captured);
    drop(hosts);
    let mut journal = database.open_now();
    let noted: Vec<_> =
        journal.verify(&[]).unwrap().heads.into_iter().map(|head| head.hash).collect();
    let recent = SystemTime::now() - Duration::from_secs(29 * 24 * 3600);
    assert!(matches!(journal.prune(recent), Err(KeepError::TooRecent)));
    // Before the seventh was decided, and then after.
    assert_eq!(journal.prune(at(75)).unwrap(), 6);
    assert_eq!(journal.prune(at(75)).unwrap(), 0);
    assert_eq!(journal.prune(at(1000)).unwrap(), 3);
    let verified = journal.verify(&noted).unwrap();
    assert_eq!((verified.broken_at, verified.missing), (Vec::new(), Vec::new()));
    assert_eq!((verified.records, verified.heads.len()), (4, 3));
    assert_eq!(journal.check().unwrap(), Vec::<String>::new());
    let known = |n| journal.stories(numbered(n).order_id()).unwrap().len();
    assert_eq!((1..=10).map(known).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
    assert_eq!(journal.stories(numbered(12).order_id()).unwrap()[0].entries.len(), 2);
}

/// What another journal had not decided is looked for here, and no key looks younger for the move.
#[test]
fn what_is_imported_open_goes_on_and_is_as_old_as_it_was() {
    if !server::is_there() {
        return;
    }
    let (from, to, directory) = (Database::create(), Database::create(), Directory::new());
    let mut old = from.open_now();
    // One that nobody began, one in doubt, one that was interrupted.
    let ready = Ask { capture: numbered(1), now: false };
    let turned = turn(&mut old, 1, &[], &[ready], 0);
    assert_eq!(turned.answers, [Answer::Queued]);
    let held = work(ask(&mut old, 2, numbered(2))).held;
    let _ = settle(&mut old, 3, held, unknown(numbered(2), at(2)));
    let _interrupted = work(ask(&mut old, 4, numbered(3)));
    let mut lines = Vec::new();
    assert_eq!(old.export(&mut lines).unwrap(), 3);
    let first_sent = |journal: &mut dyn Journal, n| {
        journal.stories(numbered(n).order_id()).unwrap()[0].first_sent()
    };
    let (mut file, mut new) = (directory.open(), to.open_now());
    assert_eq!(file.import(&lines[..]).unwrap(), 3);
    assert_eq!(new.import(&lines[..]).unwrap(), 3);
    for journal in [&mut file as &mut dyn Journal, &mut new] {
        assert_eq!(
            (2..=3).map(|n| first_sent(journal, n)).collect::<Vec<_>>(),
            [2, 4].map(|it| Some(at(it)))
        );
    }
    assert_eq!(new.check().unwrap(), Vec::<String>::new());
    // Again, and as a younger one: the older counts.
    let later = String::from_utf8(lines.clone()).unwrap();
    let second = |it: u64| format!("\"first_sent_ms\":{}", 1_700_000_000_000 + it * 1000);
    assert!(later.contains(&second(2)), "{later}");
    let later = later.replace(&second(2), &second(500));
    assert_eq!(file.import(later.as_bytes()).unwrap(), 3);
    assert_eq!(new.import(later.as_bytes()).unwrap(), 3);
    for journal in [&mut file as &mut dyn Journal, &mut new] {
        assert_eq!(first_sent(journal, 2), Some(at(2)));
    }
    drop(new);
    // What is refused leaves nothing, however far it came.
    let bad = [&lines[..], b"{}\n"].concat();
    let mut new = to.open_now();
    let (before, head) = (new.verify(&[]).unwrap().records, new.verify(&[]).unwrap().heads);
    assert!(matches!(new.import(&bad[..]), Err(KeepError::Line { line: 4, .. })));
    assert_eq!((new.verify(&[]).unwrap().records, new.verify(&[]).unwrap().heads), (before, head));
    assert_eq!(to.psql("capture", "SELECT count(*) FROM capture.pending").unwrap(), "3");
    let want = Want::most(9);
    let now = Turn { at: SystemTime::now(), settled: Vec::new(), asks: Vec::new(), want };
    let found = new.turn(&now).unwrap().work;
    assert!(found.iter().any(|it| *it.how.capture() == numbered(1)), "{found:?}");
}

/// By any number of programs at once, beside one that works.
#[test]
fn tables_of_the_first_version_are_brought_up_to_date() {
    if !server::is_there() {
        return;
    }
    const FIRST: &str = include_str!("../../../crates/capture-postgres/src/schema-1.sql");
    let database = Database::create();
    database.psql("capture", &format!("CREATE SCHEMA capture; {FIRST}")).unwrap();
    let filled = "INSERT INTO capture.environment (name) VALUES ('sandbox')";
    database.psql("capture", filled).unwrap();
    thread::scope(|scope| {
        for n in 1..=6 {
            let database = &database;
            scope.spawn(move || record(&mut database.open(), n, 1, captured));
        }
    });
    let version = database.psql("capture", "SELECT version FROM capture.version").unwrap();
    assert_eq!(version, "2");
    let mut journal = database.open_now();
    assert_eq!(journal.verify(&[]).unwrap().records, 6);
    assert_eq!(journal.check().unwrap(), Vec::<String>::new());
}
