//! The command's journal under torture: killed at system calls all over a run, and a disk that fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use capture_core::OrderId;
use capture_journal::Journal as _;
use capture_sandbox::Server;
use capture_sqlite::Sqlite;
use serde_json::Value;

use super::store::{captured, numbered, record};
use crate::cli::command::{capture_at, order, server};

/// Calls on files, on sockets and of the process, in groups that are counted alike; and of how many of
/// them one is tried.
const CALLS: [(&str, usize); 9] = [
    ("pwrite64", 1),
    ("fsync,fdatasync", 1),
    ("flock", 1),
    ("unlink,unlinkat", 1),
    ("connect,sendto", 1),
    ("recvfrom", 1),
    ("write", 1),
    ("ftruncate,fchmod,mmap", 3),
    ("openat,fcntl", 1),
];

/// How many system calls of a group a run makes at most.
const MOST: usize = 200;

/// `capture order`, as a person runs it.
fn capture(server: &Server, journal: &Path, order: OrderId) -> Command {
    let order = order.to_string();
    let arguments = ["order", &order, "--amount", "100.00", "--currency", "USD", "--json"];
    let mut command = capture_at(server, &arguments);
    command.args(["--transport", "ureq"]).arg("--journal").arg(journal);
    command
}

/// The same command, with one system call of its own meddled with.
fn meddled(command: &Command, calls: &str, with: &str, at: &str) -> Output {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}")]);
    strace.args(["-e", &format!("inject={calls}:{with}:when={at}")]);
    strace.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    strace.output().expect("strace starts")
}

/// Whether it can be done here. In CI it must.
pub(super) fn has_strace() -> bool {
    let mut probe = Command::new("strace");
    probe.args(["-qq", "-o", "/dev/null", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    let works = probe.status().is_ok_and(|status| status.success());
    if !works {
        crate::skipped("no strace here, so the command was not killed at its system calls");
    }
    works
}

/// The two processors share the work.
fn side_by_side<T: Sync>(work: &[T], each: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(item) = work.get(next.fetch_add(1, Relaxed)) {
                    each(item);
                }
            });
        }
    });
}

fn object(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

/// Killed anywhere, and run again: the order is captured, once, and the journal is whole.
#[test]
fn a_command_that_was_killed_anywhere_is_settled_by_the_next_one() {
    if !has_strace() {
        return;
    }
    let (server, directory) = (server(), tempfile::tempdir().unwrap());
    let kills = Mutex::new(BTreeMap::<&str, usize>::new());
    let groups = CALLS.iter().flat_map(|group| [(group, false), (group, true)]);
    side_by_side(&groups.collect::<Vec<_>>(), |((calls, step), is_new)| {
        // A journal for each group, so that none waits for another's, or a new one for each run.
        let shared = directory.path().join(calls.replace(',', "-"));
        for at in (1..=MOST).step_by(*step) {
            let order = order(&server);
            let journal =
                if *is_new { shared.with_extension(at.to_string()) } else { shared.clone() };
            let command = capture(&server, &journal, order);
            let killed = meddled(&command, calls, "signal=KILL", &at.to_string());
            let was_killed = killed.status.code().is_none();
            if !was_killed && object(&killed)["outcome"] == "captured" {
                break; // it makes no more of these calls
            }
            let again = capture(&server, &journal, order).output().unwrap();
            let said = object(&again);
            assert_eq!(again.status.code(), Some(0), "{calls} {at}: {said}");
            assert_eq!(said["outcome"], "captured", "{calls} {at}: {said}");
            assert_eq!(server.ledger().captures(order), 1, "{calls} {at}");
            *kills.lock().unwrap_or_else(PoisonError::into_inner).entry(calls).or_default() += 1;
            let mut journal = Sqlite::open(&journal, &server.environment()).unwrap();
            assert_eq!(journal.restored_at(), None, "{calls} {at}");
            assert_eq!(journal.verify(None).unwrap().broken_at, None, "{calls} {at}");
            assert_eq!(journal.check().unwrap(), [""; 0], "{calls} {at}");
        }
    });
    let kills = kills.into_inner().unwrap();
    println!("killed at: {kills:?}, {} in all", kills.values().sum::<usize>());
    for (calls, _) in CALLS {
        assert!(kills.contains_key(calls), "{calls}: none was met, {kills:?}");
    }
}

/// A disk that fails or is full: whatever is called captured is in the journal, nothing is sent that the
/// journal does not know of, and the next run settles it.
#[test]
fn a_disk_that_fails_is_never_believed() {
    if !has_strace() {
        return;
    }
    let (server, directory) = (server(), tempfile::tempdir().unwrap());
    let mut bad = Vec::new();
    for (calls, error) in [("fsync,fdatasync", "EIO"), ("pwrite64", "ENOSPC"), ("pwrite64", "EIO")]
    {
        for at in 1..=40 {
            // One call, and all from that one on.
            bad.extend([(calls, error, at.to_string()), (calls, error, format!("{at}+"))]);
        }
    }
    let seen = Mutex::new(BTreeMap::<(i32, String), usize>::new());
    side_by_side(&bad, |(calls, error, at)| {
        let journal = directory.path().join(format!("{calls}-{error}-{at}"));
        let order = order(&server);
        let command = capture(&server, &journal, order);
        let run = meddled(&command, calls, &format!("error={error}"), at);
        let (code, said) = (run.status.code().expect("it was not killed"), object(&run));
        let what = format!("{calls} {error} {at}: {code} {said}");
        let captured = server.ledger().captures(order);
        match code {
            0 => {
                let mut journal = Sqlite::open(&journal, &server.environment()).unwrap();
                let story = journal.stories(order).unwrap().pop();
                assert_eq!(story.expect(&what).standing().name(), "captured", "{what}");
            }
            2 => assert_eq!(captured, 0, "{what}"),
            3 => assert_ne!(said["outcome"], "not_captured", "{what}"),
            _ => panic!("{what}"),
        }
        let outcome = said["outcome"].as_str().unwrap_or("error").to_owned();
        *seen.lock().unwrap_or_else(PoisonError::into_inner).entry((code, outcome)).or_default() +=
            1;
        let again = capture(&server, &journal, order).output().unwrap();
        assert_eq!(again.status.code(), Some(0), "{what}; then {}", object(&again));
        assert_eq!(server.ledger().captures(order), 1, "{what}");
    });
    let seen = seen.into_inner().unwrap();
    println!("with a bad disk: {seen:?}");
    let with = |code| seen.iter().filter(|((it, _), _)| *it == code).map(|(_, n)| n).sum::<usize>();
    assert!(with(2) > 0 && with(3) > 0, "nothing was met before the send, or after it: {seen:?}");
}

/// Whatever is left of the newest pages, the journal is an earlier one, or says that it is damaged.
#[test]
fn a_torn_file_is_an_earlier_one_or_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("whole");
    let environment = "sandbox".parse().unwrap();
    let mut journal = Sqlite::open(&path, &environment).unwrap();
    (1..=6).for_each(|order| record(&mut journal, order, 0, captured));
    let main = fs::read(&path).unwrap();
    let wal = fs::read(directory.path().join("whole-wal")).unwrap();
    let mut found = BTreeMap::<String, usize>::new();
    let cuts = (0..wal.len()).step_by(511).map(|length| wal[..length].to_vec());
    let flips = (0..wal.len()).step_by(1021).map(|at| {
        let mut flipped = wal.clone();
        flipped[at] ^= 0x10;
        flipped
    });
    for (index, torn) in cuts.chain(flips).enumerate() {
        let copy = directory.path().join(format!("torn-{index}"));
        fs::write(&copy, &main).unwrap();
        fs::write(directory.path().join(format!("torn-{index}-wal")), torn).unwrap();
        let told = match Sqlite::open(&copy, &environment) {
            Err(error) => {
                let damaged = format!("{error}");
                assert!(damaged.contains("damaged") || damaged.contains("no journal"), "{damaged}");
                "damaged".to_owned()
            }
            Ok(mut journal) => {
                let verified = journal.verify(None).unwrap();
                assert_eq!(verified.broken_at, None, "{index}");
                assert_eq!(journal.check().unwrap(), [""; 0], "{index}");
                // The first so many orders, and no other.
                for order in 1..=6 {
                    let stories = journal.stories(numbered(order).order_id()).unwrap();
                    let name = stories.first().map(|story| story.standing().name());
                    let is_there = order as i64 <= verified.records;
                    assert_eq!(name == Some("captured"), is_there, "{index}: {order} {name:?}");
                }
                format!("{} records", verified.records)
            }
        };
        *found.entry(told).or_default() += 1;
    }
    println!("{found:?}");
    assert!(found.len() > 5, "every prefix was met: {found:?}");
}
