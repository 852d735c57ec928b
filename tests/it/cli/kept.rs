//! What an earlier run may have left in the journal, long ago or under another clock.

use std::time::{Duration, SystemTime};

use capture_core::{Capture, IdempotencyKey, Money, OrderId, OrderStatus, Outcome, Ticket};
use capture_journal::{Answer, Ask, Journal as _, Turn, Want};
use capture_sqlite::Sqlite;
use serde_json::json;

use super::command::{capture_at, order, run, server};
use super::order::{lookups_fail, operations, simple};
use super::scenario::{self, Site};

/// A run that began this capture, was first sent at this time by its own clock, and ended in doubt.
fn leave(site: &Site, capture: Capture, at: SystemTime) {
    let path = scenario::journal(&site.base_url()).unwrap();
    let mut journal = Sqlite::open(&path, &site.environment()).unwrap();
    let mut turn = Turn {
        at,
        settled: Vec::new(),
        asks: vec![Ask { capture, now: true }],
        want: Want::default(),
    };
    let answer = journal.turn(&turn).unwrap().answers.remove(0);
    let Answer::Work(work) = answer else { panic!("{answer:?}") };
    turn.asks.clear();
    turn.settled.push((work.held, Outcome::Unknown(Ticket::interrupted(capture, at))));
    journal.turn(&turn).unwrap();
}

/// 100.00 USD of this order, under its own key.
fn usual(order: OrderId) -> Capture {
    let money = Money::parse("100.00", "USD").unwrap();
    Capture::new(order, money, IdempotencyKey::for_order(order))
}

/// A clock that was set back by more than NTP does bars the resend, and text and JSON say so.
#[test]
fn a_first_send_in_the_future_is_said() {
    let server = server();
    let order = order(&server);
    leave(&server, usual(order), SystemTime::now() + Duration::from_secs(3600));
    for json in [false, true] {
        let flags = [&["--deadline", "1"][..], if json { &["--json"] } else { &[] }].concat();
        let run = simple(&server, &order.to_string(), &flags);
        assert_eq!(run.code, 3, "{run:?}");
        let says = "the age of its key is unknown; check this machine's clock";
        assert!(run.stdout.contains(says), "{run:?}");
        if json {
            let obstacle = &run.json()["obstacle"];
            assert_eq!(*obstacle, json!({ "not_sent_again": "key_age_unknown" }));
        }
    }
    assert_eq!(server.ledger().captures(order), 0);
}

/// The server no longer promises to know the key: the order is looked up, and nothing is sent.
#[test]
fn a_key_of_the_day_before_is_not_sent_again() {
    let server = server();
    let order = order(&server);
    leave(&server, usual(order), SystemTime::now() - Duration::from_secs(25 * 3600));
    let told = simple(&server, &order.to_string(), &["--deadline", "1", "--json"]);
    assert_eq!(told.code, 3, "{told:?}");
    assert_eq!(told.json()["obstacle"], json!({ "not_sent_again": "key_too_old" }));
    assert!(operations(&told.json()).iter().all(|operation| *operation == "lookup"), "{told:?}");
}

/// What was asked for in a currency that has been retired since can still be found out.
#[test]
fn a_capture_in_a_retired_currency_is_resumed() {
    let server = server();
    let retired = json!({ "amount": 10_000, "currency": "HRK", "exponent": 2 });
    let money: Money = serde_json::from_value(retired).unwrap();
    let order = server.create_order(money);
    let ask = |amount, currency| {
        let mut command = capture_at(&server, &["order", &order.to_string(), "--amount", amount]);
        run(command.args(["--currency", currency]))
    };
    let unknown = ask("100.00", "HRK");
    assert!(unknown.stderr.contains("was retired; its successor is EUR"), "{unknown:?}");
    assert!(!scenario::journal(&server.base_url()).unwrap().exists());
    leave(&server, Capture::new(order, money, IdempotencyKey::for_order(order)), SystemTime::now());
    for (amount, currency, why) in [
        ("100.00", "ROL", "was retired; its successor is RON"),
        ("100.000", "HRK", "HRK has 2 decimals, not 3"),
        ("99.00", "HRK", "was asked for with 100.00 HRK"),
    ] {
        let refused = ask(amount, currency);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains(why), "{why}: {refused:?}");
    }
    server.script(lookups_fail());
    assert_eq!(ask("100.00", "HRK").code, 3);
    server.clear_script();
    assert!(server.set_order_status(order, OrderStatus::Completed));
    let resumed = ask("100.00", "HRK");
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert!(resumed.stdout.contains("the order is Completed"), "{resumed:?}");
}

/// A journal knows its environments: the same order elsewhere is another one.
#[test]
fn each_environment_has_records_of_its_own() {
    let [first, second] = [server(), server()];
    let id = order(&first);
    let journal = scenario::journal(&first.base_url()).unwrap();
    assert_eq!(simple(&first, &id.to_string(), &[]).code, 0);
    let mut command = capture_at(&second, &["order", &id.to_string(), "--amount", "100.00"]);
    command.args(["--currency", "USD", "--json"]).env("CAPTURE_JOURNAL", journal);
    let told = run(&mut command);
    assert!(told.json()["recorded_at_ms"].is_null(), "{told:?}");
    assert!(!second.transcript().is_empty(), "it was asked: {told:?}");
}
