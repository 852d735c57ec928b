//! Workers of one database, each a process of its own, that are killed, stopped and cut off at any moment.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, thread};

use capture_core::{Credentials, OrderId};
use capture_journal::blocking::Durable;
use capture_journal::{Ask, Journal as _, Pace, Turn, Want};
use capture_postgres::{Options, Postgres};
use capture_sandbox::{Sandbox, Script, Server};
use capture_ureq::{Capture, Client, Environment, IdempotencyKey, Money, Setup, Stop};

use super::server::{self, Database};

const DATABASE: &str = "CAPTURE_TEST_DATABASE";
const API: &str = "CAPTURE_TEST_API";
const KEY: &str = "CAPTURE_TEST_KEY";
const SECRET: &str = "CAPTURE_TEST_SECRET";

/// Where a worker's clock is told by how much to be off, and by how much it is to be, once it has opened the journal.
const CLOCK: &str = "FAKETIME_TIMESTAMP_FILE";
const SKEW: &str = "CAPTURE_TEST_SKEW";

/// Works off what is asked for, until it is killed.
#[test]
#[ignore = "the other test runs it"]
fn a_worker() {
    let Ok(database) = env::var(DATABASE) else { return };
    let of = |name| env::var(name).unwrap();
    let environment: Environment = of(API).parse().unwrap();
    let options = Options { lease: Duration::from_secs(1), ..Options::default() };
    let journal = Postgres::open_with(&database.parse().unwrap(), &environment, &options).unwrap();
    let credentials = Credentials::new(of(KEY), of(SECRET)).unwrap();
    let client = Client::new(Setup::new(&environment, credentials)).unwrap();
    let pace = Pace { concurrency: 4, ahead: 8, per_second: None, stays: true, ..Pace::default() };
    if let Ok(clock) = env::var(CLOCK) {
        fs::write(clock, of(SKEW)).unwrap();
    }
    let _ = Durable::new(client, journal).run(&pace, &Stop::default(), |_| {});
}

fn worker(database: &Database, sandbox: &Server, clock: Option<&Clock>) -> Child {
    let mut worker = Command::new(env::current_exe().unwrap());
    worker.args(["--exact", "--ignored", "journal::killed::a_worker"]);
    worker.env(DATABASE, database.url()).env(API, sandbox.base_url());
    worker.env(KEY, sandbox.app_key()).env(SECRET, sandbox.app_secret());
    if let Some(Clock { library, file, skew }) = clock {
        fs::write(file, "+0").unwrap();
        worker.env("LD_PRELOAD", library).env(CLOCK, file).env(SKEW, skew);
        worker.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
    worker.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// A clock that jumps.
struct Clock {
    library: PathBuf,
    file: PathBuf,
    skew: &'static str,
}

/// For each worker one or none: two in four jump by a day.
fn clocks(folder: &Path, workers: usize) -> Vec<Option<Clock>> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let libraries = folders.map(|it| it.path().join("faketime/libfaketimeMT.so.1"));
    let Some(library) = libraries.into_iter().find(|it| it.exists()) else {
        crate::skipped("libfaketime is not installed: no worker's clock jumped by a day");
        return (0..workers).map(|_| None).collect();
    };
    let clock = |at: usize| {
        let skew = [None, Some("+1d"), None, Some("-1d")][at % 4]?;
        Some(Clock { library: library.clone(), file: folder.join(format!("clock-{at}")), skew })
    };
    (0..workers).map(clock).collect()
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
}

#[test]
fn each_order_is_captured_once_whatever_happens_to_the_workers() {
    if server::is_there() {
        let storm = Storm { orders: 300, workers: 4, troubles: 40, is_crashed: false };
        storm.rages(&Database::create());
    }
}

/// With a server of its own, which crashes too. The weekly run has it.
#[test]
#[ignore = "it takes minutes"]
fn twenty_thousand_captures_survive_the_storm() {
    let server = server::Server::start(None).expect("PostgreSQL is installed");
    let database = Database::on(Box::leak(Box::new(server)));
    Storm { orders: 20_000, workers: 8, troubles: 600, is_crashed: true }.rages(&database);
}

/// Workers off so many orders, until so many troubles have come and all orders are captured.
struct Storm {
    orders: usize,
    workers: usize,
    troubles: usize,
    /// Whether the server crashes now and then, and undoes transactions.
    is_crashed: bool,
}

#[derive(Debug, Default)]
struct Seen {
    killed: usize,
    stopped: usize,
    cut: usize,
    crashed: usize,
}

impl Storm {
    fn rages(&self, database: &Database) {
        let sandbox = Sandbox::start();
        let environment = sandbox.environment();
        let orders = self.fill(database, &sandbox);
        sandbox.script(Script::lost_reply().percent(3).times(u32::MAX));
        sandbox.script(Script::delayed(Duration::from_millis(100)).times(u32::MAX));
        if self.is_crashed {
            undo_some(database);
        }
        let folder = tempfile::tempdir().unwrap();
        let clocks = clocks(folder.path(), self.workers);
        let start = |at: usize| worker(database, &sandbox, clocks[at].as_ref());
        let mut workers: Vec<Child> = (0..self.workers).map(start).collect();
        let (mut seen, began) = (Seen::default(), Instant::now());
        for round in 0.. {
            let left = left(database);
            if left == Some(0) {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(1200), "{left:?} are left");
            thread::sleep(Duration::from_millis(130));
            if round < self.troubles {
                self.trouble(round, database, &mut workers, &mut seen);
            }
            for (at, one) in workers.iter_mut().enumerate() {
                if one.try_wait().unwrap().is_some() {
                    *one = start(at);
                }
            }
        }
        for one in &mut workers {
            one.kill().unwrap();
            one.wait().unwrap();
        }
        let mut journal = Postgres::open(&database.config(), &environment).unwrap();
        let ledger = sandbox.ledger();
        for order in &orders {
            assert_eq!(ledger.captures(*order), 1, "{order}");
            let stories = journal.stories(*order).unwrap();
            assert_eq!(stories[0].standing().name(), "captured", "{stories:?}");
        }
        assert_eq!(journal.check().unwrap(), Vec::<String>::new());
        assert_eq!(journal.verify(&[]).unwrap().broken_at, []);
        let again = "SELECT count(*) - count(DISTINCT intent) FROM capture.claim";
        let again: i64 = database.client().query_one(again, &[]).unwrap().get(0);
        assert!(again > 0, "nobody was interrupted: this showed nothing");
        println!(
            "figures: {} captured once, 0 lost, 0 doubled, {seen:?}, {again} taken over",
            orders.len()
        );
    }

    fn fill(&self, database: &Database, sandbox: &Server) -> Vec<OrderId> {
        let money = Money::parse("100.00", "USD").unwrap();
        let mut journal = Postgres::open(&database.config(), &sandbox.environment()).unwrap();
        let orders: Vec<_> = (0..self.orders).map(|_| sandbox.create_order(money)).collect();
        let ask = |order: &OrderId| {
            let capture = Capture::new(*order, money, IdempotencyKey::for_order(*order));
            Ask { capture, now: false }
        };
        for some in orders.chunks(500) {
            let (at, asks) = (SystemTime::now(), some.iter().map(ask).collect());
            let (settled, want) = (Vec::new(), Want::default());
            journal.turn(&Turn { at, settled, asks, want }).unwrap();
        }
        orders
    }

    fn trouble(&self, round: usize, database: &Database, workers: &mut [Child], seen: &mut Seen) {
        let at = round * 7 % workers.len();
        match round % 5 {
            0 | 1 => {
                workers[at].kill().unwrap();
                workers[at].wait().unwrap();
                seen.killed += 1;
            }
            2 => {
                // Past its lease.
                signal(&workers[at], "-STOP");
                thread::sleep(Duration::from_millis(1300));
                signal(&workers[at], "-CONT");
                seen.stopped += 1;
            }
            3 => {
                let one = "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = 'capture'
                    ORDER BY random() LIMIT 1) it";
                database.client().query(one, &[]).unwrap();
                seen.cut += 1;
            }
            _ if self.is_crashed && round % 25 == 4 => {
                database.crash();
                seen.crashed += 1;
            }
            _ => {}
        }
    }
}

/// How many are not decided; `None` while the server cannot say.
fn left(database: &Database) -> Option<i64> {
    let left = database.psql("capture", "SELECT count(*) FROM capture.pending").ok()?;
    left.parse().ok()
}

/// Lets the server undo some transactions: within, as after a deadlock, and at their COMMIT.
fn undo_some(database: &Database) {
    let triggers = "CREATE FUNCTION public.undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF random() < TG_ARGV[0]::float8 THEN
                RAISE EXCEPTION 'undone' USING ERRCODE = 'serialization_failure';
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER undo AFTER INSERT ON capture.record FOR EACH STATEMENT EXECUTE FUNCTION public.undo(0.05);
        CREATE CONSTRAINT TRIGGER undo_late AFTER INSERT ON capture.claim DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION public.undo(0.0005);";
    database.psql("capture", triggers).unwrap();
}
