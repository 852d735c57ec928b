//! The gate: allocations exactly, instructions within 5 %, crates, and every deterministic goal. No wall time.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::goals;
use crate::report::rustc;
use crate::results::{Line, Results};

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.json");

/// What the last accepted run counted, and on what.
#[derive(Serialize, Deserialize)]
struct Baseline {
    counted_on: String,
    rows: BTreeMap<String, Counts>,
}

/// What it counted for a row of ours.
#[derive(Serialize, Deserialize)]
struct Counts {
    allocations: u64,
    bytes: u64,
    instructions: Option<u64>,
}

/// What the gate found.
#[derive(Default)]
pub struct Findings {
    /// Everything that is worse than the baseline, misses a goal, or is on one side only.
    pub faults: Vec<String>,
    /// What could not be compared here, and why.
    pub not_checked: Vec<String>,
}

/// Compares this run with the baseline and with the goals.
///
/// # Errors
/// When the baseline cannot be read.
pub fn findings(results: &Results) -> Result<Findings, String> {
    let text = fs::read_to_string(BASELINE).map_err(|error| format!("{BASELINE}: {error}"))?;
    let baseline: Baseline =
        serde_json::from_str(&text).map_err(|error| format!("{BASELINE}: {error}"))?;
    let is_ci = std::env::var_os("CI").is_some();
    let mut found = compared(results, &baseline, &ground(), is_ci);
    for goal in goals::deterministic(results).iter().filter(|goal| goal.is_missed()) {
        let (id, what, must) = (goal.id, &goal.what, goal.must);
        let value = goal.value.unwrap_or_default();
        found.faults.push(format!("{id} {what}: {value:.2}, must be at most {must}"));
    }
    Ok(found)
}

/// In CI a check that did not run would look like one that passed.
fn compared(results: &Results, baseline: &Baseline, ground: &str, is_ci: bool) -> Findings {
    let mut found = Findings::default();
    let is_same_ground = baseline.counted_on == ground;
    if ours(results).all(|line| line.instructions.is_none()) {
        let why = "instructions (valgrind is not installed)".to_owned();
        if is_ci { &mut found.faults } else { &mut found.not_checked }.push(why);
    } else if !is_same_ground {
        let then = &baseline.counted_on;
        found.not_checked.push(format!(
            "instructions against the baseline (counted on {then}; this is {ground})"
        ));
    }
    for line in ours(results) {
        match baseline.rows.get(line.name) {
            Some(accepted) => compare(line, accepted, is_same_ground, &mut found.faults),
            None => found.faults.push(format!("{}: not in the baseline; run --accept", line.name)),
        }
    }
    let is_measured = |name: &&String| ours(results).any(|line| line.name == name.as_str());
    for name in baseline.rows.keys().filter(|name| !is_measured(name)) {
        found.faults.push(format!("{name}: in the baseline, but no longer measured"));
    }
    found
}

/// Makes this run the baseline.
///
/// # Errors
/// When it cannot be written.
pub fn accept(results: &Results) -> Result<(), String> {
    let counts = |line: &Line| Counts {
        allocations: line.allocations.calls(),
        bytes: line.allocations.bytes,
        instructions: line.instructions,
    };
    let rows = ours(results).map(|line| (line.name.to_owned(), counts(line))).collect();
    let baseline = Baseline { counted_on: ground(), rows };
    let text = serde_json::to_string_pretty(&baseline).map_err(|error| error.to_string())?;
    fs::write(BASELINE, text + "\n").map_err(|error| format!("{BASELINE}: {error}"))
}

/// What else decides how many instructions the same work takes: compiler, processor, C library.
///
/// Under valgrind all processors with AVX2 are one; without it the C library copies in another way,
/// which was seen to add up to 7 % to a client's capture. The goals hold on any ground.
fn ground() -> String {
    let libc = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let libc = libc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    #[cfg(target_arch = "x86_64")]
    let processor = if is_x86_feature_detected!("avx2") { "x86_64 with AVX2" } else { "x86_64" };
    #[cfg(not(target_arch = "x86_64"))]
    let processor = std::env::consts::ARCH;
    format!("{}, {processor}, {}", rustc(), libc.unwrap_or_default())
}

fn ours(results: &Results) -> impl Iterator<Item = &Line> {
    results.lines.iter().filter(|line| line.is_ours())
}

fn compare(line: &Line, accepted: &Counts, is_same_ground: bool, faults: &mut Vec<String>) {
    let calls = line.allocations.calls();
    if calls > accepted.allocations {
        faults.push(format!("{}: {calls} allocations, were {}", line.name, accepted.allocations));
    }
    // Buffers of the HTTP clients vary a little with the kernel's timing; ours do not.
    if line.allocations.bytes > accepted.bytes && !line.is_net() {
        let (now, then) = (line.allocations.bytes, accepted.bytes);
        faults.push(format!("{}: {now} bytes allocated, were {then}", line.name));
    }
    if let (Some(now), Some(then)) = (line.instructions, accepted.instructions)
        && is_same_ground
        && now * 100 > then * 105
    {
        faults.push(format!("{}: {now} instructions, were {then} (5 % allowed)", line.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::children::Allocations;

    fn results(rows: &[(&'static str, u64, Option<u64>)]) -> Results {
        let line = |&(name, allocs, instructions)| Line {
            name,
            what: name,
            allocations: Allocations { allocs, reallocs: 0, bytes: 10 },
            instructions,
            cpu: Vec::new(),
            loads: Vec::new(),
        };
        Results {
            lines: rows.iter().map(line).collect(),
            growth: Vec::new(),
            crates: Vec::new(),
            built: Vec::new(),
            is_pinned: false,
        }
    }

    /// The baseline: one row `encode`, 3 allocations and 1,000 instructions, counted on `here`.
    fn faults_and_unchecked(
        rows: &[(&'static str, u64, Option<u64>)],
        ground: &str,
        is_ci: bool,
    ) -> (Vec<String>, Vec<String>) {
        let counts = Counts { allocations: 3, bytes: 10, instructions: Some(1_000) };
        let rows_then = BTreeMap::from([("encode".to_owned(), counts)]);
        let baseline = Baseline { counted_on: "here".into(), rows: rows_then };
        let found = compared(&results(rows), &baseline, ground, is_ci);
        (found.faults, found.not_checked)
    }

    #[test]
    fn what_is_worse_fails() {
        let nothing: (Vec<String>, Vec<String>) = Default::default();
        assert_eq!(faults_and_unchecked(&[("encode", 3, Some(1_050))], "here", true), nothing);
        for (allocations, instructions, fault) in [
            (4, 1_000, "encode: 4 allocations, were 3"),
            (3, 1_051, "encode: 1051 instructions, were 1000 (5 % allowed)"),
        ] {
            let rows = [("encode", allocations, Some(instructions))];
            assert_eq!(faults_and_unchecked(&rows, "here", true).0, [fault]);
        }
    }

    #[test]
    fn a_row_on_one_side_only_fails() {
        let both = [("encode", 3, Some(1_000)), ("new", 1, Some(1))];
        let (faults, _) = faults_and_unchecked(&both, "here", false);
        assert_eq!(faults, ["new: not in the baseline; run --accept"]);
        let (faults, _) = faults_and_unchecked(&[("new/peer", 1, Some(1))], "here", false);
        assert_eq!(faults, ["encode: in the baseline, but no longer measured"]);
    }

    #[test]
    fn what_is_not_checked_is_said_and_a_missing_valgrind_fails_in_ci() {
        let other_ground = [("encode", 3, Some(9_000))];
        let (faults, not_checked) = faults_and_unchecked(&other_ground, "there", true);
        let why = "instructions against the baseline (counted on here; this is there)";
        assert_eq!((faults.len(), not_checked), (0, vec![why.to_owned()]));

        let no_valgrind = [("encode", 3, None)];
        let why = "instructions (valgrind is not installed)".to_owned();
        assert_eq!(faults_and_unchecked(&no_valgrind, "here", false), (vec![], vec![why.clone()]));
        assert_eq!(faults_and_unchecked(&no_valgrind, "here", true), (vec![why], vec![]));
    }
}
