//! What each of many captures costs, at once and in a row, and the memory they need.

use crate::{children, clients};

/// One client in a fresh process.
pub struct GrowthPoint {
    pub name: &'static str,
    pub in_flight: usize,
    pub total: usize,
    /// CPU microseconds of one capture.
    pub cpu: f64,
    /// The most memory that the process held, in KiB.
    pub peak: u64,
}

pub const CLIENTS: [&str; 3] = ["hyper", "reqwest", "ureq"];
/// As many captures at once, and as many in a row.
const AT_ONCE: [usize; 4] = [1, 10, 100, 1_000];
const IN_A_ROW: [usize; 5] = [100, 1_000, 10_000, 100_000, 1_000_000];

/// A process each, because the peak of memory is the process's.
pub fn points(endpoint: &str) -> Vec<GrowthPoint> {
    let mut points = Vec::new();
    for name in CLIENTS {
        let at_once = AT_ONCE.map(|in_flight| (in_flight, 20_000));
        let in_a_row = IN_A_ROW.map(|total| (1, total));
        for (in_flight, total) in at_once.into_iter().chain(in_a_row) {
            eprintln!("capture-bench: growth of {name}: {total} captures, {in_flight} in flight");
            match children::grow(name, in_flight, total, endpoint) {
                Some((nanos, peak)) => {
                    points.push(GrowthPoint { name, in_flight, total, cpu: nanos / 1e3, peak });
                }
                None => eprintln!("capture-bench: SKIPPED: not every capture got its reply"),
            }
        }
    }
    points
}

/// One warmed-up client in this process; prints CPU nanoseconds of a capture and peak memory.
pub fn run(name: &str, in_flight: usize, total: usize, endpoint: &str) {
    let client = clients::subject(name, endpoint);
    (client.many)(in_flight, in_flight.max(100));
    let cost = (client.many)(in_flight, total);
    println!("{} {}", cost.cpu.as_nanos(), peak());
}

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
