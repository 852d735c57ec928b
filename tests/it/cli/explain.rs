//! `capture explain`: the story of an order from the journal alone, and what support gets of it.

use std::fs;
use std::process::Command;
use std::time::SystemTime;

use capture_core::{Capture, IdempotencyKey, Money, OrderId};
use capture_journal::{Ask, Journal as _, Turn, Want};
use capture_sandbox::{Answer, Operation, PERSONAL_DATA, Script, Server};
use capture_sqlite::Sqlite;
use serde_json::{Value, json};

use super::command::{capture, capture_at, directory, order, run, server};
use super::order::{lookups_fail, simple};
use super::scenario;

/// Without a network, credentials and an environment.
fn explain(server: &Server, order: OrderId) -> Command {
    let mut command = capture(&["explain", &order.to_string()]);
    command.env("CAPTURE_JOURNAL", scenario::journal(&server.base_url()).unwrap());
    command
}

#[test]
fn the_story_of_an_order_in_doubt_that_is_settled() {
    let server = server();
    let order = order(&server);
    let key = IdempotencyKey::for_order(order);
    server.script(Script::lost_reply().then(lookups_fail()));
    assert_eq!(simple(&server, &order.to_string(), &[]).code, 3);
    let told = run(&mut explain(&server, order));
    assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told:?}");
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert_eq!(lines[0], format!("order {order} at {}", server.environment()));
    assert!(
        lines[1].ends_with(&format!("Z  asked for 100.00 USD, key {key}: unknown")),
        "{told:?}"
    );
    for (line, text) in [
        (2, " took it"),
        (3, "login    replied     200  the login gave a token"),
        (4, "capture  maybe sent  ---  no reply came, and the request may have been sent ("),
        (5, "lookup   replied     500  status 500 decides nothing"),
        (6, "recorded: unknown: no reply came"),
        (7, "known: Nothing was sent before 2"),
        (9, "not known: Whether the money moved: no reply came"),
        (10, "blocked by: the order could not be looked up: status 500 decides nothing"),
        (11, "next: Money may have moved. Do not use a new key."),
        (12, "journal: intact over 1 record (tamper-evident, not tamper-proof)"),
    ] {
        assert!(lines[line].contains(text), "{line}: {text}: {told:?}");
    }
    server.clear_script();
    assert_eq!(simple(&server, &order.to_string(), &[]).code, 0);
    let asked = server.transcript().len();
    let json = run(explain(&server, order).arg("--json")).json();
    assert_eq!(json["captures"][0]["standing"], "captured");
    let events = json["captures"][0]["events"].as_array().unwrap();
    let claims = events.iter().filter(|event| event["event"] == "claimed");
    assert_eq!(claims.count(), 2, "{json}");
    let ids = events.iter().filter(|event| event["request_id"].is_string());
    assert!(ids.count() >= 2, "{json}");
    assert_eq!(json["known"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&json["blocked_by"], json["not_known"].as_array().unwrap().len()),
        (&Value::Null, 1)
    );
    assert_eq!(server.transcript().len(), asked, "nobody was asked");
}

/// Somebody edits a record, and the chain shows from where.
#[test]
fn an_edited_journal_is_noticed() {
    let server = server();
    let orders = [order(&server), order(&server)];
    for order in orders {
        assert_eq!(simple(&server, &order.to_string(), &[]).code, 0);
    }
    let chain = |json: &Value| json["chain"].clone();
    let intact = chain(&run(explain(&server, orders[0]).arg("--json")).json());
    assert_eq!((&intact["records"], &intact["broken_at"]), (&json!(2), &Value::Null));
    assert_eq!(intact["head"].as_str().unwrap().len(), 64);
    let journal = rusqlite::Connection::open(scenario::journal(&server.base_url()).unwrap());
    journal.unwrap().execute("UPDATE record SET at_ms = at_ms + 1 WHERE number = 2", []).unwrap();
    let edited = chain(&run(explain(&server, orders[0]).arg("--json")).json());
    assert_eq!(edited["broken_at"], 2);
    let text = run(&mut explain(&server, orders[0]));
    assert!(text.stdout.contains("\njournal: NOT intact from record 2 of 2: "), "{text:?}");
}

#[test]
fn an_order_that_the_journal_does_not_have() {
    let server = server();
    let [known, unknown] = [order(&server), order(&server)];
    let journal = scenario::journal(&server.base_url()).unwrap();
    let says = format!("journal {} has nothing of order {unknown}", journal.display());
    let told = run(explain(&server, unknown).arg("--json"));
    assert_eq!((told.code, told.stderr), (1, format!("error: {says}\n")));
    assert!(!journal.exists(), "no journal is made only to be read");
    assert_eq!(simple(&server, &known.to_string(), &[]).code, 0);
    let told = run(explain(&server, unknown).arg("--json"));
    assert_eq!((told.code, told.json()), (1, json!({ "error": says, "field": "order id" })));
    let elsewhere = run(explain(&server, known).args(["--environment", "production"]));
    assert_eq!(elsewhere.code, 1, "{elsewhere:?}");
    let refused = run(&mut capture(&["explain", "nonsense"]));
    assert_eq!(refused.code, 2, "{refused:?}");
}

/// The API's words may name a person, and the network's may name a host: support gets neither.
#[test]
fn a_bundle_holds_no_secret_and_no_personal_data() {
    let server = server();
    let order = order(&server);
    let person = PERSONAL_DATA.join(" ");
    let says = json!({ "status": "FAILED", "success": true, "errors": [person, "canary"] });
    let refused = Script::status(Answer::new(200).body(says.to_string())).on(Operation::Capture);
    server.script(Script::close_before().then(refused.times(9)).then(lookups_fail().skip(1)));
    let told = capture_at(&server, &["order", &order.to_string(), "--amount", "100.00"])
        .args(["--currency", "USD", "--deadline", "5"])
        .output()
        .unwrap();
    assert_eq!(told.status.code(), Some(3), "{told:?}");
    let file = directory("explain-bundle").join("bundle.json");
    let told = explain(&server, order).arg("--bundle").arg(&file).output().unwrap();
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    let text = fs::read_to_string(&file).unwrap();
    let host = String::from_utf8(Command::new("uname").arg("-n").output().unwrap().stdout).unwrap();
    for kept in PERSONAL_DATA.into_iter().chain(["canary", "eyJ", "Bearer", host.trim()]) {
        assert!(!text.contains(kept), "{kept}: {text}");
    }
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let attempts = bundle["captures"][0]["outcomes"][0]["attempts"].as_array().unwrap();
    let found: Vec<&Value> = attempts.iter().map(|attempt| &attempt["finding"]).collect();
    assert_eq!(found[..4], ["token", "lost", "order_status", "declined"], "{text}");
    assert!(attempts[0]["request_id"].is_string(), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

/// An order may stand at the sandbox and at another address; what is set decides, and what is named wins.
#[test]
fn of_two_environments_the_one_that_is_set_or_named_is_told() {
    let journal = directory("explain-two").join("captures.journal");
    let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
    let money = Money::parse("100.00", "USD").unwrap();
    let asked = Capture::new(order, money, IdempotencyKey::for_order(order));
    let urls = ["http://127.0.0.1:4001", "http://127.0.0.1:4002", "http://127.0.0.1:4003"];
    for url in &urls[..2] {
        let mut opened = Sqlite::open(&journal, &url.parse().unwrap()).unwrap();
        let asks = vec![Ask { capture: asked, now: false }];
        let at = SystemTime::now();
        opened.turn(&Turn { at, settled: Vec::new(), asks, want: Want::default() }).unwrap();
    }
    let explain = |set: Option<&str>, named: &[&str]| {
        let mut command = capture(&["explain", &order.to_string()]);
        command.env("CAPTURE_JOURNAL", &journal).args(named);
        run(command.envs(set.map(|url| ("CAPTURE_ENVIRONMENT", url))))
    };
    for set in [None, Some(urls[2])] {
        let told = explain(set, &[]);
        assert_eq!(told.code, 2, "{told:?}");
        assert!(urls[..2].iter().all(|url| told.stderr.contains(url)), "{told:?}");
    }
    for url in &urls[..2] {
        let told = explain(Some(url), &[]);
        assert!(told.code == 0 && told.stdout.contains(url), "{told:?}");
    }
    let told = explain(Some(urls[0]), &["--environment", urls[1]]);
    assert!(told.code == 0 && told.stdout.contains(urls[1]), "{told:?}");
}
