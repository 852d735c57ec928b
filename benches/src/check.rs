//! The gate: allocations exactly, instructions within 5 %, crates, and every goal D. No wall time.

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

/// Everything that is worse than the baseline or misses a goal.
///
/// # Errors
/// When the baseline cannot be read.
pub fn faults(results: &Results) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(BASELINE).map_err(|error| format!("{BASELINE}: {error}"))?;
    let baseline: Baseline =
        serde_json::from_str(&text).map_err(|error| format!("{BASELINE}: {error}"))?;
    let mut faults = Vec::new();
    let (then, now) = (&baseline.counted_on, ground());
    let is_same_ground = *then == now;
    if !is_same_ground {
        eprintln!(
            "capture-bench: SKIPPED instructions against the baseline, made on {then}; this is {now}"
        );
    }
    for line in ours(results) {
        match baseline.rows.get(line.name) {
            Some(accepted) => compare(line, accepted, is_same_ground, &mut faults),
            None => faults.push(format!("{}: is not in the baseline; run --accept", line.name)),
        }
    }
    for goal in goals::deterministic(results).iter().filter(|goal| goal.is_missed()) {
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
