//! The journal of the command: what it promises from one run to the next, and what it says on bad days.

use std::fs;
use std::path::Path;

use capture_core::IdempotencyKey;
use capture_sandbox::{Answer, Operation, Script};
use serde_json::json;

use super::command::{Run, capture, capture_at, directory, each_transport, order, run, server};
use super::order::{lookups_fail, operations, outcome, simple};
use super::scenario::{self, check_a_forgetful_command};

const ORDER: [&str; 6] =
    ["order", "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81", "--amount", "100.00", "--currency", "USD"];

/// The money moved and nobody could find out: the next run knows that it did not begin afresh.
#[test]
fn an_unknown_order_is_resumed_with_a_lookup() {
    each_transport(|transport| {
        let server = server();
        let order = order(&server);
        let flags = ["--json", "--transport", transport];
        server.script(Script::lost_reply().then(lookups_fail()));
        assert_eq!(simple(&server, &order.to_string(), &flags).code, 3);
        server.clear_script();
        let second = simple(&server, &order.to_string(), &flags);
        assert_eq!((second.code, outcome(&second.json())), (0, ("captured", "order_status")));
        assert_eq!(operations(&second.json()), ["capture", "lookup", "lookup"]);
        assert!(second.stderr.contains("\nresuming 100.00 USD"), "{second:?}");
        let third = simple(&server, &order.to_string(), &flags).json();
        assert_eq!(outcome(&third), ("captured", "order_status"));
        assert!(third["recorded_at_ms"].as_u64().is_some(), "{third}");
        assert_eq!(server.ledger().captures(order), 1);
    });
}

/// A captured order was called "not captured" because the second run had no network.
#[test]
fn a_second_run_without_a_network_is_unknown_as_the_first_one_was() {
    let server = server();
    let order = order(&server);
    server.script(Script::lost_reply().then(lookups_fail()));
    assert_eq!(simple(&server, &order.to_string(), &[]).code, 3);
    server.script(Script::close_before().times(1000));
    let second = simple(&server, &order.to_string(), &["--json", "--deadline", "1"]);
    assert_eq!((second.code, outcome(&second.json())), (3, ("unknown", "no_reply")), "{second:?}");
}

/// "Do not ship, use a new key" was said of an order that the first run had captured.
#[test]
fn a_refusal_of_a_completed_order_is_not_believed() {
    let server = server();
    let order = order(&server);
    server.script(Script::lost_reply().then(lookups_fail()));
    assert_eq!(simple(&server, &order.to_string(), &[]).code, 3);
    server.clear_script();
    let failed = r#"{"status":"FAILED","success":true,"errors":["the order is completed"]}"#;
    let failed = Answer::new(200).body(failed);
    server.script(Script::status(failed).on(Operation::Capture).times(1000));
    let second = simple(&server, &order.to_string(), &["--json"]);
    assert_eq!((second.code, outcome(&second.json())), (0, ("captured", "order_status")));
}

/// The first run's capture arrived late, and the second one's sent the money once more.
#[test]
fn never_resend_holds_from_one_run_to_the_next() {
    let server = server();
    let order = order(&server);
    let flags = ["--json", "--resend", "never", "--deadline", "2"];
    server.script(Script::close_before().then(lookups_fail()));
    assert_eq!(simple(&server, &order.to_string(), &flags).code, 3);
    server.clear_script();
    let second = simple(&server, &order.to_string(), &flags);
    assert_eq!((second.code, &second.json()["outcome"]), (3, &json!("unknown")), "{second:?}");
    assert_eq!(second.json()["obstacle"], json!({ "not_sent_again": "never" }));
    let operations = operations(&second.json()).join(" ");
    assert!(operations.starts_with("capture lookup lookup"), "{operations}");
    assert_eq!(operations.matches("capture").count(), 1, "never sent again: {operations}");
}

/// The check that every scenario goes through fires.
#[test]
fn a_command_that_forgets_is_noticed() {
    let server = server();
    let order = order(&server);
    server.script(Script::lost_reply().then(lookups_fail()));
    assert_eq!(simple(&server, &order.to_string(), &[]).code, 3);
    let noticed = check_a_forgetful_command(&server, order).unwrap_err();
    assert_eq!(noticed, "without a network it says something else");
}

/// What is recorded is shown without network and credentials.
#[test]
fn a_decided_order_needs_no_login() {
    let server = server();
    let order = order(&server).to_string();
    for (amount, code) in [("99.00", 1), ("100.00", 0)] {
        let key = if code == 1 { "" } else { "1d120e99-7a63-4210-98dc-78f56fde12cf" };
        let mut command = capture_at(&server, &["order", &order, "--amount", amount]);
        command.args(["--currency", "USD", "--json"]);
        if !key.is_empty() {
            command.args(["--key", key]);
        }
        let first = run(&mut command);
        assert_eq!(first.code, code, "{first:?}");
        let asked = server.transcript().len();
        let nobody = command.env_remove("CAPTURE_APP_KEY").env_remove("CAPTURE_APP_SECRET");
        let second = run(nobody);
        assert_eq!((second.code, second.stderr.lines().count()), (code, 1), "{second:?}");
        assert!(second.stderr.starts_with("journal "), "{second:?}");
        let (mut first, mut second) = (first.json(), second.json());
        assert!(first["recorded_at_ms"].is_null() && second["recorded_at_ms"].is_u64());
        for json in [&mut first, &mut second] {
            json["recorded_at_ms"].take();
            json["attempts"].take();
        }
        assert_eq!(first, second);
        assert_eq!(server.transcript().len(), asked, "nothing was sent");
    }
}

/// Another amount, currency or key of an order that is open or captured is refused, naming both.
#[test]
fn other_values_are_refused_naming_both() {
    let server = server();
    let order = order(&server);
    let key = "1d120e99-7a63-4210-98dc-78f56fde12cf";
    let usual = IdempotencyKey::for_order(order).to_string();
    server.script(Script::close_before().times(9).then(lookups_fail()));
    assert_eq!(simple(&server, &order.to_string(), &[]).code, 3);
    let sent = server.transcript().len();
    for (amount, currency, key, field, both) in [
        ("50.00", "USD", None, "amount", ["100.00 USD", "50.00 USD"]),
        ("100.00", "EUR", None, "currency", ["100.00 USD", "100.00 EUR"]),
        ("100.00", "USD", Some(key), "key", [&usual, key]),
    ] {
        let mut command = capture_at(&server, &["order", &order.to_string(), "--amount", amount]);
        command.args(["--currency", currency, "--json"]);
        key.map(|key| command.args(["--key", key]));
        // No credentials are needed to be told no.
        let refused = run(command.env_remove("CAPTURE_APP_KEY").env_remove("CAPTURE_APP_SECRET"));
        assert_eq!((refused.code, &refused.json()["field"]), (2, &json!(field)), "{refused:?}");
        let error = refused.json()["error"].as_str().unwrap().to_owned();
        assert!(both.iter().all(|value| error.contains(value)), "{error}");
        assert!(error.contains("nothing was sent; it is not decided yet; run"), "{error}");
    }
    assert_eq!(server.transcript().len(), sent, "nothing was sent");
    server.clear_script();
    assert_eq!(simple(&server, &order.to_string(), &[]).code, 0);
    let mut command = capture_at(&server, &["order", &order.to_string(), "--amount", "50.00"]);
    let refused = run(command.args(["--currency", "USD"]));
    assert!(refused.stderr.contains("it is captured with 100.00 USD (recorded 2"), "{refused:?}");
}

/// Without a journal, nobody knows what an earlier run did.
#[test]
fn without_a_journal_nothing_sent_is_unknown() {
    let server = server();
    let order = order(&server);
    let flags = ["--json", "--no-journal"];
    server.script(Script::status(400).on(Operation::Token).times(9));
    let told = simple(&server, &order.to_string(), &flags);
    let json = told.json();
    assert_eq!((told.code, outcome(&json)), (3, ("nothing_sent", "credentials_refused")));
    assert!(
        json["says"].as_str().unwrap().starts_with("nothing sent: nothing was sent by this run: ")
    );
    assert!(json["next_step"].as_str().unwrap().ends_with("ended as unknown, it still is."));
    assert!(!told.stderr.contains("journal /"), "{told:?}");
    let text = simple(&server, &order.to_string(), &["--no-journal"]);
    assert!(text.stdout.starts_with("nothing sent  "), "{text:?}");
    assert!(!scenario::journal(&server.base_url()).unwrap().exists());
    server.clear_script();
    server.script(Script::status(429).on(Operation::Capture).times(9));
    let told = simple(&server, &order.to_string(), &[&flags[..], &["--max-sends", "1"]].concat());
    assert_eq!((told.code, outcome(&told.json())), (3, ("nothing_sent", "throttled")));
    assert!(!told.stdout.contains("nothing was sent"), "a request was: {told:?}");
    server.clear_script();
    assert_eq!(simple(&server, &order.to_string(), &flags).code, 0);
}

/// The flag wins over the variable, and the variable over the state directory; each is made as needed.
#[test]
fn the_journal_is_where_it_is_said_to_be() {
    let server = server();
    let home = directory("journal-home");
    let [by_flag, by_variable] = ["by/flag", "by/variable"].map(|name| home.join(name));
    let default = if cfg!(target_os = "macos") {
        "Library/Application Support/capture/captures.journal"
    } else if cfg!(windows) {
        "capture/captures.journal"
    } else {
        ".local/state/capture/captures.journal"
    };
    let default = home.join(default);
    let xdg = home.join("state/capture/captures.journal");
    for (flag, variable, state, place) in [
        (Some(&by_flag), Some(&by_variable), None, &by_flag),
        (None, Some(&by_variable), None, &by_variable),
        (None, None, None, &default),
        #[cfg(target_os = "linux")]
        (None, None, Some(home.join("state")), &xdg),
        #[cfg(target_os = "linux")]
        (None, None, Some("relative".into()), &default),
    ] {
        let _ = fs::remove_dir_all(place.parent().unwrap());
        let order = order(&server).to_string();
        let mut command = capture_at(&server, &["order", &order, "--amount", "100.00"]);
        command.args(["--currency", "USD"]).env("HOME", &home).env("LOCALAPPDATA", &home);
        command.env_remove("CAPTURE_JOURNAL").env_remove("XDG_STATE_HOME");
        flag.map(|path| command.arg("--journal").arg(path));
        variable.map(|path| command.env("CAPTURE_JOURNAL", path));
        state.map(|path| command.env("XDG_STATE_HOME", path));
        let told = Run::of(command.output().unwrap());
        assert_eq!(told.code, 0, "{told:?}");
        let named = fs::canonicalize(place).unwrap();
        assert!(told.stderr.starts_with(&format!("journal {}\n", named.display())), "{told:?}");
        is_private(place);
    }
    let _ = xdg;
}

#[cfg(unix)]
fn is_private(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    for (path, mode) in [(file, 0o600), (file.parent().unwrap(), 0o700)] {
        let found = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{}: {found:o}", path.display());
    }
}

#[cfg(not(unix))]
fn is_private(_: &Path) {}

/// One sentence with the way out, exit code 2, nothing sent, nothing overwritten.
#[test]
fn a_journal_that_cannot_be_used_is_refused() {
    let server = server();
    let place = directory("journal-refused");
    let file = place.join("file");
    let newer = place.join("newer");
    let mut command = capture_at(&server, &ORDER);
    assert_eq!(Run::of(command.arg("--journal").arg(&newer).output().unwrap()).code, 1);
    let schema = rusqlite::Connection::open(&newer).unwrap();
    schema.pragma_update(None, "user_version", 99).unwrap();
    drop(schema);
    let damaged = place.join("damaged");
    let mut bytes = fs::read(&newer).unwrap();
    bytes[100..4096].fill(0xa5);
    fs::write(&damaged, bytes).unwrap();
    let foreign = place.join("foreign");
    let other = rusqlite::Connection::open(&foreign).unwrap();
    other.execute_batch("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)").unwrap();
    drop(other);
    fs::write(&file, "a text").unwrap();
    let sent = server.transcript().len();
    for (path, why) in [
        (&file, "the file is no journal of Capture; it is left as it is"),
        (&foreign, "the file is no journal of Capture; it is left as it is"),
        (&newer, "the file is of version 99, and this program knows 3; update Capture"),
        (&damaged, "the file is damaged; keep it, and restore a backup or ask for help"),
        (&place, "there is something other than a file"),
        (&file.join("below"), "give another file by --journal FILE"),
    ] {
        let before = fs::read(path).ok();
        let mut command = capture_at(&server, &ORDER);
        let told = run(command.args(["--json", "--journal"]).arg(path));
        assert_eq!((told.code, told.stderr.lines().count()), (2, 1), "{told:?}");
        assert!(
            told.stderr.starts_with("error: journal ") && told.stderr.contains(why),
            "{told:?}"
        );
        assert_eq!(told.json()["field"], "journal");
        assert_eq!(fs::read(path).ok(), before, "{}", path.display());
    }
    assert_eq!(server.transcript().len(), sent, "nothing was sent");
}

#[test]
fn a_journal_without_a_place_is_refused() {
    for (variable, home, says) in [
        (Some(""), None, "CAPTURE_JOURNAL is set but empty; give it a value or unset it"),
        (
            None,
            Some("relative"),
            "there is no home directory to keep the journal in; give --journal FILE, or --no-journal to keep a record yourself",
        ),
    ] {
        let mut command = capture(&ORDER);
        command.env("CAPTURE_ENVIRONMENT", "http://127.0.0.1:1").env("CAPTURE_TOKEN", "canary");
        command.env_remove("CAPTURE_JOURNAL").env_remove("XDG_STATE_HOME");
        command.env_remove("LOCALAPPDATA");
        variable.map(|value| command.env("CAPTURE_JOURNAL", value));
        home.map(|value| command.env("HOME", value));
        let told = run(&mut command);
        assert_eq!((told.code, told.stderr), (2, format!("error: {says}\n")));
    }
}
