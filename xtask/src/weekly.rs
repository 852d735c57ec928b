//! `cargo xtask weekly`: the checks that take hours, and their figures in `docs/proofs.md`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};

use crate::command::command;
use crate::mutants::{GROUPS, Group};
use crate::{FUZZ_TARGETS, fuzzing, restate};

/// How much is done.
struct Effort {
    /// Further arguments of the search.
    search: &'static str,
    worlds: u64,
    foremen: u64,
    /// For each fuzz target.
    fuzz_seconds: u32,
    groups: &'static [Group],
    /// Which part of the mutants, for cargo-mutants.
    shard: &'static str,
}

const WHOLE: Effort = Effort {
    search: "",
    worlds: 1_000_000,
    foremen: 20_000,
    fuzz_seconds: 600,
    groups: &GROUPS,
    shard: "",
};

/// Shows that every part runs. Its figures prove little, so none is written.
const QUICK: Effort = Effort {
    search: "--sends 1",
    worlds: 100,
    foremen: 20,
    fuzz_seconds: 5,
    groups: GROUPS.split_at(1).0,
    shard: "--shard 0/400",
};

/// Runs every part, also after one that failed. Only a whole run without a failure is written down.
pub(crate) fn weekly(is_quick: bool) -> Result<(), String> {
    let effort = if is_quick { QUICK } else { WHOLE };
    let mut report = Report::default();
    report.take("the full search", simulate(&format!("--exhaustive {}", effort.search)));
    report.take("random worlds", simulate(&format!("--seeds {}", effort.worlds)));
    report.take("foremen", simulate(&format!("--foremen {}", effort.foremen)));
    if !is_quick {
        report.take("kills", torture());
        report.take("storm", storm());
        report.take("kills of an engine", engine());
        report.take("a shop over sqlx", shop());
    }
    for target in FUZZ_TARGETS {
        report.take(&format!("fuzzing `{target}`"), fuzz(target, effort.fuzz_seconds));
    }
    for group in effort.groups {
        report.take(&format!("mutants of the {}", group.name), group.check(effort.shard));
    }
    eprint!("{}", report.table);
    report.end()?;
    if is_quick {
        eprintln!(
            "xtask: this was the quick run: it shows that each part runs, and writes nothing"
        );
        return Ok(());
    }
    let page = fs::read_to_string(PAGE).map_err(|error| format!("{PAGE}: {error}"))?;
    let page = replaced(&page, &report.table).ok_or(format!("{PAGE}: no {BEGIN}"))?;
    fs::write(PAGE, page).map_err(|error| format!("{PAGE}: {error}"))
}

/// What the parts showed.
#[derive(Debug, Default)]
struct Report {
    table: String,
    failed: Vec<String>,
}

impl Report {
    fn take(&mut self, part: &str, done: Result<String, String>) {
        let row = done.unwrap_or_else(|why| {
            self.failed.push(format!("{part}: {why}"));
            "**failed**".to_owned()
        });
        self.table += &format!("| {part} | {row} |\n");
    }

    fn end(&self) -> Result<(), String> {
        if self.failed.is_empty() {
            return Ok(());
        }
        Err(format!("{} of the weekly parts:\n  {}", self.failed.len(), self.failed.join("\n  ")))
    }
}

fn simulate(arguments: &str) -> Result<String, String> {
    figures(&format!(
        "run --quiet --locked --release -p capture-tests --bin simulate -- {arguments}"
    ))
}

fn torture() -> Result<String, String> {
    figures("test --locked -p capture-tests --test it -- --ignored --nocapture two_hundred_kills")
}

fn storm() -> Result<String, String> {
    figures("test --locked -p capture-tests --test it -- --ignored --nocapture survive_the_storm")
}

fn engine() -> Result<String, String> {
    restate::prepare()?;
    restate::walk()?;
    figures_of(restate::proof()?)
}

fn shop() -> Result<String, String> {
    let mut command = command("cargo", "test --locked --manifest-path examples/sqlx/Cargo.toml");
    let lines = watched(command.stdout(Stdio::piped()))?;
    let passed = lines.iter().any(|line| line.starts_with("test result: ok. 1 passed"));
    if passed { Ok("passed".to_owned()) } else { Err("its test did not run".to_owned()) }
}

fn figures(arguments: &str) -> Result<String, String> {
    figures_of(command("cargo", arguments))
}

fn figures_of(mut command: Command) -> Result<String, String> {
    let lines = watched(command.stdout(Stdio::piped()))?;
    let figures = lines.iter().find_map(|line| line.strip_prefix("figures: "));
    figures.map(grouped).ok_or_else(|| "it printed no figures".to_owned())
}

fn fuzz(target: &str, seconds: u32) -> Result<String, String> {
    let lines = watched(fuzzing(target, &seconds.to_string())?.stderr(Stdio::piped()))?;
    let executed = "stat::number_of_executed_units:";
    let executed = lines.iter().find_map(|line| line.strip_prefix(executed));
    let executed = executed.ok_or_else(|| "it printed no number of executions".to_owned())?;
    Ok(grouped(&format!("{} executions in {seconds} s", executed.trim())))
}

/// Runs a command to its end, shows what it prints to its one pipe, and returns it.
fn watched(command: &mut Command) -> Result<Vec<String>, String> {
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let stdout = child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read>);
    let pipe = stdout.or_else(|| child.stderr.take().map(|pipe| Box::new(pipe) as _));
    let mut lines = Vec::new();
    // By bytes, because a fuzzer prints what it found as it is.
    for line in BufReader::new(pipe.expect("the caller made it")).split(b'\n') {
        let line = line.map_err(|error| error.to_string())?;
        let line = String::from_utf8_lossy(&line).into_owned();
        eprintln!("{line}");
        lines.push(line);
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() { Ok(lines) } else { Err(status.to_string()) }
}

/// The text with its long numbers in groups of three digits.
fn grouped(text: &str) -> String {
    let mut grouped = String::new();
    for (at, char) in text.char_indices() {
        let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
        let follows_a_digit = text[..at].ends_with(|before: char| before.is_ascii_digit());
        if follows_a_digit && digits > 0 && digits % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(char);
    }
    grouped
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/proofs.md");
const BEGIN: &str = "<!-- Written by `cargo xtask weekly`. -->";
const END: &str = "<!-- End. -->";

/// The page with this table between the markers.
fn replaced(page: &str, rows: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n| part | figures |\n|---|---|\n{rows}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_fails_is_named_and_the_others_are_run() {
        let mut report = Report::default();
        report.take("first", Ok("1 world".into()));
        assert_eq!(report.end(), Ok(()));
        report.take(
            "second",
            watched(command("cargo", "no-such-command").stderr(Stdio::piped())).map(|_| "2".into()),
        );
        report.take("third", Ok("3 worlds".into()));
        assert_eq!(
            report.table,
            "| first | 1 world |\n| second | **failed** |\n| third | 3 worlds |\n"
        );
        let end = report.end().unwrap_err();
        assert!(end.starts_with("1 of the weekly parts:\n  second: exit status: "), "{end}");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped("32 searches, 1234567 states"), "32 searches, 1,234,567 states");
        assert_eq!(grouped("100000 in 600 s"), "100,000 in 600 s");
    }

    #[test]
    fn the_page_has_a_place_for_the_figures() {
        let page = fs::read_to_string(PAGE).unwrap();
        let written = replaced(&page, "| a | b |\n").unwrap();
        assert!(written.contains("|---|---|\n| a | b |\n<!-- End. -->"), "{written}");
        assert_eq!(replaced(&written, "| a | b |\n").unwrap(), written);
        assert_eq!(replaced("no markers", ""), None);
    }
}
