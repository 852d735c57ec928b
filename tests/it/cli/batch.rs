//! Whole files, as an operator runs them: faults, faults of the network, kills, signals, two at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use capture_core::{Money, OrderId, OrderStatus};
use capture_sandbox::{Answer, Operation, Script};
use serde_json::{Value, json};

use super::command::{Run, capture, capture_at, directory, server};
use super::interrupt::{ended, send, started};
use super::scenario::Site;

/// A file of so many orders, in a directory with a journal of their own.
pub(super) struct Batch {
    pub(super) server: Site,
    directory: PathBuf,
    pub(super) orders: Vec<OrderId>,
}

impl Batch {
    pub(super) fn new(name: &str, count: usize) -> Self {
        let server = server();
        let directory = directory(&format!("batch-{name}"));
        let money = Money::parse("100.00", "USD").unwrap();
        let orders: Vec<_> = (0..count).map(|_| server.create_order(money)).collect();
        let batch = Self { server, directory, orders };
        let row = |(at, order): (usize, &OrderId)| format!("{order},100.00,USD,R-{at}\n");
        let rows: String = batch.orders.iter().enumerate().map(row).collect();
        batch.write("orders.csv", &format!("order_id,amount,currency,reference\n{rows}"));
        batch
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = capture_at(&self.server, arguments);
        command.env("CAPTURE_JOURNAL", self.path("captures.journal"));
        command.current_dir(&self.directory);
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap())
    }

    pub(super) fn captured(&self) -> usize {
        let ledger = self.server.ledger();
        self.orders.iter().filter(|order| ledger.captures(**order) > 0).count()
    }

    /// Each order was captured once, and the results say the same of every line.
    fn all_captured(&self) {
        let ledger = self.server.ledger();
        for order in &self.orders {
            assert_eq!(ledger.captures(*order), 1, "{order}");
        }
        let outcomes = self.outcomes();
        assert_eq!(outcomes.len(), self.orders.len());
        assert!(outcomes.iter().all(|outcome| outcome == "captured"), "{outcomes:?}");
    }

    pub(super) fn results(&self) -> Vec<Value> {
        let run = self.run(&["results", "1", "--json"]);
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn outcomes(&self) -> Vec<String> {
        self.results().iter().map(|it| it["outcome"].as_str().unwrap().to_owned()).collect()
    }
}

const RUN: [&str; 4] = ["run", "orders.csv", "--rate", "none"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&RUN[..], more].concat()
}

#[test]
fn every_fault_comes_at_once_and_nothing_is_sent() {
    let batch = Batch::new("faults", 3);
    let orders = &batch.orders;
    batch.write(
        "bad.csv",
        &format!(
            "order_id;amount;currency\n{};100,00;USD\n1.23E+25;100.00;USD\n{};100.00;GBp\n{};100.00;USD\n",
            orders[0], orders[1], orders[2]
        ),
    );
    for command in ["plan", "run"] {
        let run = batch.run(&[command, "bad.csv", "--json"]);
        assert_eq!(run.code, 2, "{run:?}");
        let json = run.json();
        let problems = json["problems"].as_array().unwrap();
        let lines: Vec<_> =
            problems.iter().map(|it| (it["line"].clone(), it["field"].clone())).collect();
        let expected = [(2, "amount"), (3, "order_id"), (4, "currency")];
        assert_eq!(lines, expected.map(|(line, field)| (json!(line), json!(field))));
        assert!(
            run.stderr.contains("bad.csv:2:38: amount \"100,00\": has a decimal comma"),
            "{run:?}"
        );
        assert!(run.stderr.contains("nothing was sent"), "{run:?}");
    }
    assert!(batch.server.transcript().is_empty(), "not even a login");
    assert_eq!(batch.run(&["runs", "--json"]).json(), json!([]));
    let run = batch.run(&["run", "nowhere.csv"]);
    assert_eq!((run.code, run.stderr.contains("nowhere.csv")), (2, true), "{run:?}");
}

#[test]
fn a_line_that_is_there_twice_is_one_capture() {
    let batch = Batch::new("twice", 3);
    let text = fs::read_to_string(batch.path("orders.csv")).unwrap();
    let line = text.lines().nth(1).unwrap();
    batch.write("orders.csv", &format!("{text}{line}\n"));
    let run = batch.run(&with(&["--json"]));
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.json()["captures"], 3);
    assert!(
        run.stderr.contains("orders.csv:5: the same as line 2; it is captured once"),
        "{run:?}"
    );
    batch.all_captured();
}

#[test]
fn a_file_is_planned_captured_and_told() {
    let batch = Batch::new("whole", 40);
    let mut planning = capture(&["plan", "orders.csv"]);
    planning.env("CAPTURE_ENVIRONMENT", batch.server.base_url()).current_dir(&batch.directory);
    let plan = Run::of(planning.output().unwrap());
    assert_eq!(plan.code, 0, "no credentials are needed: {plan:?}");
    assert!(plan.stdout.contains("40 captures, 4000.00 USD"), "{plan:?}");
    assert!(plan.stdout.contains("capture run orders.csv --confirm 40:4000.00USD"), "{plan:?}");
    assert!(batch.server.transcript().is_empty());

    batch.server.script(Script::lost_reply().skip(3).times(4).then(Script::status(429).times(3)));
    let run = batch.run(&with(&["--confirm", "40:4000.00USD", "--out", "out.csv", "--json"]));
    assert_eq!(run.code, 0, "{run:?}");
    let json = run.json();
    assert_eq!(
        (&json["captured"], &json["left"], &json["run"]),
        (&json!(40), &json!(0), &json!(1))
    );
    assert_eq!(json["by_outcome"]["captured"]["USD"]["minor_units"], json!(400_000));
    batch.all_captured();
    let out = fs::read_to_string(batch.path("out.csv")).unwrap();
    assert_eq!(out.lines().count(), 41);
    assert!(out.lines().nth(1).unwrap().contains(",100.00,USD,R-0,,captured,"), "{out}");
    assert_eq!(out, batch.run(&["results", "1"]).stdout);

    // Again, without the network: the record answers.
    let sent = batch.server.transcript().len();
    let mut again = batch.command(&RUN);
    let again = Run::of(again.env_remove("CAPTURE_APP_KEY").output().unwrap());
    assert_eq!(again.code, 0, "it needs no credentials: {again:?}");
    assert!(again.stdout.contains("captured                   40  4000.00 USD"), "{again:?}");
    assert_eq!(batch.server.transcript().len(), sent);
    let runs = batch.run(&["runs"]);
    assert!(runs.stdout.contains("orders.csv  captured 40 (4000.00 USD)"), "{runs:?}");
    assert!(batch.run(&["run"]).stderr.contains("no list is open"));
}

/// What was approved is what runs.
#[test]
fn another_number_or_total_than_was_approved_sends_nothing() {
    let batch = Batch::new("approved", 2);
    for confirm in ["3:200.00USD", "2:200.01USD", "2", ""] {
        let run = batch.run(&with(&["--confirm", confirm]));
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("the list is 2:200.00USD"), "{run:?}");
    }
    let production = |more: &[&str]| {
        let mut command = capture(&with(more));
        command.env("CAPTURE_ENVIRONMENT", "production").env("CAPTURE_TOKEN", "none");
        command.current_dir(&batch.directory);
        command
    };
    let unnamed = Run::of(production(&[]).env_remove("CAPTURE_JOURNAL").output().unwrap());
    assert!(unnamed.code == 2 && unnamed.stderr.contains("name the journal"), "{unnamed:?}");
    let unconfirmed = Run::of(production(&[]).output().unwrap());
    assert_eq!(unconfirmed.code, 2, "{unconfirmed:?}");
    assert!(unconfirmed.stderr.contains("approve the list with --confirm 2:200.00USD"));
    assert!(batch.server.transcript().is_empty());
}

/// A guard that trips sends nothing, names its line, and says how to override it alone.
#[test]
fn a_wrong_hundredth_trips_a_guard() {
    let batch = Batch::new("guards", 30);
    let text = fs::read_to_string(batch.path("orders.csv")).unwrap();
    let line = |at: usize| text.lines().nth(at).unwrap().to_owned();
    batch.write("wrong.csv", &text.replace(&line(17), &line(17).replace("100.00", "10000.00")));
    let wrong = batch.run(&["run", "wrong.csv", "--json"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    let json = wrong.json();
    assert_eq!(json["guards"][0]["lines"], json!([18]), "{json}");
    assert_eq!(json["guards"][0]["override"], json!("--allow-amount 18"));
    assert!(batch.server.transcript().is_empty());
    let plan = batch.run(&["plan", "wrong.csv", "--allow-amount", "18"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    for (guard, value, is_right) in [
        ("--expect-count", "30", true),
        ("--expect-count", "31", false),
        ("--expect-total", "USD=3000.00", true),
        ("--expect-total", "USD=3000.01", false),
        ("--max-orders", "29", false),
        ("--max-amount", "USD=99.99", false),
        ("--max-total", "USD=2999.99", false),
        ("--max-day", "USD=3000.00", true),
    ] {
        let plan = batch.run(&["plan", "orders.csv", guard, value]);
        assert_eq!(plan.code, if is_right { 0 } else { 2 }, "{guard} {value}: {plan:?}");
    }
    assert_eq!(batch.run(&RUN).code, 0);
    // The day is used up, and the journal knows what is usual.
    let money = Money::parse("10000.00", "USD").unwrap();
    let more: String =
        (0..12).map(|_| format!("{},10000.00,USD\n", batch.server.create_order(money))).collect();
    batch.write("more.csv", &format!("order_id,amount,currency\n{more}"));
    let day = batch.run(&["plan", "more.csv", "--max-day", "USD=122999.99"]);
    assert!(day.code == 2 && day.stderr.contains("--max-day"), "{day:?}");
    let usual = batch.run(&["plan", "more.csv"]);
    assert!(usual.code == 2 && usual.stderr.contains("--amounts-are-right USD"), "{usual:?}");
    assert_eq!(batch.run(&["plan", "more.csv", "--amounts-are-right", "USD"]).code, 0);
}

/// The worst line decides.
#[test]
fn the_exit_code_says_the_worst_that_is_true() {
    let batch = Batch::new("no", 8);
    let declined = batch.orders[2];
    assert!(batch.server.set_order_status(declined, OrderStatus::Cancelled));
    let run = batch.run(&with(&["--json"]));
    assert_eq!((run.code, &run.json()["not_captured"]), (1, &json!(1)), "{run:?}");
    let told = &batch.results()[2];
    assert_eq!(
        (&told["outcome"], &told["code"]),
        (&json!("not_captured"), &json!("order_cancelled"))
    );

    // The money moves, no reply comes, and no lookup is answered.
    let batch = Batch::new("unknown", 3);
    let lost = Script::lost_reply();
    batch.server.script(lost.then(Script::status(503).on(Operation::Order).times(u32::MAX)));
    let run = batch.run(&with(&["--json", "--settle-for", "0", "--deadline", "2"]));
    assert_eq!((run.code, &run.json()["unknown"]), (3, &json!(1)), "{run:?}");
    assert_eq!(batch.outcomes().iter().filter(|outcome| *outcome == "unknown").count(), 1);
    // The next run looks at once, however long the last one would have waited.
    batch.server.clear_script();
    assert_eq!(batch.run(&RUN).code, 0);
    batch.all_captured();

    let batch = Batch::new("login", 3);
    let mut command = batch.command(&with(&["--json"]));
    let run = Run::of(command.env("CAPTURE_APP_SECRET", "wrong").output().unwrap());
    assert_eq!((run.code, &run.json()["left"]), (2, &json!(3)), "{run:?}");
    assert_eq!(run.json()["stopped_by"], json!("the API refuses the credentials"));
    assert_eq!(batch.run(&RUN).code, 0);
    batch.all_captured();
}

#[test]
fn a_signal_starts_nothing_more_and_the_next_run_goes_on() {
    let batch = Batch::new("signal", 60);
    batch.server.script(Script::delayed(Duration::from_millis(100)).times(u32::MAX));
    let child = started(&mut batch.command(&with(&["--concurrency", "4", "--json"])));
    while batch.captured() < 8 {
        thread::sleep(Duration::from_millis(5));
    }
    send("TERM", child.id());
    let run = ended(child);
    assert_eq!(run.code, 4, "{run:?}");
    let json = run.json();
    let count = |name: &str| json[name].as_u64().unwrap() as usize;
    assert_eq!((count("captured"), count("unknown")), (batch.captured(), 0), "{run:?}");
    assert_eq!(count("captured") + count("left"), 60, "{run:?}");
    assert!(batch.captured() < 40, "{}", batch.captured());
    assert_eq!(json["stopped_by"], json!("a signal"));
    // Without a file, every open list goes on.
    batch.server.clear_script();
    assert_eq!(batch.run(&["run", "--rate", "none"]).code, 0);
    batch.all_captured();
}

/// A program reads along on stdout; the last line is what `--json` prints anyway.
#[test]
fn events_tell_how_it_goes_and_the_last_line_how_it_ended() {
    let batch = Batch::new("events", 40);
    let slow = Script::delayed(Duration::from_millis(250)).times(u32::MAX);
    let throttled = Script::status(Answer::new(429).header("retry-after", "1")).skip(30);
    batch.server.script(throttled.then(slow));
    let run = batch.run(&with(&["--concurrency", "4", "--json", "--events"]));
    assert_eq!(run.code, 0, "{run:?}");
    let lines: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, events) = lines.split_last().unwrap();
    assert_eq!((&last["run"], &last["captured"]), (&json!(1), &json!(40)), "{run:?}");
    let done: Vec<_> = events.iter().map(|event| event["done"].as_u64().unwrap()).collect();
    assert!(done.len() >= 3 && done.is_sorted() && done[0] == 0, "{run:?}");
    assert!(done.last().unwrap() > &20, "{run:?}");
    for event in events {
        assert_eq!((&event["event"], &event["captures"]), (&json!("progress"), &json!(40)));
        let captured = &event["by_outcome"]["captured"]["USD"]["captures"];
        assert_eq!(captured.as_u64().unwrap_or(0), event["done"].as_u64().unwrap(), "{event}");
    }
    let slowed = events.iter().any(|event| event["slowed_by"] == json!("the API asks to wait"));
    assert!(slowed, "{run:?}");
    // They belong to --json.
    assert_eq!(batch.run(&["run", "orders.csv", "--events"]).code, 2);
}

/// An order file is never overwritten by its own results, and a done list says that nothing was sent.
#[test]
fn a_list_is_never_its_own_results_and_a_done_one_says_so() {
    let batch = Batch::new("itself", 3);
    let file = fs::read_to_string(batch.path("orders.csv")).unwrap();
    for out in ["orders.csv", "./orders.csv"] {
        let run = batch.run(&["run", "orders.csv", "--out", out]);
        assert!(run.code == 2 && run.stderr.contains("is the list itself"), "{run:?}");
    }
    assert_eq!(fs::read_to_string(batch.path("orders.csv")).unwrap(), file);
    assert_eq!(batch.run(&RUN).code, 0);
    let again = batch.run(&RUN);
    assert!(again.code == 0 && again.stderr.contains("nothing was sent now"), "{again:?}");
    let plan = batch.run(&["plan", "orders.csv"]);
    assert!(plan.stdout.contains("nothing is left to do"), "{plan:?}");
    let wrong = batch.run(&with(&["--confirm", "2:1.00USD"]));
    assert!(wrong.code == 2 && wrong.stderr.contains("was approved"), "{wrong:?}");
}

/// Of what is on its way a results file says nothing yet: a process that is killed cannot correct it.
#[test]
fn a_results_file_that_was_left_says_pending_and_not_left() {
    let batch = Batch::new("pending", 6);
    batch.server.script(Script::delayed(Duration::from_secs(3600)).times(u32::MAX));
    let mut child = started(&mut batch.command(&with(&["--out", "results.csv"])));
    while batch.captured() < 6 {
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let text = fs::read_to_string(batch.path("results.csv")).unwrap();
    assert_eq!(text.matches(",pending,").count(), 6, "{text}");
    // The journal knows more.
    assert!(batch.outcomes().iter().all(|outcome| outcome == "unknown"));
    let order = batch.orders[0].to_string();
    let status = batch.run(&["status", &order]);
    assert!(status.stdout.contains("journal: interrupted"), "{status:?}");
    assert!(batch.server.set_order_status(batch.orders[0], OrderStatus::CaptureRequired));
    let status = batch.run(&["status", &order]);
    assert!(status.stdout.contains("run the same capture again"), "{status:?}");
    let due = batch.run(&["due"]);
    assert!(due.stdout.contains("interrupted: run it again"), "{due:?}");
}

/// A refused amount that was corrected needs a new key, and the fault names it.
#[test]
fn a_corrected_amount_is_told_its_new_key() {
    let batch = Batch::new("corrected", 1);
    let order = batch.orders[0];
    let file = |amount: &str, column: &str, key: &str| {
        let rows = format!("order_id,amount,currency{column}\n{order},{amount},USD{key}\n");
        batch.write("wrong.csv", &rows);
    };
    file("99.00", "", "");
    let refused = batch.run(&["run", "wrong.csv", "--rate", "none"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    file("100.00", "", "");
    let refused = batch.run(&["run", "wrong.csv", "--rate", "none"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    let key = refused.stderr.split("and the key ").nth(1).expect("a key").lines().next();
    file("100.00", ",key", &format!(",{}", key.unwrap()));
    let run = batch.run(&["run", "wrong.csv", "--rate", "none"]);
    assert_eq!(run.code, 0, "{run:?}");
}

/// The money has moved: a results file that cannot be written is no reason to say that nothing was sent.
#[test]
fn results_that_cannot_be_written_do_not_change_what_happened() {
    let batch = Batch::new("out", 12);
    batch.server.script(Script::delayed(Duration::from_millis(150)).times(u32::MAX));
    fs::create_dir(batch.path("gone")).unwrap();
    let flags = with(&["--concurrency", "2", "--out", "gone/out.csv", "--json"]);
    let child = started(&mut batch.command(&flags));
    while batch.captured() < 2 {
        thread::sleep(Duration::from_millis(5));
    }
    fs::remove_dir_all(batch.path("gone")).unwrap();
    let run = ended(child);
    assert_eq!((run.code, &run.json()["captured"]), (0, &json!(12)), "{run:?}");
    assert!(run.stderr.contains("warning: ") && run.stderr.contains("gone/out.csv"), "{run:?}");
    // One that cannot be written at all sends nothing.
    let nowhere = batch.run(&["run", "orders.csv", "--out", "nowhere/out.csv"]);
    assert_eq!(nowhere.code, 2, "{nowhere:?}");
    let other = batch.run(&["run", "orders.csv", "--out", "out.txt"]);
    assert!(other.code == 2 && other.stderr.contains("must end in .csv or .jsonl"), "{other:?}");
    batch.all_captured();
}

/// Killed again and again, at whatever moment, by two operators on one file.
#[test]
fn a_run_that_is_killed_loses_nothing_and_captures_nothing_twice() {
    let batch = Batch::new("killed", 150);
    let lost = Script::lost_reply().skip(7).times(9);
    batch.server.script(lost.then(Script::delayed(Duration::from_millis(15)).times(u32::MAX)));
    for kill in 0..12 {
        killed(&batch, 2, 8, Duration::from_millis(60 + kill * 35));
    }
    batch.server.clear_script();
    let both = [0, 1].map(|_| started(&mut batch.command(&with(&["--concurrency", "8"]))));
    for run in both.map(ended) {
        assert_eq!(run.code, 0, "{run:?}");
    }
    batch.all_captured();
    let check = batch.run(&["journal", "check"]);
    assert_eq!(check.code, 0, "{check:?}");
}

/// The same with 10,000 rows and 200 kills, while half of all captures go wrong in some way.
#[test]
#[ignore = "takes ten minutes; `cargo xtask weekly` runs it"]
fn ten_thousand_rows_survive_two_hundred_kills() {
    let batch = Batch::new("torture", 10_000);
    batch.server.script(Script::preset("chaos").unwrap().seed(7));
    let mut moments = 0_u64;
    for kill in 0..200 {
        // As scattered as random ones, and the same each time.
        moments = (moments + 0x9e37_79b9) % 3_700;
        let operators = if kill % 5 == 0 { 2 } else { 1 };
        killed(&batch, operators, 64, Duration::from_millis(80 + moments));
    }
    let amid = batch.captured();
    batch.server.clear_script();
    let run = batch.run(&with(&["--concurrency", "64"]));
    assert_eq!(run.code, 0, "{run:?}");
    batch.all_captured();
    let check = batch.run(&["journal", "check"]);
    assert_eq!(check.code, 0, "{check:?}");
    println!(
        "figures: 10000 captured once, 0 lost, 0 doubled, 240 kills, {amid} captured before the last"
    );
}

fn killed(batch: &Batch, operators: usize, concurrency: u32, after: Duration) {
    let concurrency = concurrency.to_string();
    let mut command = batch.command(&with(&["--concurrency", &concurrency]));
    let mut operators: Vec<_> = (0..operators).map(|_| started(&mut command)).collect();
    thread::sleep(after);
    for operator in &mut operators {
        operator.kill().unwrap();
        operator.wait().unwrap();
    }
}

/// Two who start one new file in the same moment share its list.
#[test]
fn two_operators_who_start_at_once_share_the_list() {
    for round in 0..3 {
        let batch = Batch::new(&format!("both-{round}"), 30);
        let both = [0, 1].map(|_| started(&mut batch.command(&RUN)));
        for run in both.map(ended) {
            assert_eq!(run.code, 0, "{run:?}");
        }
        batch.all_captured();
        assert_eq!(batch.run(&["runs"]).stdout.lines().count(), 1);
    }
}

/// What the journal knows of an order stands above what a file asks for.
#[test]
fn a_line_that_the_journal_contradicts_is_a_fault() {
    let batch = Batch::new("known", 3);
    let order = batch.orders[1].to_string();
    let one = batch.run(&["order", &order, "--amount", "100.00", "--currency", "USD"]);
    assert_eq!(one.code, 0, "{one:?}");
    let other = format!("order_id,amount,currency\n{order},99.00,USD\n");
    batch.write("other.csv", &other);
    let run = batch.run(&["run", "other.csv", "--json"]);
    assert_eq!(run.code, 2, "{run:?}");
    let json = run.json();
    let why = json["problems"][0]["why"].as_str().unwrap();
    assert!(why.starts_with("it was asked for with 100.00 USD, key "), "{why}");
    // The same values are no fault, and are not sent again.
    let plan = batch.run(&["plan", "orders.csv", "--json"]).json();
    assert_eq!((&plan["captured_before"], &plan["captures"]), (&json!(1), &json!(3)));
    assert_eq!(batch.run(&RUN).code, 0);
    batch.all_captured();
}

#[test]
fn settle_looks_at_what_is_in_doubt_and_begins_nothing() {
    let batch = Batch::new("settle", 6);
    batch.server.script(Script::delayed(Duration::from_secs(3600)).times(2));
    let child = started(&mut batch.command(&with(&["--concurrency", "2"])));
    while batch.captured() < 2 {
        thread::sleep(Duration::from_millis(5));
    }
    let mut child = child;
    child.kill().unwrap();
    child.wait().unwrap();
    batch.server.clear_script();
    let settled = batch.run(&["settle", "--json", "--rate", "none"]);
    assert_eq!(settled.code, 0, "{settled:?}");
    // What was claimed ahead may have been sent, as far as the journal knows.
    let outcomes = batch.outcomes();
    assert!(outcomes.iter().all(|it| it == "captured" || it == "left"), "{outcomes:?}");
    assert_eq!(batch.run(&["run", "--rate", "none"]).code, 0);
    batch.all_captured();
}

/// What waits at the API, what voids first first, beside what the lists know.
#[test]
fn what_is_due_is_told_before_it_voids() {
    let batch = Batch::new("due", 3);
    let soon = SystemTime::now() + Duration::from_secs(3 * 3600);
    let soon = capture_journal::utc(soon);
    let [first, second, _] = [0, 1, 2].map(|at| batch.orders[at].to_string());
    batch.write(
        "due.csv",
        &format!(
            "order_id,amount,currency,reference,capture_before\n{second},100.00,USD,R-2,{soon}\n"
        ),
    );
    let due = |more: &[&str]| batch.run(&[&["due", "--json"], more].concat());
    let all = due(&[]);
    assert_eq!((all.code, all.json()["orders"].as_array().unwrap().len()), (0, 3), "{all:?}");
    assert_eq!(all.json()["unknown_deadline"], json!(3));
    // Nobody can say that nothing voids.
    assert_eq!(due(&["--within", "1h"]).code, 1);
    assert_eq!(due(&["--within", "1h", "--window", "7d"]).code, 0);
    assert_eq!(due(&["--within", "8d", "--window", "7d"]).code, 1);
    assert_eq!(due(&["--within", "soon"]).code, 2);
    // A list that was stopped before it sent anything knows when its order voids.
    let mut command = batch.command(&["run", "due.csv"]);
    let run = Run::of(command.env("CAPTURE_APP_SECRET", "wrong").output().unwrap());
    assert_eq!(run.code, 2, "{run:?}");
    let told = due(&["--within", "6h", "--window", "7d"]);
    assert_eq!((told.code, &told.json()["void_within"]), (1, &json!(1)), "{told:?}");
    let urgent = &told.json()["orders"][0];
    assert_eq!((&urgent["order_id"], &urgent["reference"]), (&json!(second), &json!("R-2")));
    let text = batch.run(&["due", "--window", "7d"]);
    assert!(text.stdout.starts_with(&format!("{second}  voids in 2 h")), "{text:?}");
    // What is captured waits no more.
    assert_eq!(batch.run(&["order", &first, "--amount", "100.00", "--currency", "USD"]).code, 0);
    assert_eq!(due(&[]).json()["orders"].as_array().unwrap().len(), 2);
}

/// From a pipe, as JSON lines, and with a deadline: what voids first is captured first.
#[test]
fn what_voids_first_is_captured_first() {
    let batch = Batch::new("urgent", 5);
    let day = |at: usize| format!("2027-01-0{}T00:00:00Z", 9 - at);
    let rows: String = batch
        .orders
        .iter()
        .enumerate()
        .map(|(at, order)| {
            let row = json!({
                "order_id": order, "amount": "100.00", "currency": "USD", "capture_before": day(at),
            });
            format!("{row}\n")
        })
        .collect();
    let mut command = batch.command(&["run", "-", "--concurrency", "1", "--rate", "none"]);
    let path = Path::new(&batch.directory).join("rows.jsonl");
    fs::write(&path, rows).unwrap();
    let run = Run::of(command.stdin(fs::File::open(&path).unwrap()).output().unwrap());
    assert_eq!(run.code, 0, "{run:?}");
    let captured: Vec<_> =
        batch.server.ledger().entries().iter().map(|entry| entry.order).collect();
    let expected: Vec<_> = batch.orders.iter().rev().copied().collect();
    assert_eq!(captured, expected);
}
