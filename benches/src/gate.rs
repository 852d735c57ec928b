//! The gate: allocations exactly, instructions within 5 %, and every goal that is a count. No time.

use std::collections::BTreeMap;
use std::{fmt, fs};

use serde::{Deserialize, Serialize};

use crate::goals::{self, Goal};
use crate::machine;
use crate::results::{Measurement, Results};

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
    /// What is worse than the baseline, or misses a goal.
    pub faults: Vec<String>,
    /// What this run could not check, and why.
    pub not_checked: Vec<String>,
}

/// How the gate ends, and the exit code that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was checked, and nothing is worse.
    Passed = 0,
    /// Something is worse; in CI also: something was not checked.
    Failed = 1,
    /// Nothing that was checked is worse, and not everything was checked.
    NotChecked = 3,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotChecked => "not everything was checked; what was checked is good",
        })
    }
}

impl Findings {
    fn add_goals(&mut self, goals: &[Goal]) {
        for goal in goals {
            let (id, what, must) = (goal.id, &goal.what, goal.must);
            match goal.value {
                Some(value) if goal.is_missed() => {
                    self.faults.push(format!("{id} {what}: {value:.2}, must be at most {must}"));
                }
                Some(_) => {}
                None => self.not_checked.push(format!("{id} {what}, because it was not measured")),
            }
        }
    }

    /// In CI a check that did not run would look like one that passed.
    pub fn verdict(&self, is_ci: bool) -> Verdict {
        match (self.faults.is_empty(), self.not_checked.is_empty()) {
            (true, true) => Verdict::Passed,
            (true, false) if !is_ci => Verdict::NotChecked,
            _ => Verdict::Failed,
        }
    }
}

/// Compares a run with the baseline and with the goals.
///
/// # Errors
/// When the baseline cannot be read.
pub fn check(results: &Results) -> Result<Findings, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{BASELINE}: {error}");
    let text = fs::read_to_string(BASELINE).map_err(|error| failed(&error))?;
    let baseline: Baseline = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    let mut findings = compared(results, &baseline, &machine::ground());
    findings.add_goals(&goals::counts(results));
    Ok(findings)
}

fn compared(results: &Results, baseline: &Baseline, ground: &str) -> Findings {
    let mut findings = Findings::default();
    let is_same_ground = baseline.counted_on == ground;
    if !results.has_instructions() {
        let why = "valgrind is not installed";
        findings.not_checked.push(format!("instructions, because {why}"));
    } else if !is_same_ground {
        let made = &baseline.counted_on;
        let why = format!("it was made on {made}, and this is {ground}");
        findings.not_checked.push(format!("instructions against the baseline, because {why}"));
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
            let why = "it is in the baseline and was not measured; restore it or run --accept";
            findings.not_checked.push(format!("{name}, because {why}"));
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
    fn found(counted: &[Counted], ground: &str) -> Findings {
        let counts = Counts { allocations: 3, bytes: 10, instructions: 1_000 };
        let benchmarks = BTreeMap::from([("encode".to_owned(), counts)]);
        let baseline = Baseline { counted_on: "here".into(), benchmarks };
        compared(&results(counted), &baseline, ground)
    }

    /// On a desk, then in CI.
    fn verdicts(findings: &Findings) -> [Verdict; 2] {
        [false, true].map(|is_ci| findings.verdict(is_ci))
    }

    #[test]
    fn what_is_worse_fails() {
        let as_agreed = found(&[("encode", 3, Some(1_050))], "here");
        assert!(as_agreed.faults.is_empty() && as_agreed.not_checked.is_empty());
        assert_eq!(verdicts(&as_agreed), [Verdict::Passed; 2]);
        for (allocations, instructions, fault) in [
            (4, 1_000, "encode: 4 allocations, were 3"),
            (3, 1_051, "encode: 1051 instructions, were 1000 (5 % allowed)"),
        ] {
            let findings = found(&[("encode", allocations, Some(instructions))], "here");
            assert_eq!(findings.faults, [fault]);
            assert_eq!(verdicts(&findings), [Verdict::Failed; 2]);
        }
    }

    #[test]
    fn a_benchmark_without_a_baseline_fails() {
        let counted = [("encode", 3, Some(1_000)), ("new", 1, Some(1))];
        let findings = found(&counted, "here");
        assert_eq!(findings.faults, ["new: has no baseline; run --accept"]);
        assert_eq!(verdicts(&findings), [Verdict::Failed; 2]);
    }

    /// Each is a result of its own on a desk, and fails in CI.
    #[test]
    fn what_is_not_checked_never_passes() {
        for (counted, ground, why) in [
            (
                ("encode", 3, Some(9_000)),
                "there",
                "instructions against the baseline, because it was made on here, and this is there",
            ),
            (("encode", 3, None), "here", "instructions, because valgrind is not installed"),
            (
                ("new/peer", 1, Some(1)),
                "here",
                "encode, because it is in the baseline and was not measured; restore it or run --accept",
            ),
        ] {
            let findings = found(&[counted], ground);
            assert!(findings.faults.is_empty(), "{:?}", findings.faults);
            assert_eq!(findings.not_checked, [why]);
            assert_eq!(verdicts(&findings), [Verdict::NotChecked, Verdict::Failed]);
        }
        let worse = found(&[("encode", 4, None)], "here");
        assert_eq!(verdicts(&worse), [Verdict::Failed; 2], "more allocations are counted anywhere");
    }

    #[test]
    fn a_goal_is_met_or_missed_or_not_measured() {
        for (value, verdict) in [
            (Some(3.0), Verdict::Passed),
            (Some(3.5), Verdict::Failed),
            (None, Verdict::NotChecked),
        ] {
            let what = "encode a request: allocations".to_owned();
            let goal = Goal { id: "P1", what, value, must: 3.0, first: None, stretch: None };
            let mut findings = Findings::default();
            findings.add_goals(&[goal]);
            assert_eq!(findings.verdict(false), verdict, "{value:?}");
        }
    }
}
