//! Growth: what many captures at once, and many in a row, cost each, and the memory they need.

use crate::{children, clients};

pub struct Point {
    pub name: &'static str,
    pub in_flight: usize,
    pub total: usize,
    /// CPU microseconds of one capture.
    pub cpu: f64,
    /// The most memory that the process held, in KiB.
    pub peak: u64,
}

pub const CLIENTS: [&str; 3] = ["hyper", "reqwest", "ureq-pool"];
/// Captures of each line at once, and lines of captures in a row.
const AT_ONCE: [(usize, usize); 4] = [(1, 20_000), (10, 20_000), (100, 20_000), (1_000, 20_000)];
const IN_A_ROW: [(usize, usize); 5] =
    [(1, 100), (1, 1_000), (1, 10_000), (1, 100_000), (1, 1_000_000)];

/// Each in a fresh process, because the peak of memory is the process's.
pub fn points(place: &str) -> Vec<Point> {
    let mut points = Vec::new();
    for name in CLIENTS {
        for (in_flight, total) in AT_ONCE.into_iter().chain(IN_A_ROW) {
            eprintln!("capture-bench: growth of {name}: {total} captures, {in_flight} in flight");
            let (nanos, peak) = children::grow(name, in_flight, total, place);
            points.push(Point { name, in_flight, total, cpu: nanos / 1e3, peak });
        }
    }
    points
}

/// One warmed-up client in this process; prints CPU nanoseconds of a capture and peak memory.
pub fn run(name: &str, in_flight: usize, total: usize, place: &str) {
    let client = clients::drive(name, place);
    (client.many)(in_flight, in_flight.max(100));
    let cost = (client.many)(in_flight, total);
    println!("{} {}", cost.cpu.as_nanos(), peak());
}

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
