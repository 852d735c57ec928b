//! What survives the process: it is killed, another one is at work, the journal's file is taken away.

#![cfg(unix)]

use std::fs;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use capture_sandbox::{Operation, Script};
use serde_json::json;

use super::command::{Run, capture_at, directory, each_transport, order, run, server};
use super::interrupt::{PATIENT, ended, started};
use super::order::{lookups_fail, operations, outcome, simple};
use super::scenario::{self, Site, stories};

/// The money moves, and nothing comes after it.
fn hanging(server: &Site, order: &str, flags: &[&str]) -> Child {
    server.script(Script::delayed(Duration::from_secs(3600)));
    let captured = server.ledger().entries().len();
    let child = started(&mut patient(server, order, flags));
    while server.ledger().entries().len() == captured {
        thread::sleep(Duration::from_millis(5));
    }
    child
}

fn patient(server: &Site, order: &str, flags: &[&str]) -> Command {
    let mut command = capture_at(server, &["order", order, "--amount", "100.00"]);
    command.args(["--currency", "USD"]).args(flags).args(PATIENT);
    command
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_run_that_was_killed_is_resumed_and_captures_once() {
    each_transport(|transport| {
        let server = server();
        let order = order(&server);
        let flags = ["--json", "--transport", transport];
        kill(hanging(&server, &order.to_string(), &flags));
        server.clear_script();
        let second = simple(&server, &order.to_string(), &flags);
        let json = second.json();
        assert_eq!((second.code, outcome(&json)), (0, ("captured", "order_status")), "{second:?}");
        assert_eq!(operations(&json), ["lookup"], "what the first one sent died with it");
        assert_eq!(server.ledger().captures(order), 1);
        let story = stories(&server, order).remove(0);
        assert_eq!((story.claims.len(), story.entries.len()), (2, 1), "{story:?}");
    });
}

/// It was killed before anything was sent, which nobody can know.
#[test]
fn a_run_that_was_killed_at_its_login_looks_the_order_up() {
    let server = server();
    let order = order(&server);
    let hang = r#"{"rules": [{"times": "always", "do": {"hang": true, "effect": false}}]}"#;
    server.script(Script::from_json(hang).unwrap());
    let child = started(&mut patient(&server, &order.to_string(), &["--json"]));
    while server.transcript().is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    kill(child);
    server.clear_script();
    let second = simple(&server, &order.to_string(), &["--json"]);
    assert_eq!((second.code, outcome(&second.json())), (0, ("captured", "reply")), "{second:?}");
    assert_eq!(operations(&second.json()), ["lookup", "capture"]);
}

/// Two at once: one sends, the other one says who does, and since when.
#[test]
fn a_second_process_sends_nothing_and_says_who_is_at_work() {
    let server = server();
    let order = order(&server);
    let first = hanging(&server, &order.to_string(), &[]);
    let sent = server.transcript().len();
    let second = simple(&server, &order.to_string(), &["--json"]);
    let text = simple(&server, &order.to_string(), &[]);
    let json = second.json();
    assert_eq!((second.code, outcome(&json)), (3, ("unknown", "busy")), "{second:?}");
    let says = json["says"].as_str().unwrap();
    let begin = format!("unknown: process {} on ", first.id());
    assert!(says.starts_with(&begin), "{says}");
    assert!(says.contains(" has been working on this order since 2"), "{says}");
    assert!(says.ends_with("Z; nothing was sent by this run"), "{says}");
    assert_eq!((&json["cause"], &json["attempts"]), (&json!("busy"), &json!([])));
    assert_eq!(text.code, 3);
    assert!(
        text.stdout.contains("\n  next: Wait until that process has ended, then run"),
        "{text:?}"
    );
    assert_eq!(server.transcript().len(), sent, "nothing was sent");
    kill(first);
    server.clear_script();
    assert_eq!(simple(&server, &order.to_string(), &[]).code, 0);
    assert_eq!(server.ledger().captures(order), 1);
}

/// All begin at the same moment, on a journal that none of them has made yet.
#[test]
fn of_many_processes_one_sends() {
    let server = server();
    let order = order(&server);
    server.script(Script::delayed(Duration::from_secs(1)));
    let children: Vec<Child> =
        (0..6).map(|_| started(&mut patient(&server, &order.to_string(), &["--json"]))).collect();
    let runs: Vec<_> = children.into_iter().map(ended).collect();
    let count = |code, said: &str| {
        let is = |run: &&Run| run.code == code && outcome(&run.json()).1 == said;
        runs.iter().filter(is).count()
    };
    // Who came late finds the outcome recorded.
    let (captured, busy) = (count(0, "reply"), count(3, "busy"));
    assert!(captured >= 1 && captured + busy == 6, "{runs:?}");
    let sent =
        server.transcript().into_iter().filter(|it| it.operation == Some(Operation::Capture));
    assert_eq!((sent.count(), server.ledger().captures(order)), (1, 1));
}

/// The outcome is shown although it cannot be recorded, and nobody ships on it.
#[test]
fn an_outcome_that_cannot_be_recorded_is_shown_with_a_warning() {
    let server = server();
    let order = order(&server);
    server.script(Script::delayed(Duration::from_secs(2)));
    let child = started(&mut patient(&server, &order.to_string(), &["--json"]));
    while server.ledger().captures(order) == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    let journal = scenario::journal(&server.base_url()).unwrap();
    fs::rename(&journal, journal.with_extension("taken")).unwrap();
    let told = ended(child);
    let json = told.json();
    assert_eq!((told.code, outcome(&json)), (3, ("captured", "reply")), "{told:?}");
    let why = "the journal's file was removed or replaced while it was in use";
    assert_eq!(json["unrecorded"], why);
    let warning = format!("warning: the outcome is not in the journal ({why}); there");
    assert!(told.stderr.contains(&warning), "{told:?}");
    fs::rename(journal.with_extension("taken"), &journal).unwrap();
    server.clear_script();
    let second = simple(&server, &order.to_string(), &["--json"]);
    assert_eq!((second.code, outcome(&second.json())), (0, ("captured", "order_status")));
}

/// A backup is put in the journal's place: it does not know of the order, and says so aloud.
#[test]
fn a_restored_copy_is_said_aloud_and_each_order_is_looked_up_first() {
    let server = server();
    let [before, after] = [order(&server), order(&server)];
    assert_eq!(simple(&server, &before.to_string(), &[]).code, 0);
    let journal = scenario::journal(&server.base_url()).unwrap();
    let backup = journal.with_extension("backup");
    let file = rusqlite::Connection::open(&journal).unwrap();
    file.execute("VACUUM INTO ?", [backup.to_str().unwrap()]).unwrap();
    drop(file);
    server.script(Script::lost_reply().then(lookups_fail()));
    assert_eq!(simple(&server, &after.to_string(), &[]).code, 3);
    server.clear_script();
    for companion in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{companion}", journal.display()));
    }
    fs::rename(&backup, &journal).unwrap();
    let told = simple(&server, &after.to_string(), &["--json"]);
    let name = fs::canonicalize(&journal).unwrap();
    let warning = format!(
        "warning: an older copy was put in the place of journal {} (noticed 2",
        name.display()
    );
    assert!(told.stderr.starts_with(&warning), "{told:?}");
    assert_eq!((told.code, operations(&told.json())), (0, vec!["lookup"]), "{told:?}");
    assert_eq!(server.ledger().captures(after), 1);
}

#[test]
fn a_directory_without_write_permission_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = server();
    let mut place = directory("journal-read-only");
    fs::set_permissions(&place, fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write to any directory of a disk, and to none of the kernel's.
    let mut denied = &["Permission denied"][..];
    if fs::write(place.join("probe"), "").is_ok() {
        (place, denied) = ("/sys".into(), &["Permission denied", "Read-only file system"]);
    }
    let order = order(&server).to_string();
    let mut command = capture_at(&server, &["order", &order, "--amount", "100.00"]);
    let told = run(command.args(["--currency", "USD", "--journal"]).arg(place.join("journal")));
    assert_eq!((told.code, told.stdout.as_str()), (2, ""), "{told:?}");
    assert!(denied.iter().any(|why| told.stderr.contains(why)), "{told:?}");
    assert!(told.stderr.ends_with("; give another file by --journal FILE\n"), "{told:?}");
    assert_eq!(server.transcript().len(), 0, "nothing was sent");
}
