//! The file on good days and bad ones: it is never overwritten, and what was edited shows.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use capture_core::{Capture, Environment, Outcome};
use capture_journal::{
    Answer, Ask, How, Journal as _, KeepError, Lists as _, Lost, Stands, Turn, Want,
};
use capture_sqlite::{OpenError, Sqlite};
use rusqlite::Connection;

use super::store::{
    Directory, Store as _, at, captured, declined, never_sent, numbered, record, unknown,
};

fn sandbox() -> Environment {
    "sandbox".parse().unwrap()
}

fn open(path: &Path) -> Result<Sqlite, OpenError> {
    Sqlite::open(path, &sandbox())
}

fn in_doubt(capture: Capture) -> Outcome {
    unknown(capture, at(0))
}

#[test]
fn files_of_others_are_left_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "Shipped orders, by hand. Do not delete.\n".repeat(50)).unwrap();
    let other = directory.path().join("other.sqlite");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE shop (id)").unwrap();
    for path in [path, other] {
        let before = fs::read(&path).unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(error, OpenError::Foreign(_)), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_newer_file_is_refused() {
    let directory = Directory::new();
    drop(directory.open());
    Connection::open(directory.path()).unwrap().pragma_update(None, "user_version", 9).unwrap();
    let error = open(&directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { version: 9, .. }), "{error}");
}

#[test]
fn a_damaged_file_is_never_made_anew() {
    let directory = Directory::new();
    let mut journal = directory.open();
    (1..=200).for_each(|order| record(&mut journal, order, 0, captured));
    drop(journal);
    // Everything but the header.
    let mut file = fs::OpenOptions::new().read(true).write(true).open(directory.path()).unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(4096)).unwrap();
    file.write_all(&vec![0x55; usize::try_from(length).unwrap() - 4096]).unwrap();
    drop(file);
    let failed = match open(&directory.path()) {
        Err(error) => error.to_string(),
        Ok(mut journal) => {
            let turn = Turn {
                at: at(9),
                settled: Vec::new(),
                asks: vec![Ask { capture: numbered(7), now: true }],
                want: Want::default(),
            };
            journal.turn(&turn).unwrap_err().to_string()
        }
    };
    assert!(failed.contains("damaged"), "{failed}");
    assert_eq!(fs::metadata(directory.path()).unwrap().len(), length);
}

#[test]
fn places_that_cannot_be_used() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.join("journal"), directory.path().to_owned()] {
        let error = open(&path).unwrap_err();
        assert!(matches!(error, OpenError::Place { .. }), "{error}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state/capture/captures.journal");
    let mut journal = open(&path).unwrap();
    record(&mut journal, 1, 0, captured);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let parent = path.parent().unwrap();
    assert_eq!(mode(parent), 0o700);
    for entry in fs::read_dir(parent).unwrap() {
        let path = entry.unwrap().path();
        let expect = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), expect, "{}", path.display());
    }
    journal.back_up(&directory.path().join("copy")).unwrap();
    assert_eq!(mode(&directory.path().join("copy")), 0o600);
}

#[test]
fn environments_do_not_mix() {
    let directory = Directory::new();
    record(&mut directory.open(), 1, 0, captured);
    let order = numbered(1).order_id();
    assert_eq!(directory.open().stories(order).unwrap().len(), 1);
    let names = ["production", "http://127.0.0.1:8787", "https://api.flexfactor.io/v1"];
    for name in names {
        let mut other = Sqlite::open(&directory.path(), &name.parse().unwrap()).unwrap();
        assert_eq!(other.stories(order).unwrap(), []);
    }
    // Both names of production are one environment.
    let production = Sqlite::open(&directory.path(), &names[0].parse().unwrap());
    record(&mut production.unwrap(), 2, 0, captured);
    let mut other_name = Sqlite::open(&directory.path(), &names[2].parse().unwrap()).unwrap();
    assert_eq!(other_name.stories(numbered(2).order_id()).unwrap().len(), 1);
}

#[test]
fn a_file_that_was_taken_away_is_not_written() {
    for replace in [false, true] {
        let directory = Directory::new();
        let mut journal = directory.open();
        fs::remove_file(directory.path()).unwrap();
        if replace {
            fs::write(directory.path(), "").unwrap();
        }
        let turn = Turn { at: at(0), settled: Vec::new(), asks: Vec::new(), want: Want::most(1) };
        assert!(matches!(journal.turn(&turn), Err(Lost::Replaced)));
        assert!(matches!(journal.turn(&turn), Err(Lost::Closed)));
    }
}

/// What was captured after the copy was made is missing in it: every order is looked up before its first
/// send.
#[test]
fn an_older_copy_in_the_journals_place_is_noticed() {
    let directory = Directory::new();
    let copy = directory.path().with_extension("copy");
    let mut journal = directory.open();
    record(&mut journal, 1, 0, captured);
    assert_eq!(journal.restored_at(), None);
    journal.back_up(&copy).unwrap();
    drop(journal);
    let mut journal = directory.open();
    record(&mut journal, 2, 5, captured);
    drop(journal);
    fs::rename(&copy, directory.path()).unwrap();
    for _ in 0..2 {
        let mut journal = directory.open();
        assert!(journal.restored_at().is_some());
        let asks = vec![Ask { capture: numbered(2), now: true }];
        let turn = Turn { at: at(9), settled: Vec::new(), asks, want: Want::default() };
        match journal.turn(&turn).unwrap().answers.remove(0) {
            Answer::Work(work) => assert!(matches!(work.how, How::Resume(_)), "{work:?}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_edit_shows_and_so_does_a_missing_record() {
    let edits = [
        ("UPDATE record SET body = (SELECT body FROM record WHERE number = 2) WHERE number = 3", 3),
        ("UPDATE record SET at_ms = at_ms + 1 WHERE number = 4", 4),
        ("UPDATE record SET is_note = 1 - is_note WHERE number = 2", 2),
        ("UPDATE record SET hash = zeroblob(32) WHERE number = 5", 5),
        ("UPDATE intent SET amount = 1 WHERE id = 2", 2),
        ("UPDATE environment SET name = 'production'", 1),
        ("DELETE FROM record WHERE number = 3", 3),
        ("DELETE FROM record WHERE number = 1", 1),
        ("DELETE FROM record WHERE number = 5", 5),
    ];
    for (edit, expect) in edits {
        let directory = Directory::new();
        let mut journal = directory.open();
        (1..=5).for_each(|order| record(&mut journal, order, 0, captured));
        let whole = journal.verify(None).unwrap();
        assert_eq!((whole.records, whole.broken_at), (5, None));
        assert_eq!(journal.verify(Some(&whole.head)).unwrap().has_noted, Some(true));
        Connection::open(directory.path())
            .unwrap()
            .execute_batch(&format!("PRAGMA foreign_keys = off; {edit}"))
            .unwrap();
        let verified = journal.verify(Some(&whole.head)).unwrap();
        assert_eq!(verified.broken_at, Some(expect), "{edit}");
        assert_eq!(verified.has_noted, Some(false), "{edit}");
    }
}

#[test]
fn rows_that_contradict_each_other_are_found() {
    let two_keys = "INSERT INTO intent SELECT 9, environment, order_id, randomblob(16), amount, currency, exponent, at_ms FROM intent WHERE id = 1";
    let copy = "INSERT INTO claim VALUES (9, 9, 9, 1, 0);
        INSERT INTO record SELECT 9, 9, 9, at_ms, 0, NULL, body, hash FROM record WHERE intent = 1";
    let edits = [
        (two_keys.to_owned(), in_doubt as fn(Capture) -> Outcome, "open under two keys"),
        (format!("{two_keys}; {copy}"), captured, "captured under two keys"),
        (format!("{two_keys}; {copy}"), captured, "a record of another capture"),
        ("UPDATE record SET claim = 9".to_owned(), captured, "a record without its claim"),
        ("UPDATE record SET body = x'00'".to_owned(), captured, "record 1 cannot be read"),
        ("UPDATE record SET intent = 7".to_owned(), captured, "refers to nothing"),
    ];
    for (edit, outcome, expect) in edits {
        let directory = Directory::new();
        let mut journal = directory.open();
        record(&mut journal, 1, 0, outcome);
        assert_eq!(journal.check().unwrap(), [""; 0]);
        Connection::open(directory.path())
            .unwrap()
            .execute_batch(&format!("PRAGMA foreign_keys = off; {edit}"))
            .unwrap();
        let found = journal.check().unwrap().join("\n");
        assert!(found.contains(expect), "{expect}: {found}");
    }
}

#[test]
fn what_is_exported_is_known_to_the_journal_that_reads_it() {
    let (from, to) = (Directory::new(), Directory::new());
    let mut journal = from.open();
    for (order, outcome) in
        [(1, captured as fn(Capture) -> Outcome), (2, declined), (3, in_doubt), (4, never_sent)]
    {
        record(&mut journal, order, 0, outcome);
    }
    let mut lines = Vec::new();
    assert_eq!(journal.export(&mut lines).unwrap(), 4);
    let mut other = to.open();
    // It knows better of the second, and nothing of the others.
    record(&mut other, 2, 9, captured);
    assert_eq!(other.import(&lines[..]).unwrap(), 4);
    let names = |journal: &mut Sqlite| {
        [1, 2, 3, 4]
            .map(|order| journal.stories(numbered(order).order_id()).unwrap()[0].standing().name())
    };
    assert_eq!(names(&mut other), ["captured", "captured", "unknown", "ready"]);
    // And back: the capture counts there too.
    let mut back = Vec::new();
    other.export(&mut back).unwrap();
    journal.import(&back[..]).unwrap();
    assert_eq!(names(&mut journal), ["captured", "captured", "unknown", "ready"]);
    assert_eq!(journal.verify(None).unwrap().broken_at, None);
}

#[test]
fn a_bad_import_writes_nothing() {
    let (from, to) = (Directory::new(), Directory::new());
    let mut journal = from.open();
    record(&mut journal, 1, 0, captured);
    record(&mut journal, 2, 0, captured);
    let mut lines = String::new();
    let mut bytes = Vec::new();
    journal.export(&mut bytes).unwrap();
    bytes.as_slice().read_to_string(&mut lines).unwrap();
    let second = lines.lines().nth(1).unwrap();
    for bad in ["", "{}", "secret-token", &second.replace("api-sandbox", "api-other")] {
        let text = lines.replace(second, bad);
        let mut other = to.open();
        let error = other.import(text.as_bytes()).unwrap_err();
        assert!(matches!(error, KeepError::Line { line: 2, .. }), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(other.stories(numbered(1).order_id()).unwrap(), [], "{bad}");
    }
}

#[test]
fn what_is_long_decided_can_be_removed_and_the_chain_goes_on() {
    let directory = Directory::new();
    let mut journal = directory.open();
    record(&mut journal, 1, 0, captured);
    record(&mut journal, 2, 10, declined);
    record(&mut journal, 3, 20, in_doubt);
    record(&mut journal, 4, 30, captured);
    let before = journal.verify(None).unwrap();
    let recent = SystemTime::now() - Duration::from_secs(24 * 3600);
    assert!(matches!(journal.prune(recent), Err(KeepError::TooRecent)));
    assert_eq!(journal.prune(at(0)).unwrap(), 0, "the first was decided later");
    // The third is open: it stays, and so does what was recorded after it.
    let count = journal.prune(at(1_000)).unwrap();
    assert_eq!(count, 2);
    let after = journal.verify(Some(&before.head)).unwrap();
    assert_eq!((after.records, after.broken_at, after.has_noted), (2, None, Some(true)));
    assert_eq!(after.pruned.unwrap().0, 2);
    assert_eq!(journal.check().unwrap(), [""; 0]);
    let left = [1, 2, 3, 4].map(|order| journal.stories(numbered(order).order_id()).unwrap().len());
    assert_eq!(left, [0, 0, 1, 1]);
    record(&mut journal, 5, 40, captured);
    assert_eq!(journal.verify(None).unwrap().broken_at, None);
}

/// Removed in slices, with turns of others in between, and the chain goes on.
#[test]
fn a_long_journal_is_pruned_bit_by_bit() {
    let directory = Directory::new();
    let mut journal = directory.open();
    let mut settled = Vec::new();
    for first in (1..=12_000).step_by(1_000) {
        let asks = (first..first + 1_000).map(|n| Ask { capture: numbered(n), now: true });
        let (asks, want) = (asks.collect(), Want::default());
        let turn = Turn { at: at(0), settled: std::mem::take(&mut settled), asks, want };
        for (n, answer) in (first..).zip(journal.turn(&turn).unwrap().answers) {
            let Answer::Work(work) = answer else { panic!("{answer:?}") };
            settled.push((work.held, captured(numbered(n))));
        }
    }
    let turn = Turn { at: at(0), settled, asks: Vec::new(), want: Want::default() };
    journal.turn(&turn).unwrap();
    assert_eq!(journal.prune(at(1_000)).unwrap(), 12_000);
    let verified = journal.verify(None).unwrap();
    assert_eq!((verified.records, verified.broken_at), (0, None));
    assert_eq!(verified.pruned.unwrap().0, 12_000);
    record(&mut journal, 1, 0, captured);
    assert_eq!(journal.verify(None).unwrap().broken_at, None);
}

#[test]
fn a_copy_made_while_it_is_in_use_is_whole() {
    let directory = Directory::new();
    let mut journal = directory.open();
    (1..=50).for_each(|order| record(&mut journal, order, 0, captured));
    let copy = directory.path().with_extension("copy");
    journal.back_up(&copy).unwrap();
    assert!(journal.back_up(&copy).is_err(), "it is not overwritten");
    let mut copy = open(&copy).unwrap();
    assert_eq!(copy.verify(None).unwrap(), journal.verify(None).unwrap());
}

/// Many processes may find no journal in the same moment: one makes it, the others wait for that.
#[test]
fn a_journal_in_the_making_is_waited_for() {
    for _ in 0..20 {
        let directory = Directory::new();
        at_once(6, || drop(directory.open()));
    }
}

/// An opening removes what ended ones left behind, while those that end remove their own.
#[test]
fn a_journal_is_opened_while_others_close_it() {
    let directory = Directory::new();
    at_once(6, || (0..150).for_each(|_| drop(directory.open())));
}

fn at_once(count: usize, work: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        let at_work: Vec<_> = (0..count).map(|_| scope.spawn(&work)).collect();
        at_work.into_iter().for_each(|it| it.join().unwrap());
    });
}

#[test]
fn who_only_reads_leaves_nothing_behind_and_takes_no_turn() {
    let directory = Directory::new();
    let read = || Sqlite::open_to_read(&directory.path(), &sandbox());
    assert!(matches!(read(), Err(OpenError::Place { .. })), "nothing is made");
    assert!(!directory.path().exists());
    let mut journal = directory.open();
    record(&mut journal, 1, 0, captured);
    let openings = || {
        let count = "SELECT count(*) FROM opening";
        Connection::open(directory.path()).unwrap().query_row(count, [], |row| row.get(0)).unwrap()
    };
    // An empty file is none, and stays what it is.
    let empty = directory.path().with_extension("empty");
    fs::write(&empty, "").unwrap();
    assert!(matches!(Sqlite::open_to_read(&empty, &sandbox()), Err(OpenError::Foreign(_))));
    assert_eq!(fs::metadata(&empty).unwrap().len(), 0);
    let before: i64 = openings();
    let holders = directory.path().with_extension("journal.holders");
    let held = fs::read_dir(&holders).unwrap().count();
    let mut reader = read().unwrap();
    assert_eq!(reader.stories(numbered(1).order_id()).unwrap().len(), 1);
    assert_eq!(reader.verify(None).unwrap().records, 1);
    assert_eq!((openings(), fs::read_dir(&holders).unwrap().count()), (before, held));
    // What is written meanwhile is seen.
    record(&mut journal, 2, 0, captured);
    assert_eq!(reader.verify(None).unwrap().records, 2);
    assert!(reader.prune(at(0)).is_err());
    let asks = vec![Ask { capture: numbered(3), now: true }];
    let turn = Turn { at: at(0), settled: Vec::new(), asks, want: Want::default() };
    assert!(reader.turn(&turn).is_err());
    assert_eq!(journal.stories(numbered(3).order_id()).unwrap(), []);
}

/// One for each version that was ever written.
#[test]
fn files_of_every_version_can_be_read() {
    let first = (include_str!("version-1.sql"), "http://127.0.0.1:37361", 2);
    let lists = "http://127.0.0.1:8787";
    let second = (include_str!("version-2.sql"), lists, 3);
    let third = (include_str!("version-3.sql"), lists, 3);
    for (script, environment, captures) in [first, second, third] {
        let directory = Directory::new();
        let old = Connection::open(directory.path()).unwrap();
        old.execute_batch(script).unwrap();
        drop(old);
        let environment = environment.parse().unwrap();
        let mut reader = Sqlite::open_to_read(&directory.path(), &environment).unwrap();
        assert_eq!(reader.verify(None).unwrap().records, captures);
        assert_eq!(reader.runs().unwrap().len(), usize::from(captures == 3));
        let mut journal = Sqlite::open(&directory.path(), &environment).unwrap();
        assert_eq!(journal.check().unwrap(), [""; 0]);
        // What is written now goes on from what was written then.
        record(&mut journal, 1, 0, captured);
        let verified = journal.verify(None).unwrap();
        assert_eq!((verified.records, verified.broken_at), (captures + 1, None));
        let mut lines = Vec::new();
        journal.export(&mut lines).unwrap();
        let text = String::from_utf8(lines).unwrap();
        let are_captured = text.lines().all(|line| line.contains("\"standing\":\"captured\""));
        assert!(are_captured && text.lines().count() as i64 == captures + 1, "{text}");
        for run in journal.runs().unwrap() {
            assert_eq!(journal.tally(run.id).unwrap().count(Stands::Captured), run.captures);
        }
    }
}
