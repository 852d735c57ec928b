//! The gate: allocations exactly, instructions within 5 %, crates, and every goal D. No wall time.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};

use crate::goals::goals;
use crate::results::{Line, Results};

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.json");

/// What the last accepted run counted for a row of ours.
#[derive(Serialize, Deserialize)]
struct Counts {
    allocations: u64,
    bytes: u64,
    instructions: Option<u64>,
}

/// Everything that is worse than the baseline or misses a goal.
///
/// # Errors
/// When the baseline cannot be read.
pub fn faults(results: &Results) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(BASELINE).map_err(|error| format!("{BASELINE}: {error}"))?;
    let baseline: BTreeMap<String, Counts> =
        serde_json::from_str(&text).map_err(|error| format!("{BASELINE}: {error}"))?;
    let mut faults = Vec::new();
    for line in ours(results) {
        match baseline.get(line.name) {
            Some(accepted) => compare(line, accepted, &mut faults),
            None => faults.push(format!("{}: is not in the baseline; run --accept", line.name)),
        }
    }
    for goal in goals(results).iter().filter(|goal| goal.id.starts_with('D') && goal.is_missed()) {
        let value = goal.value.unwrap_or_default();
        faults
            .push(format!("{} {}: {value:.2}, must be at most {}", goal.id, goal.what, goal.must));
    }
    Ok(faults)
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
    let baseline: BTreeMap<_, _> = ours(results).map(|line| (line.name, counts(line))).collect();
    let text = serde_json::to_string_pretty(&baseline).map_err(|error| error.to_string())?;
    fs::write(BASELINE, text + "\n").map_err(|error| format!("{BASELINE}: {error}"))
}

fn ours(results: &Results) -> impl Iterator<Item = &Line> {
    results.lines.iter().filter(|line| line.is_ours())
}

fn compare(line: &Line, accepted: &Counts, faults: &mut Vec<String>) {
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
        && now * 100 > then * 105
    {
        faults.push(format!("{}: {now} instructions, were {then} (5 % allowed)", line.name));
    }
}
