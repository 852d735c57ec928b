//! `capture journal`: the file is looked after without harm to it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use capture_core::Money;
use capture_sandbox::{Sandbox, Server, Settings};

use super::command::{KEY, Run, SECRET, capture, directory, run};

fn keep(journal: &Path, arguments: &[&str]) -> Run {
    let mut command = capture(&["journal"]);
    command.args(arguments).arg("--journal").arg(journal);
    command.env("CAPTURE_ENVIRONMENT", "sandbox");
    run(&mut command)
}

/// A journal with so many captured orders, and their server.
fn filled(name: &str, orders: usize) -> (PathBuf, Server) {
    let settings =
        Settings { app_key: KEY.into(), app_secret: SECRET.into(), ..Settings::default() };
    let server = Sandbox::builder().settings(settings).start().expect("a free port");
    let journal = directory(name).join("captures.journal");
    for _ in 0..orders {
        let order = server.create_order(Money::parse("100.00", "USD").unwrap()).to_string();
        let mut command = capture(&["order", &order, "--amount", "100.00", "--currency", "USD"]);
        command.env("CAPTURE_APP_KEY", KEY).env("CAPTURE_APP_SECRET", SECRET);
        command.env("CAPTURE_ENVIRONMENT", server.base_url()).env("CAPTURE_JOURNAL", &journal);
        assert_eq!(run(&mut command).code, 0);
    }
    (journal, server)
}

#[test]
fn a_sound_journal_is_called_sound_and_an_edited_one_is_not() {
    let (journal, _server) = filled("keep-check", 3);
    let checked = keep(&journal, &["check"]);
    assert_eq!((checked.code, checked.stdout.trim()), (0, "sound: 3 records"));
    let verified = keep(&journal, &["verify", "--json"]).json();
    let head = verified["head"].as_str().unwrap().to_owned();
    assert_eq!(verified["records"], 3);
    let with_head = |head: &str| keep(&journal, &["verify", "--json", "--head", head]);
    assert_eq!(with_head(&head).json()["has_head"], true);
    let other = with_head(&"0a".repeat(32));
    assert_eq!((other.code, &other.json()["has_head"]), (1, &false.into()));
    for bad in ["", "0a", &"zz".repeat(32), "-1"] {
        let refused = with_head(bad);
        assert_eq!((refused.code, &refused.json()["field"]), (2, &"head".into()), "{bad}");
    }
    let edit = "UPDATE record SET at_ms = at_ms + 1 WHERE number = 2";
    Connection::open(&journal).unwrap().execute_batch(edit).unwrap();
    let broken = keep(&journal, &["verify"]);
    assert_eq!(broken.code, 1);
    assert!(broken.stdout.contains("broken at record 2"), "{broken:?}");
    let checked = keep(&journal, &["check", "--json"]);
    assert_eq!(checked.code, 1);
    assert_eq!(checked.json()["faults"][0], "the chain is broken at record 2");
}

#[test]
fn what_is_exported_is_imported_and_nothing_is_overwritten() {
    let (journal, server) = filled("keep-move", 2);
    let (file, other) = (journal.with_file_name("lines"), journal.with_file_name("other"));
    let at = |journal: &Path, arguments: &[&str]| {
        let mut command = capture(&["journal"]);
        command.args(arguments).arg("--journal").arg(journal);
        run(command.env("CAPTURE_ENVIRONMENT", server.base_url()))
    };
    let name = file.to_str().unwrap();
    assert_eq!(at(&journal, &["export", name]).code, 0);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
    let again = at(&journal, &["export", name]);
    assert_eq!(again.code, 2, "the file is there: {again:?}");
    let printed = at(&journal, &["export"]);
    assert_eq!(printed.stdout, fs::read_to_string(&file).unwrap());
    let imported = at(&other, &["import", name, "--json"]);
    assert_eq!((imported.code, &imported.json()["imported"]), (0, &2.into()));
    assert_eq!(at(&other, &["export"]).stdout.lines().count(), 2);
    let mut piped = capture(&["journal", "import", "-", "--journal"]);
    piped.arg(journal.with_file_name("piped")).stdin(File::open(&file).unwrap());
    let piped = run(piped.env("CAPTURE_ENVIRONMENT", server.base_url()));
    assert_eq!((piped.code, piped.stderr.as_str()), (0, "imported: 2\n"));
    // A line of another environment.
    let foreign = keep(&other, &["import", name, "--json"]);
    assert_eq!((foreign.code, &foreign.json()["field"]), (2, &"file".into()));
    assert!(foreign.stderr.contains("line 1"), "{foreign:?}");
}

#[test]
fn copies_and_cuts() {
    let (journal, _server) = filled("keep-copy", 1);
    let copy = journal.with_file_name("copy");
    let name = copy.to_str().unwrap();
    assert_eq!(keep(&journal, &["backup", name]).code, 0);
    assert_eq!(keep(&copy, &["check"]).stdout.trim(), "sound: 1 records");
    let again = keep(&journal, &["backup", name, "--json"]);
    assert_eq!((again.code, &again.json()["field"]), (2, &"file".into()));
    for bad in ["yesterday", "2026-13-01", "-1", ""] {
        let refused = keep(&journal, &["prune", "--before", bad, "--json"]);
        assert_eq!((refused.code, &refused.json()["field"]), (2, &"before".into()), "{bad}");
    }
    let recent = keep(&journal, &["prune", "--before", "2999-01-01"]);
    assert!(recent.code == 2 && recent.stderr.contains("30 days"), "{recent:?}");
    let old = keep(&journal, &["prune", "--before", "2020-01-01", "--json"]);
    assert_eq!((old.code, &old.json()["removed"]), (0, &0.into()));
}

#[test]
fn nothing_is_made_only_to_be_looked_at() {
    let journal = directory("keep-nothing").join("captures.journal");
    for arguments in [&["check"][..], &["verify"], &["export"], &["backup", "x"]] {
        let refused = keep(&journal, &[arguments, &["--json"]].concat());
        assert_eq!(
            (refused.code, &refused.json()["field"]),
            (2, &"journal".into()),
            "{arguments:?}"
        );
    }
    assert!(!journal.exists());
}
