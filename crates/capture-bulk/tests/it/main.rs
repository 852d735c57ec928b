//! The tests of the rows: one binary, one file per subject.

mod bad;
mod columns;
mod good;
mod json_lines;
mod properties;
mod report;
mod values;

use std::io::Read;
use std::time::{Duration, SystemTime};

use capture_bulk::{Faults, Options, ReadError, Row, Table, read};
use capture_core::Capture;

const A: &str = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";
const B: &str = "9b2f0d44-1c5e-4c53-8f0e-2f6f1f0c7a11";
const C: &str = "0d7f6c2a-93b1-4c1e-a5d4-61b0b0e7c9f2";
const H: &str = "order_id,amount,currency\n";

/// The file of a case: `{A}`, `{B}` and `{C}` are orders, `{H}` is the plain header.
fn file(case: &str) -> String {
    case.replace("{A}", A).replace("{B}", B).replace("{C}", C).replace("{H}", H)
}

/// A row that outlives its file.
#[derive(Debug, PartialEq)]
struct Kept {
    line: u32,
    capture: Capture,
    reference: Option<String>,
    capture_before: Option<SystemTime>,
    is_repeat: bool,
}

impl Kept {
    fn of(row: &Row<'_>) -> Self {
        Self {
            line: row.line,
            capture: row.capture,
            reference: row.reference.map(str::to_owned),
            capture_before: row.capture_before,
            is_repeat: row.is_repeat,
        }
    }
}

fn rows(input: impl Read, options: &Options) -> (Vec<Kept>, Result<Table, Faults>) {
    let mut kept = Vec::new();
    let result = read(input, options, |row| {
        kept.push(Kept::of(row));
        Ok(())
    });
    let result = result.map_err(|error| match error {
        ReadError::Faults(faults) => faults,
        other => panic!("{other}"),
    });
    (kept, result)
}

/// A good file.
fn good(input: &str, options: &Options) -> (Vec<Kept>, Table) {
    let (rows, table) = rows(input.as_bytes(), options);
    (rows, table.unwrap_or_else(|faults| panic!("{input}\n{faults}")))
}

/// The faults of a bad file, as they are shown.
fn bad(input: &[u8], options: &Options) -> String {
    match rows(input, options).1 {
        Ok(table) => format!("good: {} rows", table.rows),
        Err(faults) => faults.named("f").to_string(),
    }
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}
