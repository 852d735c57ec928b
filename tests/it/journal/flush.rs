//! A turn is one flush of the disk, whatever is in it.

use std::process::{Command, Stdio};

use capture_journal::{Ask, Journal as _, Turn, Want};

use super::store::{Directory, Store as _, at, captured, numbered};
use super::torture::has_strace;

/// How many turns [`makes_turns`] makes.
const TURNS: &str = "CAPTURE_TEST_TURNS";

/// Turns that record ten captures and claim ten more.
#[test]
fn makes_turns() {
    let turns = std::env::var(TURNS).map_or(3, |turns| turns.parse().unwrap());
    let directory = Directory::new();
    let mut journal = directory.open();
    let asks = (1..=10 * turns).map(|n| Ask { capture: numbered(n), now: false }).collect();
    let mut turn = Turn { at: at(0), settled: Vec::new(), asks, want: Want::most(10) };
    for _ in 0..turns {
        let work = journal.turn(&turn).unwrap().work;
        assert_eq!(work.len(), 10);
        turn.asks.clear();
        let outcome = |work: capture_journal::Work| (work.held, captured(*work.how.capture()));
        turn.settled = work.into_iter().map(outcome).collect();
    }
}

#[test]
fn a_turn_is_one_flush() {
    if !has_strace() {
        return;
    }
    let flushes = |turns: &str| {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", "trace=fsync,fdatasync", "-o"]).arg(log.path());
        strace.arg(std::env::current_exe().unwrap());
        strace.args(["--exact", "journal::flush::makes_turns"]).env(TURNS, turns);
        let ran = strace.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(ran.success(), "{turns} turns");
        let calls = std::fs::read_to_string(log.path()).unwrap();
        calls.lines().filter(|line| line.contains("sync(")).count()
    };
    // Opening and closing the file take some, the same each time.
    assert_eq!(flushes("45") - flushes("5"), 40);
}
