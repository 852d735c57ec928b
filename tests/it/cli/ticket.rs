//! `--ticket`: an unknown outcome is saved to a file, and the next run resumes it.

use std::fs;
use std::time::{Duration, SystemTime};

use capture_core::{Capture, IdempotencyKey, Money, OrderId, OrderStatus, Ticket};
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
        serde_json::to_string(&Ticket::interrupted(capture, SystemTime::now())).unwrap()
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

/// The ticket of a capture that was interrupted, first sent at this time.
fn interrupted(order: OrderId, first_sent: SystemTime) -> String {
    let money = Money::parse("100.00", "USD").unwrap();
    let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
    serde_json::to_string(&Ticket::interrupted(capture, first_sent)).unwrap()
}

#[test]
fn a_byte_order_mark_is_no_obstacle_and_utf_16_is_named() {
    let server = server();
    let order = order(&server);
    let file = directory("ticket-marked").join("order.ticket");
    let flags = ["--ticket", file.to_str().unwrap()];
    let text = interrupted(order, SystemTime::now());

    fs::write(&file, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()).unwrap();
    let refused = simple(&server, &order.to_string(), &flags);
    let says = format!("error: ticket {}: is in UTF-16; save it as UTF-8\n", file.display());
    assert_eq!((refused.code, refused.stderr), (2, says));

    fs::write(&file, format!("\u{feff}{text}")).unwrap();
    let resumed = simple(&server, &order.to_string(), &flags);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert!(resumed.stderr.starts_with("resuming "), "{resumed:?}");
}

/// A clock that was set back by more than NTP does bars the resend, and text and JSON say so.
#[test]
fn a_first_send_in_the_future_is_said() {
    let server = server();
    let order = order(&server);
    let file = directory("ticket-future").join("order.ticket");
    let text = interrupted(order, SystemTime::now() + Duration::from_secs(3600));
    for json in [false, true] {
        fs::write(&file, &text).unwrap();
        let mut flags = vec!["--deadline", "1", "--ticket", file.to_str().unwrap()];
        flags.extend(json.then_some("--json"));
        let run = simple(&server, &order.to_string(), &flags);
        assert_eq!(run.code, 3, "{run:?}");
        let says = "the age of its key is unknown; check this machine's clock";
        assert!(run.stdout.contains(says), "{run:?}");
        if json {
            let obstacle = &run.json()["obstacle"];
            assert_eq!(*obstacle, serde_json::json!({ "not_sent_again": "key_age_unknown" }));
        }
    }
    assert_eq!(server.ledger().captures(order), 0);
}

#[cfg(unix)]
#[test]
fn only_one_process_works_on_a_file_and_only_its_owner_reads_it() {
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::process::Stdio;

    let server = server();
    let order = order(&server);
    let file = directory("ticket-shared").join("order.ticket");
    let flags = ["--ticket", file.to_str().unwrap()];
    let hang = r#"{"rules": [{"times": "always", "do": {"hang": true, "effect": false}}]}"#;
    server.script(Script::from_json(hang).unwrap());
    let in_use = format!(
        "error: ticket {}: is in use by another process; when that has ended, run the same command again\n",
        file.display()
    );
    // The first run makes the file, the second one reads it.
    for begins in ["capturing ", "resuming "] {
        let mut command = capture_at(&server, &["order", &order.to_string()]);
        command.args(["--amount", "100.00", "--currency", "USD"]).args(flags);
        let mut first = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        // It has written its ticket when it says what it does.
        BufReader::new(first.stderr.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with(begins), "{line}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        // Without a lock it would end as unknown.
        let soon = [&flags[..], &["--attempt-timeout", "1", "--deadline", "1"]].concat();
        let second = simple(&server, &order.to_string(), &soon);
        first.kill().unwrap();
        first.wait().unwrap();
        assert_eq!((second.code, &second.stderr), (2, &in_use));
    }
    server.clear_script();
    let last = simple(&server, &order.to_string(), &flags);
    assert_eq!(last.code, 0, "a lock ends with its process: {last:?}");

    let other = file.with_file_name("other");
    symlink(&other, &file).unwrap();
    let linked = simple(&server, &order.to_string(), &flags);
    assert_eq!(linked.code, 2, "{linked:?}");
    assert!(
        linked.stderr.contains("there is a link, or something other than a file"),
        "{linked:?}"
    );
    assert!(!other.exists());
}

/// The file is replaced, not overwritten: a crash in between leaves the old ticket, whole.
#[cfg(unix)]
#[test]
fn a_ticket_is_replaced_in_one_step() {
    let server = server();
    let order = order(&server);
    let file = directory("ticket-replaced").join("order.ticket");
    let (old, text) = (file.with_file_name("old"), interrupted(order, SystemTime::now()));
    fs::write(&file, &text).unwrap();
    fs::hard_link(&file, &old).unwrap(); // what a reader holds that opened it before
    server.script(lookups_fail());
    let run = simple(&server, &order.to_string(), &["--ticket", file.to_str().unwrap()]);
    assert_eq!(run.code, 3, "{run:?}");
    assert_eq!(fs::read_to_string(&old).unwrap(), text);
    assert_ne!(fs::read_to_string(&file).unwrap(), text);
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
    let ticket = Ticket::interrupted(capture, SystemTime::now());
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
