//! Workers of one database, each a process of its own, that are killed, stopped and cut off at any moment.

use std::env;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use capture_core::Credentials;
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

const ORDERS: usize = 300;

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
    let _ = Durable::new(client, journal).run(&pace, &Stop::default(), |_| {});
}

fn worker(database: &Database, sandbox: &Server) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "--ignored", "journal::killed::a_worker"])
        .env(DATABASE, database.url())
        .env(API, sandbox.base_url())
        .env(KEY, sandbox.app_key())
        .env(SECRET, sandbox.app_secret())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
}

#[test]
fn each_order_is_captured_once_whatever_happens_to_the_workers() {
    if !server::is_there() {
        return;
    }
    let (database, sandbox) = (Database::create(), Sandbox::start());
    let environment = sandbox.environment();
    let mut journal = Postgres::open(&database.config(), &environment).unwrap();
    let money = Money::parse("100.00", "USD").unwrap();
    let orders: Vec<_> = (0..ORDERS).map(|_| sandbox.create_order(money)).collect();
    let ask = |order| {
        let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
        Ask { capture, now: false }
    };
    let (at, asks) = (std::time::SystemTime::now(), orders.iter().map(|it| ask(*it)).collect());
    let (settled, want) = (Vec::new(), Want::default());
    journal.turn(&Turn { at, settled, asks, want }).unwrap();
    sandbox.script(Script::delayed(Duration::from_millis(100)).times(u32::MAX));

    let mut client = database.client();
    let mut workers: Vec<Child> = (0..4).map(|_| worker(&database, &sandbox)).collect();
    let began = Instant::now();
    for round in 0_usize.. {
        let left = client.query_one("SELECT count(*) FROM capture.pending", &[]).unwrap();
        if left.get::<_, i64>(0) == 0 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{} are left", left.get::<_, i64>(0));
        thread::sleep(Duration::from_millis(130));
        let at = round * 7 % workers.len();
        match round % 5 {
            0 | 1 if round < 40 => {
                workers[at].kill().unwrap();
                workers[at].wait().unwrap();
            }
            2 if round < 40 => {
                // Past its lease.
                signal(&workers[at], "-STOP");
                thread::sleep(Duration::from_millis(1300));
                signal(&workers[at], "-CONT");
            }
            3 if round < 40 => {
                let one = "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = 'capture'
                    ORDER BY random() LIMIT 1) it";
                client.query(one, &[]).unwrap();
            }
            _ => {}
        }
        for one in &mut workers {
            if one.try_wait().unwrap().is_some() {
                *one = worker(&database, &sandbox);
            }
        }
    }
    for one in &mut workers {
        one.kill().unwrap();
        one.wait().unwrap();
    }
    drop(journal);
    let mut journal = Postgres::open(&database.config(), &environment).unwrap();
    for order in orders {
        assert_eq!(sandbox.ledger().captures(order), 1, "{order}");
        let stories = journal.stories(order).unwrap();
        assert_eq!(stories[0].standing().name(), "captured", "{stories:?}");
    }
    assert_eq!(journal.check().unwrap(), Vec::<String>::new());
    assert_eq!(journal.verify(&[]).unwrap().broken_at, []);
    let taken = "SELECT count(*) - count(DISTINCT intent) FROM capture.claim";
    let again: i64 = client.query_one(taken, &[]).unwrap().get(0);
    assert!(again > 0, "nobody was interrupted: this showed nothing");
}
