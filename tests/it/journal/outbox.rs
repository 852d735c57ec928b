//! Captures that a service writes down in a transaction of its own, and a worker captures.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use capture_core::{Environment, IdempotencyKey, Outcome};
use capture_journal::blocking::Durable;
use capture_journal::{Answer, How, Journal as _, Turn, Want};
use capture_postgres::{EnqueueError, Enqueued, Postgres, enqueue};
use capture_sandbox::Sandbox;
use capture_ureq::{Client, Money, Setup};

use super::server::{self, Database};
use super::store::{ask, at, capture, declined, numbered, record, settle, turn, work};

const ORDER: &str = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";

fn enqueue_sql(values: &str) -> String {
    format!("SELECT capture.enqueue({values});")
}

fn url() -> String {
    "sandbox".parse::<Environment>().unwrap().base_url().to_string()
}

/// Its role may write captures down, and nothing else.
#[test]
fn a_row_that_psql_wrote_is_captured_by_a_worker() {
    if !server::is_there() {
        return;
    }
    let (database, sandbox) = (Database::create(), Sandbox::start());
    let order = sandbox.create_order(Money::parse("100.00", "USD").unwrap());
    let environment = sandbox.environment();
    let journal = Postgres::open(&database.config(), &environment).unwrap();
    let role = database.role();
    let grants = format!(
        "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA capture TO {role};
         GRANT EXECUTE ON FUNCTION capture.enqueue TO {role};"
    );
    database.psql("capture", &grants).unwrap();
    let name = environment.base_url();
    let values = format!("'{order}', 10000, 'USD', '{name}'");
    // What is rolled back was never asked for.
    let undone = format!("BEGIN; {} ROLLBACK;", enqueue_sql(&values));
    assert_eq!(database.psql(&role, &undone).unwrap(), "queued");
    assert_eq!(database.psql(&role, &enqueue_sql(&values)).unwrap(), "queued");
    assert_eq!(database.psql(&role, &enqueue_sql(&values)).unwrap(), "known");
    for sql in [
        "SELECT * FROM capture.intent",
        "DELETE FROM capture.inbox",
        "SELECT nextval('capture.claim_id')",
    ] {
        assert!(database.psql(&role, sql).unwrap_err().contains("permission denied"), "{sql}");
    }
    // A role that was given nothing may not even do that.
    database
        .psql("capture", &format!("REVOKE ALL ON FUNCTION capture.enqueue FROM {role}"))
        .unwrap();
    let refused = database.psql(&role, &enqueue_sql(&values)).unwrap_err();
    assert!(refused.contains("permission denied for function enqueue"), "{refused}");

    let client = Client::new(Setup::new(&environment, sandbox.credentials())).unwrap();
    let durable = Durable::new(client, journal);
    let recorded = durable.settle_next().unwrap().unwrap();
    assert!(matches!(recorded.outcome, Outcome::Captured(_)), "{recorded:?}");
    assert_eq!(recorded.outcome.capture().idempotency_key(), IdempotencyKey::for_order(order));
    assert_eq!(sandbox.ledger().captures(order), 1);
    assert_eq!(durable.settle_next().unwrap(), None);
    assert_eq!(database.psql("capture", &enqueue_sql(&values)).unwrap(), "known");
}

/// A block of SQL in `docs/fleet.md`.
fn documented(name: &str) -> &'static str {
    const PAGE: &str = include_str!("../../../docs/fleet.md");
    let (_, block) = PAGE.split_once(&format!("<!-- {name} -->\n```sql\n")).unwrap();
    block.split_once("```").unwrap().0
}

/// The roles of `docs/fleet.md` can do what they need, and no more.
#[test]
fn the_documented_roles() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let production = "production".parse().unwrap();
    drop(Postgres::open(&database.config(), &production).unwrap());
    database.psql("capture", documented("roles")).unwrap();
    let shop = format!(
        "CREATE TABLE public.orders (id uuid, shipped timestamptz); INSERT INTO public.orders VALUES ('{ORDER}');
         GRANT SELECT, UPDATE ON public.orders TO shop"
    );
    database.psql("capture", &shop).unwrap();
    let row = format!(
        "BEGIN; UPDATE orders SET shipped = now() WHERE id = '{ORDER}';
         SELECT capture.enqueue('{ORDER}', 10000, 'USD'); COMMIT;"
    );
    assert_eq!(database.psql("shop", &row).unwrap(), "queued");

    let mut config = database.config();
    let mut journal = Postgres::open(config.user("capture_worker"), &production).unwrap();
    let given = turn(&mut journal, 1, &[], &[], 9).work;
    assert_eq!(given[0].how, How::Fresh(capture("100.00")));
    let _ = settle(&mut journal, 2, given[0].held, super::store::captured(capture("100.00")));
    assert!(matches!(ask(&mut journal, 3, capture("100.00")), Answer::Decided(..)));
    assert_eq!(journal.check().unwrap(), Vec::<String>::new());
    // What was recorded stays.
    for sql in [
        "UPDATE capture.record SET is_note = true",
        "DELETE FROM capture.record",
        "DELETE FROM capture.claim",
        "UPDATE capture.intent SET amount = 1",
        "DELETE FROM capture.opening",
        "DROP TABLE capture.record",
    ] {
        let refused = database.psql("capture_worker", sql).unwrap_err();
        assert!(
            refused.contains("permission denied") || refused.contains("must be owner"),
            "{refused}"
        );
    }
}

#[test]
fn only_captures_are_written_down() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let mut journal = database.open();
    let url = url();
    for (values, why) in [
        (format!("'{ORDER}', 0, 'USD', '{url}'"), "amount 0: give minor units"),
        (format!("'{ORDER}', 4294967296, 'USD', '{url}'"), "amount 4294967296: give"),
        (format!("'{ORDER}', NULL, 'USD', '{url}'"), "amount <NULL>: give"),
        (format!("'{ORDER}', 1, 'usd', '{url}'"), "currency usd: give an active"),
        (format!("'{ORDER}', 1, 'XAU', '{url}'"), "currency XAU: give an active"),
        (format!("'{ORDER}', 1, 'USD'"), "environment production: no worker"),
        (format!("NULL, 1, 'USD', '{url}'"), "order_id: give the GUID"),
        (
            format!("'00000000-0000-0000-0000-000000000000', 1, 'USD', '{url}'"),
            "order_id: give the GUID",
        ),
    ] {
        let refused = database.psql("capture", &enqueue_sql(&values)).unwrap_err();
        assert!(refused.contains(why), "{values}: {refused}");
    }
    // What is open or captured with other values stands in the way, and so does a key that was refused.
    let usual = format!("'{ORDER}', 10000, 'USD', '{url}'");
    let other = format!("'{ORDER}', 5000, 'USD', '{url}'");
    let key = "11111111-2222-4333-8444-555555555555";
    let with_key = format!("'{ORDER}', 10000, 'USD', '{url}', '{key}'");
    let run = |values: &str| database.psql("capture", &enqueue_sql(values));
    assert_eq!(run(&usual).unwrap(), "queued");
    for other in [&other, &with_key] {
        assert!(run(other).unwrap_err().contains("was written down with other values"));
    }
    let given = turn(&mut journal, 1, &[], &[], 9).work;
    assert_eq!(given[0].how, How::Fresh(capture("100.00")));
    assert_eq!(run(&usual).unwrap(), "known");
    for other in [&other, &with_key] {
        let refused = run(other).unwrap_err();
        assert!(refused.contains("was asked for with 10000 minor units of USD"), "{refused}");
    }
    let _ = settle(&mut journal, 2, given[0].held, declined(capture("100.00")));
    assert!(run(&usual).unwrap_err().contains("give a new one"));
    assert_eq!(run(&with_key).unwrap(), "queued");
    let given = turn(&mut journal, 3, &[], &[], 9).work;
    assert_eq!(given[0].how.capture().idempotency_key().to_string(), key);
    let outcome = super::store::captured(*given[0].how.capture());
    let _ = settle(&mut journal, 4, given[0].held, outcome);
    assert_eq!(run(&usual).unwrap(), "known");
    assert!(run(&other).unwrap_err().contains("was asked for with 10000"));
    assert_eq!(journal.journal.check().unwrap(), Vec::<String>::new());
}

/// Somebody asked for the order with other values before a worker came.
#[test]
fn what_cannot_be_taken_is_kept_and_said_why() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let mut journal = database.open();
    let other = format!("'{ORDER}', 5000, 'USD', '{}'", url());
    assert_eq!(database.psql("capture", &enqueue_sql(&other)).unwrap(), "queued");
    let held = work(ask(&mut journal, 0, capture("100.00"))).held;
    assert_eq!(turn(&mut journal, 1, &[], &[], 9).work, []);
    let refused = database.psql("capture", "SELECT amount, why FROM capture.refused").unwrap();
    assert!(refused.starts_with("5000|the order was asked for with 100.00 USD"), "{refused}");
    let _ = settle(&mut journal, 2, held, super::store::captured(capture("100.00")));
    assert_eq!(database.psql("capture", "SELECT count(*) FROM capture.inbox").unwrap(), "0");
}

/// A worker takes what voids first, and what commits late is not passed over.
#[test]
fn the_most_urgent_goes_first_and_late_commits_are_found() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let mut journal = database.open();
    let order = |number: u128| numbered(number).order_id();
    let values = |number: u128, before: &str| {
        format!(
            "SELECT capture.enqueue('{}', 10000, 'USD', '{}', capture_before => {before})",
            order(number),
            url()
        )
    };
    let mut late = database.client();
    let mut transaction = late.transaction().unwrap();
    transaction.batch_execute(&values(1, "'2026-11-29 10:00Z'")).unwrap();
    for (number, before) in
        [(2, "NULL"), (3, "'2026-12-02Z'"), (4, "'2026-12-01Z'"), (5, "'2026-12-03Z'")]
    {
        database.psql("capture", &values(number, before)).unwrap();
    }
    let mut next = |most| -> Vec<_> {
        let given = turn(&mut journal, 1, &[], &[], most).work;
        given.iter().map(|work| work.how.capture().order_id()).collect()
    };
    assert_eq!(next(2), [order(4), order(3)]);
    transaction.commit().unwrap();
    assert_eq!(next(9), [order(1), order(5), order(2)]);
}

/// Another holder is asked for the order just now.
#[test]
fn what_is_locked_stays_in_the_inbox() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let mut journal = database.open();
    let values = format!("'{}', 10000, 'USD', '{}'", numbered(5).order_id(), url());
    assert_eq!(database.psql("capture", &enqueue_sql(&values)).unwrap(), "queued");
    let mut client = database.client();
    let mut other = client.transaction().unwrap();
    // The lock of an order is its two halves, one over the other.
    other.query("SELECT pg_advisory_xact_lock(5)", &[]).unwrap();
    let given = turn(&mut journal, 0, &[], &[], 9);
    assert_eq!((given.work, given.later), (Vec::new(), Some(at(5))));
    other.commit().unwrap();
    assert_eq!(turn(&mut journal, 1, &[], &[], 9).work.len(), 1);
}

#[test]
fn rust_writes_a_capture_down_in_its_own_transaction() {
    if !server::is_there() {
        return;
    }
    let database = Database::create();
    let mut journal = database.open();
    record(&mut journal, 1, 0, super::store::captured);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let sandbox = "sandbox".parse().unwrap();
        let (mut client, connection) =
            database.config().connect(tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let transaction = client.transaction().await.unwrap();
        transaction.batch_execute("CREATE TABLE shipped AS SELECT 1").await.unwrap();
        let queued = enqueue(&transaction, &sandbox, &capture("100.00")).await.unwrap();
        assert_eq!(queued, Enqueued::Queued);
        let known = enqueue(&transaction, &sandbox, &numbered(1)).await.unwrap();
        assert_eq!(known, Enqueued::Known);
        transaction.commit().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        let refused = enqueue(&transaction, &sandbox, &capture("50.00")).await.unwrap_err();
        assert!(matches!(refused, EnqueueError::Refused(_)), "{refused}");
        drop(transaction);
        // Opening and dropping the journal is safe within a runtime.
        drop(database.open_now());
        drop(client);
        connection.await.unwrap().unwrap();
    });
    let given = turn(&mut journal, 5, &[], &[], 9).work;
    assert_eq!(given.len(), 1);
    assert_eq!(given[0].how, How::Fresh(capture("100.00")));
    let stories = journal.stories(capture("100.00").order_id()).unwrap();
    assert!(
        stories[0].asked_at >= at(5)
            && stories[0].asked_at < SystemTime::now() + Duration::from_secs(9)
    );
}

/// As soon as it is committed, and not before; no worker of another environment.
#[test]
fn what_is_written_down_wakes_a_worker() {
    if !server::is_there() {
        return;
    }
    let (database, here) = (Database::create(), "sandbox".parse().unwrap());
    let there = "https://api.example/v1".parse().unwrap();
    let [mut worker, mut other] =
        [&here, &there].map(|it| Postgres::open(&database.config(), it).unwrap());
    let want = Want { shares_rate: true, ..Want::default() };
    let idle = Turn { at: at(1), settled: Vec::new(), asks: Vec::new(), want };
    for journal in [&mut worker, &mut other] {
        let _ = journal.turn(&idle).unwrap();
    }
    let (wake, elsewhere) = (worker.wake(), other.wake());
    let row = enqueue_sql(&format!("'{ORDER}', 10000, 'USD', '{}'", url()));
    database.psql("capture", &format!("BEGIN; {row} ROLLBACK;")).unwrap();
    thread::sleep(Duration::from_millis(300));
    assert!(!wake.take());
    database.psql("capture", &row).unwrap();
    let began = Instant::now();
    while !wake.take() {
        assert!(began.elapsed() < Duration::from_secs(30), "nobody was woken");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(!elsewhere.take());
    // One that works no more is left alone.
    let done = Turn { want: Want::default(), ..idle };
    let _ = worker.turn(&done).unwrap();
    let row = enqueue_sql(&format!("'{}', 10000, 'USD', '{}'", numbered(7).order_id(), url()));
    database.psql("capture", &row).unwrap();
    thread::sleep(Duration::from_millis(300));
    assert!(!wake.take());
}
