//! The command with its journal in PostgreSQL: every command, many workers, and a password that nobody sees.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use capture_core::{Money, OrderId};
use capture_sandbox::{Operation, Script};
use serde_json::{Value, json};

use super::command::{Run, capture_at, directory, server};
use super::interrupt::send;
use super::scenario::Site;
use super::work::service::Service;
use crate::journal::server::{self as postgres, Database};

/// A sandbox, a database, and a list of orders.
struct Fleet {
    server: Site,
    database: Database,
    directory: PathBuf,
    orders: Vec<OrderId>,
}

impl Fleet {
    /// `None` where there is no server.
    fn new(name: &str, count: usize) -> Option<Self> {
        if !postgres::is_there() {
            return None;
        }
        let (server, directory) = (server(), directory(&format!("fleet-{name}")));
        let money = Money::parse("100.00", "USD").unwrap();
        let orders: Vec<_> = (0..count).map(|_| server.create_order(money)).collect();
        let row = |(at, order): (usize, &OrderId)| format!("{order},100.00,USD,R-{at}\n");
        let rows: String = orders.iter().enumerate().map(row).collect();
        fs::write(
            directory.join("orders.csv"),
            format!("order_id,amount,currency,reference\n{rows}"),
        )
        .unwrap();
        Some(Self { server, database: Database::create(), directory, orders })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = capture_at(&self.server, arguments);
        command.env("CAPTURE_JOURNAL", self.database.journal()).env("CAPTURE_LEASE", "1");
        command.current_dir(&self.directory);
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap())
    }

    fn lines(&self, arguments: &[&str]) -> Vec<Value> {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{run:?}");
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How many are captured; none of them twice.
    fn captured(&self) -> usize {
        let ledger = self.server.ledger();
        let times: Vec<_> = self.orders.iter().map(|order| ledger.captures(*order)).collect();
        assert!(times.iter().all(|times| *times < 2), "{times:?}");
        times.iter().sum()
    }

    fn worker(&self) -> Child {
        let mut command = self.command(&["work", "--rate", "none", "--concurrency", "4"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn wait(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < Duration::from_secs(60), "{what} takes too long");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn sound(&self) {
        let run = self.run(&["journal", "check"]);
        assert_eq!(run.code, 0, "{run:?}");
    }
}

const RUN: [&str; 5] = ["run", "orders.csv", "--rate", "none", "--json"];

#[test]
fn a_list_goes_through_every_command() {
    let Some(fleet) = Fleet::new("list", 12) else { return };
    // Who only looks makes nothing.
    let run = fleet.run(&["runs"]);
    assert_eq!((run.code, run.stderr.contains("no journal in the database")), (2, true), "{run:?}");
    let plan = fleet.run(&["plan", "orders.csv"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    assert!(plan.stdout.contains("12 captures, 1200.00 USD"), "{plan:?}");
    assert!(fleet.server.transcript().is_empty());
    // One reply is lost: it is looked up.
    fleet.server.script(Script::lost_reply().on(Operation::Capture).times(1));
    let run = fleet.run(&RUN);
    assert_eq!((run.code, &run.json()["captured"]), (0, &json!(12)), "{run:?}");
    assert_eq!(fleet.captured(), 12);
    let again = fleet.run(&RUN);
    assert!(again.code == 0 && again.stderr.contains("the list was done before"), "{again:?}");
    let runs = fleet.run(&["runs", "--json"]).json();
    assert_eq!((&runs[0]["run"], &runs[0]["is_decided"]), (&json!(1), &json!(true)));
    let results = fleet.lines(&["results", "1", "--json"]);
    assert_eq!(results.len(), 12);
    assert!(results.iter().all(|it| it["outcome"] == "captured"), "{results:?}");
    assert_eq!(results[3]["reference"], "R-3");
    let report = fleet.run(&["report", "1", "--html", "report.html"]);
    assert_eq!(report.code, 0, "{report:?}");
    assert!(fs::read_to_string(fleet.directory.join("report.html")).unwrap().contains("1200.00"));
    let order = fleet.orders[3].to_string();
    let explained = fleet.run(&["explain", &order, "--json"]);
    assert_eq!(explained.code, 0, "{explained:?}");
    assert_eq!(explained.json()["captures"][0]["standing"], "captured");
    let status = fleet.run(&["status", &order, "--json"]);
    assert_eq!(status.json()["journal"]["standing"], "captured", "{status:?}");
    // The order is recorded: nothing is sent, and no other values are taken.
    let sent = fleet.server.transcript().len();
    let recorded = fleet.run(&["order", &order, "--amount", "100.00", "--currency", "USD"]);
    assert_eq!(recorded.code, 0, "{recorded:?}");
    let other = fleet.run(&["order", &order, "--amount", "99.00", "--currency", "USD"]);
    assert!(other.code == 2 && other.stderr.contains("asked for with 100.00 USD"), "{other:?}");
    assert_eq!(fleet.server.transcript().len(), sent);
    let settled = fleet.run(&["settle", "--json"]);
    assert_eq!(settled.code, 0, "{settled:?}");
    let due = fleet.run(&["due", "--json"]);
    assert_eq!((due.code, &due.json()["orders"]), (0, &json!([])), "{due:?}");
}

#[test]
fn a_journal_is_looked_after_and_moves_between_a_file_and_a_database() {
    let Some(fleet) = Fleet::new("keep", 5) else { return };
    let order = |order: &str, place: Option<&str>| {
        let mut command =
            fleet.command(&["order", order, "--amount", "100.00", "--currency", "USD", "--json"]);
        place.map(|place| command.env("CAPTURE_JOURNAL", place));
        Run::of(command.output().unwrap())
    };
    let orders: Vec<_> = fleet.orders.iter().map(ToString::to_string).collect();
    for it in &orders[..3] {
        let run = order(it, Some("one.journal"));
        assert_eq!(run.code, 0, "{run:?}");
    }
    let exported = fleet.run(&["journal", "export", "one.jsonl", "--journal", "one.journal"]);
    assert_eq!(exported.code, 0, "{exported:?}");
    let imported = fleet.run(&["journal", "import", "one.jsonl", "--json"]);
    assert_eq!((imported.code, imported.json()), (0, json!({ "imported": 3 })), "{imported:?}");
    let sent = fleet.server.transcript().len();
    for it in &orders[..3] {
        assert_eq!(order(it, None).code, 0);
    }
    assert_eq!(fleet.server.transcript().len(), sent, "each is recorded");
    assert_eq!(order(&orders[3], None).code, 0);
    let checked = fleet.run(&["journal", "check"]);
    assert_eq!((checked.code, checked.stdout.trim()), (0, "sound: 4 records"), "{checked:?}");
    let verified = fleet.run(&["journal", "verify", "--json"]).json();
    assert_eq!((&verified["records"], &verified["has_head"]), (&json!(4), &json!(null)));
    let heads = verified["heads"].as_array().unwrap();
    assert_eq!(heads.len(), 2, "one for each process that recorded something");
    let head = heads[0]["head"].as_str().unwrap();
    assert_eq!(fleet.run(&["journal", "verify", "--head", head]).code, 0);
    let other = fleet.run(&["journal", "verify", "--head", &"0a".repeat(32)]);
    assert!(other.code == 1 && other.stdout.contains("NOT in a chain"), "{other:?}");
    // Back into a file, and a line that is none leaves everything as it was.
    let exported = fleet.run(&["journal", "export", "two.jsonl"]);
    assert_eq!(exported.code, 0, "{exported:?}");
    let imported = fleet.run(&["journal", "import", "two.jsonl", "--journal", "two.journal"]);
    assert_eq!(imported.code, 0, "{imported:?}");
    assert_eq!(order(&orders[3], Some("two.journal")).code, 0);
    let text = fs::read_to_string(fleet.directory.join("two.jsonl")).unwrap();
    let row = fleet.server.create_order(Money::parse("100.00", "USD").unwrap()).to_string();
    let bad = format!("{}{}\n", text.replace(&orders[0], &row), "{}");
    fs::write(fleet.directory.join("bad.jsonl"), bad).unwrap();
    let refused = fleet.run(&["journal", "import", "bad.jsonl"]);
    assert!(refused.code == 2 && refused.stderr.contains("line 5: no record"), "{refused:?}");
    assert_eq!(fleet.run(&["explain", &row]).code, 1, "nothing of it was taken");
    fleet.sound();
    // What its own tools do better.
    let backup = fleet.run(&["journal", "backup", "copy"]);
    assert!(backup.code == 2 && backup.stderr.contains("pg_dump"), "{backup:?}");
    let edit = "UPDATE capture.record SET at_ms = at_ms + 1 WHERE id = 2";
    fleet.database.psql("capture", edit).unwrap();
    let broken = fleet.run(&["journal", "check"]);
    assert!(broken.code == 1 && broken.stdout.contains("is broken at record 2"), "{broken:?}");
    let explained = fleet.run(&["explain", &orders[0]]);
    assert!(explained.stderr.contains("is broken at record 2"), "{explained:?}");
}

/// Two hosts with the same file, one of which is killed.
#[test]
fn two_who_run_one_list_share_it_and_one_takes_over() {
    let Some(fleet) = Fleet::new("two", 60) else { return };
    fleet
        .server
        .script(Script::delayed(Duration::from_millis(50)).on(Operation::Capture).times(999));
    let arguments = [&RUN[..], &["--concurrency", "4"]].concat();
    let start = || {
        let mut command = fleet.command(&arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let (mut first, second) = (start(), start());
    fleet.wait("the first captures", || fleet.captured() >= 10);
    send("KILL", first.id());
    first.wait().unwrap();
    let second = Run::of(second.wait_with_output().unwrap());
    // What the first one held was free again once its lease had run out.
    assert_eq!((second.code, &second.json()["captured"]), (0, &json!(60)), "{second:?}");
    assert_eq!(fleet.captured(), 60);
    fleet.sound();
}

#[test]
fn workers_come_and_go_and_each_order_is_captured_once() {
    let Some(fleet) = Fleet::new("workers", 150) else { return };
    fleet
        .server
        .script(Script::delayed(Duration::from_millis(20)).on(Operation::Capture).times(999));
    let mut workers = [fleet.worker(), fleet.worker(), fleet.worker()];
    fleet.wait("the journal", || {
        let there = "SELECT count(*) FROM capture.environment";
        fleet.database.psql("capture", there).is_ok_and(|count| count == "1")
    });
    let orders: Vec<_> = fleet.orders.iter().map(|order| format!("('{order}'::uuid)")).collect();
    let environment = fleet.server.environment();
    let url = environment.base_url();
    let insert = format!(
        "SELECT capture.enqueue(id, 10000, 'USD', '{url}') FROM (VALUES {}) AS it (id)",
        orders.join(",")
    );
    fleet.database.psql("capture", &insert).unwrap();
    fleet.wait("the first captures", || fleet.captured() >= 20);
    send("KILL", workers[0].id());
    workers[0].wait().unwrap();
    // A rolling restart: one ends and another one comes.
    for at in [1, 2] {
        send("TERM", workers[at].id());
        assert!(workers[at].wait().unwrap().success());
        workers[at] = fleet.worker();
    }
    fleet.wait("all of them", || fleet.captured() == 150);
    fleet.wait("the last record", || {
        fleet.database.psql("capture", "SELECT count(*) FROM capture.pending").unwrap() == "0"
    });
    for worker in &mut workers[1..] {
        send("TERM", worker.id());
        assert!(worker.wait().unwrap().success());
    }
    fleet.sound();
}

/// Its connection is cut, and its server crashes: it goes on by itself, and what was on its way is looked up.
#[test]
fn a_service_outlives_its_database() {
    let Some(server) = postgres::Server::start(None) else { return };
    let database = Database::on(Box::leak(Box::new(server)));
    let Some(fleet) = Fleet::new("outlives", 60) else { return };
    let fleet = Fleet { database, ..fleet };
    fleet
        .server
        .script(Script::delayed(Duration::from_millis(50)).on(Operation::Capture).times(999));
    let mut command = fleet.command(&["work", "--rate", "none", "--concurrency", "4", "--json"]);
    command.args(["--health", "127.0.0.1:0"]);
    let service = Service::start(&mut command);
    let orders: Vec<_> = fleet.orders.iter().map(|order| format!("('{order}'::uuid)")).collect();
    let (environment, orders) = (fleet.server.environment(), orders.join(","));
    let url = environment.base_url();
    let insert = format!(
        "SELECT capture.enqueue(id, 10000, 'USD', '{url}') FROM (VALUES {orders}) AS it (id)"
    );
    fleet.database.psql("capture", &insert).unwrap();
    service.wait("the first captures", || fleet.captured() >= 5);
    let cut =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'capture'";
    fleet.database.psql("capture", cut).unwrap();
    service.wait("more captures", || fleet.captured() >= 20);
    fleet.database.crash();
    service.wait("all captures", || fleet.captured() == 60);
    service.wait("the last record", || {
        let left = fleet.database.psql("capture", "SELECT count(*) FROM capture.pending");
        left.is_ok_and(|left| left == "0")
    });
    let (status, health) = service.health();
    assert_eq!((status, &health["status"]), (200, &json!("ok")), "{health}");
    let metrics = service.get("/metrics").2;
    assert!(metrics.contains("capture_open{standing=\"unknown\"} 0"), "{metrics}");
    let run = service.stop();
    assert_eq!((run.code, &run.json()["unknown"]), (0, &json!(0)), "{run:?}");
    assert!(run.stderr.contains("nothing more begins"), "it lost its journal: {run:?}");
    fleet.sound();
}

/// It waits for a server that is not there yet, and gives up on one that refuses it.
#[test]
fn a_service_waits_for_its_database_to_start() {
    let Some(fleet) = Fleet::new("waits", 0) else { return };
    let nowhere = "postgres://capture@127.0.0.1:1/shop";
    let mut command = fleet.command(&["work", "--json"]);
    let service = Service::launch(command.env("CAPTURE_JOURNAL", nowhere));
    service.wait("the warning", || service.log().contains("nothing begins until it is there"));
    service.kill();
    let wrong = fleet.database.journal().replace("capture@", "nobody_there@");
    let mut command = fleet.command(&["work", "--json"]);
    let refused = Run::of(command.env("CAPTURE_JOURNAL", wrong).output().unwrap());
    assert_eq!((refused.code, &refused.json()["field"]), (2, &json!("journal")), "{refused:?}");
}

#[test]
fn a_password_is_refused_in_an_argument_and_shown_nowhere() {
    const PASSWORD: &str = "canary-password";
    let Some(fleet) = Fleet::new("password", 1) else { return };
    let order = fleet.orders[0].to_string();
    let with = fleet.database.journal().replace("capture@", &format!("capture:{PASSWORD}@"));
    let run = |flag: Option<&str>, journal: Option<&str>, password: Option<&str>| {
        let mut command =
            fleet.command(&["order", &order, "--amount", "100.00", "--currency", "USD", "--json"]);
        flag.map(|flag| command.args(["--journal", flag]));
        journal.map(|journal| command.env("CAPTURE_JOURNAL", journal));
        password.map(|password| command.env("PGPASSWORD", password));
        let run = Run::of(command.output().unwrap());
        assert!(!format!("{run:?}").contains(PASSWORD), "{run:?}");
        run
    };
    let refused = run(Some(&with), None, None);
    assert_eq!((refused.code, &refused.json()["field"]), (2, &json!("journal")), "{refused:?}");
    assert!(refused.stderr.contains("give it by PGPASSWORD"), "{refused:?}");
    // The same one, given twice.
    assert_eq!(run(Some(&with), None, Some(PASSWORD)).code, 2);
    for (journal, says) in [
        (format!("postgres://capture:{PASSWORD}@/shop"), "names no host"),
        (format!("postgres://capture:{PASSWORD}@h/shop?what=1"), "is no URL of a database"),
        (format!("postgres://capture:{PASSWORD}@127.0.0.1:1/shop"), "cannot be used"),
    ] {
        let run = run(None, Some(&journal), None);
        assert!(run.code == 2 && run.stderr.contains(says), "{run:?}");
    }
    // What was meant for a database never becomes a file, which each machine would have for itself.
    for slip in [
        format!("Postgres://capture:{PASSWORD}@h/shop"),
        format!(" postgres://capture:{PASSWORD}@h/shop"),
        format!("jdbc:postgresql://h/shop?password={PASSWORD}"),
        format!("postgres:/capture:{PASSWORD}@h/shop"),
        format!("host=h user=capture password={PASSWORD} dbname=shop"),
    ] {
        for flag in [None, Some(&slip[..])] {
            let run = run(flag, Some(&slip), None);
            assert!(
                run.code == 2 && run.stderr.contains("names neither a file nor a database"),
                "{run:?}"
            );
        }
    }
    let run_of = run(None, Some(&with.replace(PASSWORD, &format!("x@{PASSWORD}"))), None);
    assert!(run_of.code == 2 && run_of.stderr.contains("is written as %40"), "{run_of:?}");
    assert!(fleet.server.transcript().is_empty());
    let captured = run(None, Some(&with), None);
    assert_eq!(captured.code, 0, "{captured:?}");
    assert!(captured.stderr.contains("journal postgres://capture@"), "{captured:?}");
    let without = fleet.database.journal();
    assert_eq!(run(Some(&without), None, Some(PASSWORD)).code, 0);
}

/// What `docs/fleet.md` shows, in its order, as one script.
fn documented() -> String {
    const PAGE: &str = include_str!("../../../docs/fleet.md");
    let mut script = "set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n".to_owned();
    for block in PAGE.split("<!-- ").skip(1) {
        let (name, block) = block.split_once(" -->\n```").unwrap();
        let (_, block) = block.split_once('\n').unwrap();
        let (text, _) = block.split_once("```").unwrap();
        match name {
            "walk" => script += text,
            "roles" => script += &format!("psql -q shop <<'SQL'\n{text}SQL\n"),
            other => panic!("{other}"),
        }
    }
    script
}

/// From nothing to three workers and a row that `psql` wrote, literally, but for the sandbox's port.
#[test]
fn the_documented_walk() {
    let Some(server) = postgres::Server::start(None) else { return };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let script = documented().replace("127.0.0.1:8787", &format!("127.0.0.1:{port}"));
    let directory = directory("fleet-walk");
    let mut walk = Command::new("timeout");
    walk.args(["100", "bash", "-c", &script]).current_dir(&directory).stdin(Stdio::null());
    let command = PathBuf::from(super::command::binary());
    let path = std::env::var_os("PATH").unwrap();
    let path = [command.parent().unwrap(), server.programs()]
        .into_iter()
        .map(PathBuf::from)
        .chain(std::env::split_paths(&path));
    walk.env("PATH", std::env::join_paths(path).unwrap()).env("HOME", &directory);
    walk.env("PGHOST", server.directory()).env("PGUSER", "capture");
    let run = Run::of(walk.output().unwrap());
    assert_eq!(run.code, 0, "{run:?}");
    for says in
        ["settled: 0 captures", "queued", "run 1: 30 captures", "sound: 30 records", "captured|30"]
    {
        assert!(run.stdout.contains(says), "no {says}: {run:?}");
    }
    for n in [1, 2, 3] {
        let log = fs::read_to_string(directory.join(format!("worker{n}.log"))).unwrap();
        assert!(log.contains("started") && log.contains("ended"), "{log}");
    }
}
