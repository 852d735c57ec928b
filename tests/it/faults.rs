//! `docs/faults.md` is complete and true: every fault, every row of the conformance suite, and no test
//! that does not exist. The requirements in `docs/adapters.md` name no such test either.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::conformance;

/// One line of the catalogue.
#[derive(Debug)]
struct Fault {
    number: u32,
    held_by: String,
}

/// What is named as holding a fault.
#[derive(Debug)]
enum Holder<'a> {
    /// A row of the conformance suite, by its whole name.
    Row(&'a str),
    /// All rows whose names begin like this.
    Rows(&'a str),
    /// A test in a file.
    Test(&'a str, &'a str),
}

impl Holder<'_> {
    fn covers(&self, row: &str) -> bool {
        match self {
            Self::Row(name) => row == *name,
            Self::Rows(prefix) => row.starts_with(prefix),
            Self::Test(..) => false,
        }
    }
}

#[test]
fn every_number_appears_once_and_in_order() {
    let numbers: Vec<_> = catalogue().iter().map(|fault| fault.number).collect();
    assert_eq!(numbers, (1..=135).collect::<Vec<_>>());
}

#[test]
fn every_fault_is_held_or_says_why_not() {
    for Fault { number, held_by } in catalogue() {
        let named = !holders(&held_by).is_empty();
        assert_ne!(named, held_by.starts_with("Not held"), "fault {number}: {held_by}");
        let reason =
            ["Not held: ", "Not held yet, open: "].iter().any(|why| held_by.starts_with(why));
        assert!(named || reason, "fault {number} needs a reason: {held_by}");
    }
}

#[test]
fn every_row_that_is_named_exists() {
    let rows = conformance::row_names();
    for Fault { number, held_by } in catalogue() {
        for holder in holders(&held_by) {
            let is_row = !matches!(holder, Holder::Test(..));
            let exists = rows.iter().any(|row| holder.covers(row));
            assert!(!is_row || exists, "fault {number}: no row for {holder:?}");
        }
    }
}

#[test]
fn every_test_that_is_named_exists() {
    for Fault { number, held_by } in catalogue() {
        for holder in holders(&held_by) {
            if let Holder::Test(file, name) = holder {
                let path = if file.starts_with("tests/") { root() } else { root().join("crates") };
                let text = fs::read_to_string(path.join(file));
                let text = text.unwrap_or_else(|error| panic!("fault {number}: {file}: {error}"));
                assert!(tests(&text).contains(name), "fault {number}: {file} has no test {name}");
            }
        }
    }
}

#[test]
fn every_row_is_named_by_its_fault() {
    let catalogue = catalogue();
    let mut numbered = 0;
    for row in conformance::row_names() {
        let Some(number) = row.split(' ').next().and_then(|word| word.parse::<u32>().ok()) else {
            continue;
        };
        numbered += 1;
        let fault = catalogue.iter().find(|fault| fault.number == number);
        let fault = fault.unwrap_or_else(|| panic!("no fault has the number of the row {row:?}"));
        let named = holders(&fault.held_by).iter().any(|holder| holder.covers(&row));
        assert!(named, "fault {number} does not name the row {row:?}");
    }
    assert!(numbered > 600, "{numbered} rows have a number");
}

/// The last column names rows by their numbers, and tests by their words.
#[test]
fn every_requirement_of_a_transport_is_held_by_what_exists() {
    let page = fs::read_to_string(root().join("docs/adapters.md")).expect("the page");
    let suite = fs::read_to_string(root().join("tests/it/conformance/mod.rs")).expect("the suite");
    let byo = fs::read_to_string(root().join("tests/it/conformance/byo.rs")).expect("its file");
    let tests = &tests(&suite) | &tests(&byo);
    let rows = conformance::row_names();
    let table: Vec<_> = page.lines().filter(|line| line.starts_with("| A")).collect();
    assert_eq!(table.len(), 12);
    for line in table {
        let held_by = line.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        for number in held_by.split(|char: char| !char.is_ascii_digit()).filter(|it| !it.is_empty())
        {
            let exists = rows.iter().any(|row| row.split(' ').next() == Some(number));
            assert!(exists, "no row {number}: {line}");
        }
        for name in held_by.split('*').skip(1).step_by(2) {
            assert!(tests.contains(&*name.replace(' ', "_")), "no test {name:?}: {line}");
        }
    }
}

/// The lines of all tables, by their columns.
fn catalogue() -> Vec<Fault> {
    let page = fs::read_to_string(root().join("docs/faults.md")).expect("the page");
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let number = cells[0].parse().ok()?;
        assert_eq!(cells.len(), 5, "{line}");
        Some(Fault { number, held_by: cells[4].to_owned() })
    });
    rows.collect()
}

/// Everything in backticks.
fn holders(held_by: &str) -> Vec<Holder<'_>> {
    let quoted = held_by.split('`').skip(1).step_by(2);
    let holder = |text| match str::strip_prefix(text, "conformance: ") {
        Some(row) => row.strip_suffix('*').map_or(Holder::Row(row), Holder::Rows),
        None => {
            let (file, name) = text.split_once("::").expect("a row, or a test in a file");
            Holder::Test(file, name)
        }
    };
    quoted.map(holder).collect()
}

/// The names of all tests in this source.
fn tests(text: &str) -> BTreeSet<&str> {
    let mut is_test = false;
    let mut names = BTreeSet::new();
    for line in text.lines().map(str::trim_start) {
        if let Some(signature) = line.strip_prefix("fn ") {
            if is_test {
                names.extend(signature.split('(').next());
            }
            is_test = false;
        } else {
            is_test |= line == "#[test]";
        }
    }
    names
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}
