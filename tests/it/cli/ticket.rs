//! `--ticket`: an unknown outcome is saved to a file, and the next run resumes it.

use std::fs;

use capture_core::{Capture, IdempotencyKey, Money, OrderStatus, Ticket};
use capture_sandbox::Script;

use super::command::{capture_at, directory, each_transport, order, run, server};
use super::order::{lookups_fail, operations, outcome, simple};

#[test]
fn an_unknown_outcome_is_saved_and_resumed_until_it_is_decided() {
    each_transport(|transport| {
        let server = server();
        let order = order(&server);
        let file = directory(&format!("ticket-{transport}")).join("order.ticket");
        let flags = ["--json", "--transport", transport, "--ticket", file.to_str().unwrap()];
        server.script(Script::close_before().then(lookups_fail()));

        let first = simple(&server, &order.to_string(), &flags);
        assert_eq!(first.code, 3, "{transport}: {first:?}");
        let ticket: Ticket = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!(ticket.capture().order_id(), order);
        assert_eq!(ticket.attempts().len(), 3);

        let second = simple(&server, &order.to_string(), &flags);
        assert_eq!(second.code, 3, "{transport}: {second:?}");
        assert_eq!(operations(&second.json()), ["capture", "lookup", "lookup"]);

        server.clear_script();
        let last = simple(&server, &order.to_string(), &flags);
        assert_eq!(last.code, 0, "{transport}: {last:?}");
        assert_eq!(outcome(&last.json()), ("captured", "reply"));
        let expect = ["capture", "lookup", "lookup", "lookup", "capture"];
        assert_eq!(operations(&last.json()), expect);
        assert_eq!(server.ledger().captures(order), 1);
        let left: Vec<_> = fs::read_dir(file.parent().unwrap()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    });
}

#[test]
fn a_decided_outcome_leaves_no_ticket() {
    let server = server();
    let file = directory("ticket-decided").join("order.ticket");
    for (amount, code) in [("99.00", 1), ("100.00", 0)] {
        let order = order(&server).to_string();
        let mut command = capture_at(&server, &["order", &order, "--amount", amount]);
        let run = run(command.args(["--currency", "USD", "--ticket"]).arg(&file));
        assert_eq!(run.code, code, "{run:?}");
        assert!(!file.exists());
    }
}

#[test]
fn a_ticket_of_another_capture_and_a_broken_file_are_refused() {
    let server = server();
    let order = order(&server);
    let file = directory("ticket-refused").join("order.ticket");
    let ticket = |amount, currency, key| {
        let money = Money::parse(amount, currency).unwrap();
        let capture = Capture::new(order, money, key);
        serde_json::to_string(&Ticket::interrupted(capture, std::time::SystemTime::now())).unwrap()
    };
    let key = IdempotencyKey::for_order(order);
    let other = "11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
    let good = ticket("100.00", "USD", key);
    for (text, why) in [
        (ticket("99.00", "USD", key), "belongs to another capture"),
        (ticket("100.00", "EUR", key), "belongs to another capture"),
        (ticket("100.00", "USD", other), "belongs to another capture"),
        (good.replace(&order.to_string(), &other.to_string()), "belongs to another capture"),
        (good.replace("\"version\":2", "\"version\":3"), "is not a ticket that this version"),
        (good[..good.len() / 2].to_owned(), "is not a ticket that this version"),
        (String::new(), "is not a ticket that this version"),
        ("\"canary\"".to_owned(), "is not a ticket that this version"),
        (" ".repeat(1024 * 1024 + 1), "is larger than 1024 KiB"),
    ] {
        fs::write(&file, &text).unwrap();
        let run = simple(&server, &order.to_string(), &["--ticket", file.to_str().unwrap()]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        let begin = format!("error: ticket {}: {why}", file.display());
        assert!(run.stderr.starts_with(&begin), "{begin}: {run:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "the file is left alone");
    }
    let nowhere = file.with_file_name("absent").join("order.ticket");
    let run = simple(&server, &order.to_string(), &["--ticket", nowhere.to_str().unwrap()]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("cannot be written"), "{run:?}");
    assert_eq!(server.transcript().len(), 0, "nothing was sent");
}

/// What was stored in a currency that has been retired since can still be found out.
#[test]
fn a_ticket_in_a_retired_currency_is_resumed() {
    let server = server();
    let retired = serde_json::json!({ "amount": 10_000, "currency": "HRK", "exponent": 2 });
    let money: Money = serde_json::from_value(retired).unwrap();
    let order = server.create_order(money);
    let file = directory("ticket-retired").join("order.ticket");
    let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
    let ticket = Ticket::interrupted(capture, std::time::SystemTime::now());
    fs::write(&file, serde_json::to_vec(&ticket).unwrap()).unwrap();
    let resume = |amount, currency, flags: &[&str]| {
        let mut command = capture_at(&server, &["order", &order.to_string(), "--amount", amount]);
        run(command.args(["--currency", currency]).args(flags))
    };
    let with = ["--ticket", file.to_str().unwrap()];
    for (amount, currency, flags, why) in [
        ("100.00", "HRK", &[][..], "was retired; its successor is EUR"),
        ("100.00", "ROL", &with, "was retired; its successor is RON"),
        ("100.000", "HRK", &with, "HRK has 2 decimals, not 3"),
        ("99.00", "HRK", &with, "belongs to another capture"),
    ] {
        let refused = resume(amount, currency, flags);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains(why), "{why}: {refused:?}");
    }
    assert!(server.set_order_status(order, OrderStatus::Completed));
    let resumed = resume("100.00", "HRK", &with);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert!(resumed.stdout.contains("the order is Completed"), "{resumed:?}");
}
