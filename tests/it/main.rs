//! Everything that is tested from outside, one module for each suite.

mod circles;
mod cli;
mod clients;
mod conformance;
mod exhaustive;
mod faults;
mod journal;
mod simulation;
mod tidy;
mod vectors;
mod words;

/// Where `cargo xtask test` reads what was skipped.
const SKIPPED: &str = "CAPTURE_SKIPPED";

/// Says aloud that a check was left out. In CI none may be.
fn skipped(why: &str) {
    use std::io::Write as _;
    assert!(std::env::var_os("CI").is_none(), "{why}");
    let _ = std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes());
    if let Some(list) = std::env::var_os(SKIPPED) {
        let list = std::fs::OpenOptions::new().append(true).create(true).open(list);
        let _ = list.and_then(|mut list| writeln!(list, "{why}"));
    }
}
