//! The gate: allocations exactly, instructions within 5 %, and every goal that is a count. No time.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};

use crate::results::{Measurement, Results};
use crate::{goals, machine};

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.json");

/// What the last accepted run counted, and on what.
#[derive(Serialize, Deserialize)]
struct Baseline {
    counted_on: String,
    benchmarks: BTreeMap<String, Counts>,
}

/// What it counted for a benchmark of ours.
#[derive(Serialize, Deserialize)]
struct Counts {
    allocations: u64,
    bytes: u64,
    instructions: u64,
}

/// What the gate found.
#[derive(Default)]
pub struct Findings {
    /// What is worse than the baseline, or misses a goal, or cannot be compared.
    pub faults: Vec<String>,
    /// What this machine could not check, and why.
    pub not_checked: Vec<String>,
}

/// Compares a run with the baseline and with the goals.
///
/// # Errors
/// When the baseline cannot be read.
pub fn check(results: &Results) -> Result<Findings, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{BASELINE}: {error}");
    let text = fs::read_to_string(BASELINE).map_err(|error| failed(&error))?;
    let baseline: Baseline = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    let is_ci = std::env::var_os("CI").is_some();
    let mut findings = compared(results, &baseline, &machine::ground(), is_ci);
    for goal in goals::counts(results).iter().filter(|goal| goal.is_missed()) {
        let (id, what, must) = (goal.id, &goal.what, goal.must);
        let value = goal.value.unwrap_or_default();
        findings.faults.push(format!("{id} {what}: {value:.2}, must be at most {must}"));
    }
    Ok(findings)
}

/// In CI a missing valgrind is a fault: a check that did not run would look like one that passed.
fn compared(results: &Results, baseline: &Baseline, ground: &str, is_ci: bool) -> Findings {
    let mut findings = Findings::default();
    let is_same_ground = baseline.counted_on == ground;
    if !results.has_instructions() {
        let what = "instructions (valgrind is not installed)".to_owned();
        if is_ci { &mut findings.faults } else { &mut findings.not_checked }.push(what);
    } else if !is_same_ground {
        let why = format!("the baseline was made on {}; this is {ground}", baseline.counted_on);
        findings.not_checked.push(format!("instructions against the baseline ({why})"));
    }

    for measured in ours(results) {
        match baseline.benchmarks.get(measured.name) {
            Some(accepted) => compare(measured, accepted, is_same_ground, &mut findings.faults),
            None => {
                let name = measured.name;
                findings.faults.push(format!("{name}: has no baseline; run --accept"));
            }
        }
    }
    for name in baseline.benchmarks.keys() {
        if results.find(name).is_none() {
            let fault = "is in the baseline but was not measured; restore it or run --accept";
            findings.faults.push(format!("{name}: {fault}"));
        }
    }
    findings
}

/// Makes this run the baseline.
///
/// # Errors
/// When instructions were not counted, or it cannot be written.
pub fn accept(results: &Results) -> Result<(), String> {
    let mut benchmarks = BTreeMap::new();
    for measured in ours(results) {
        let counts = Counts {
            allocations: measured.allocations.calls(),
            bytes: measured.allocations.bytes,
            instructions: measured.instructions.ok_or("a baseline needs valgrind")?,
        };
        benchmarks.insert(measured.name.to_owned(), counts);
    }
    let baseline = Baseline { counted_on: machine::ground(), benchmarks };
    let text = serde_json::to_string_pretty(&baseline).map_err(|error| error.to_string())?;
    fs::write(BASELINE, text + "\n").map_err(|error| format!("{BASELINE}: {error}"))
}

fn ours(results: &Results) -> impl Iterator<Item = &Measurement> {
    results.measurements.iter().filter(|measured| measured.is_ours())
}

fn compare(
    measured: &Measurement,
    accepted: &Counts,
    is_same_ground: bool,
    faults: &mut Vec<String>,
) {
    let name = measured.name;
    let (calls, bytes) = (measured.allocations.calls(), measured.allocations.bytes);
    // Opening and closing a connection for each request takes one or two more now and then.
    let spare = if measured.is_client() { 2 } else { 0 };
    if calls > accepted.allocations + spare {
        faults.push(format!("{name}: {calls} allocations, were {}", accepted.allocations));
    }
    // The HTTP clients' buffers vary a little with the kernel's timing; ours do not.
    if bytes > accepted.bytes && !measured.is_client() {
        faults.push(format!("{name}: {bytes} bytes allocated, were {}", accepted.bytes));
    }
    if let Some(now) = measured.instructions
        && is_same_ground
        && now * 100 > accepted.instructions * 105
    {
        let then = accepted.instructions;
        faults.push(format!("{name}: {now} instructions, were {then} (5 % allowed)"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::children::Allocations;

    /// Name, allocations and instructions of one benchmark.
    type Counted = (&'static str, u64, Option<u64>);

    fn results(counted: &[Counted]) -> Results {
        let measured = |&(name, allocs, instructions): &Counted| Measurement {
            name,
            title: name,
            allocations: Allocations { allocs, reallocs: 0, bytes: 10 },
            instructions,
            cpu: Vec::new(),
            loads: Vec::new(),
        };
        Results {
            measurements: counted.iter().map(measured).collect(),
            growth: Vec::new(),
            crates: Vec::new(),
            build_costs: Vec::new(),
            is_pinned: false,
        }
    }

    /// Compares with `encode`, 3 allocations and 1,000 instructions, counted on `here`.
    fn found(counted: &[Counted], ground: &str, is_ci: bool) -> Findings {
        let counts = Counts { allocations: 3, bytes: 10, instructions: 1_000 };
        let benchmarks = BTreeMap::from([("encode".to_owned(), counts)]);
        let baseline = Baseline { counted_on: "here".into(), benchmarks };
        compared(&results(counted), &baseline, ground, is_ci)
    }

    #[test]
    fn what_is_worse_fails() {
        let as_agreed = found(&[("encode", 3, Some(1_050))], "here", true);
        assert!(as_agreed.faults.is_empty() && as_agreed.not_checked.is_empty());
        for (allocations, instructions, fault) in [
            (4, 1_000, "encode: 4 allocations, were 3"),
            (3, 1_051, "encode: 1051 instructions, were 1000 (5 % allowed)"),
        ] {
            let counted = [("encode", allocations, Some(instructions))];
            assert_eq!(found(&counted, "here", true).faults, [fault]);
        }
    }

    #[test]
    fn a_benchmark_on_one_side_only_fails() {
        let counted = [("encode", 3, Some(1_000)), ("new", 1, Some(1))];
        let faults = found(&counted, "here", false).faults;
        assert_eq!(faults, ["new: has no baseline; run --accept"]);
        let faults = found(&[("new/peer", 1, Some(1))], "here", false).faults;
        assert_eq!(faults.len(), 1);
        assert!(faults[0].starts_with("encode: is in the baseline but was not measured"));
    }

    #[test]
    fn what_is_not_checked_is_stated_and_a_missing_valgrind_fails_in_ci() {
        let elsewhere = found(&[("encode", 3, Some(9_000))], "there", true);
        assert!(elsewhere.faults.is_empty());
        let why =
            "instructions against the baseline (the baseline was made on here; this is there)";
        assert_eq!(elsewhere.not_checked, [why]);

        let why = "instructions (valgrind is not installed)";
        let on_a_desk = found(&[("encode", 3, None)], "here", false);
        assert_eq!((on_a_desk.faults.len(), on_a_desk.not_checked), (0, vec![why.to_owned()]));
        let in_ci = found(&[("encode", 3, None)], "here", true);
        assert_eq!((in_ci.faults, in_ci.not_checked.len()), (vec![why.to_owned()], 0));
    }
}
