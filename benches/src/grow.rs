//! Growth: what many captures at once, and many in a row, cost each, and the memory they need.

use crate::{children, net};

pub struct Point {
    pub name: &'static str,
    pub in_flight: usize,
    pub total: usize,
    /// CPU microseconds of one capture.
    pub cpu: f64,
    /// The most memory that the process held, in KiB.
    pub peak: u64,
}

const AT_ONCE: [usize; 4] = [1, 10, 100, 1_000];
const IN_A_ROW: [usize; 4] = [100, 1_000, 10_000, 100_000];

/// Each in a fresh process, because the peak of memory is the process's.
pub fn points(server: &str) -> Vec<Point> {
    let at_once = AT_ONCE.map(|in_flight| (in_flight, 20_000));
    let in_a_row = IN_A_ROW.map(|total| (1, total));
    let plan = [("hyper", at_once), ("reqwest", at_once), ("hyper", in_a_row), ("ureq", in_a_row)];
    let mut points = Vec::new();
    for (name, loads) in plan {
        for (in_flight, total) in loads {
            let (nanos, peak) = children::grow(name, in_flight, total, server);
            points.push(Point { name, in_flight, total, cpu: nanos / 1e3, peak });
        }
    }
    points
}

/// One warmed-up client in this process; prints CPU nanoseconds of a capture and peak memory.
pub fn run(name: &str, in_flight: usize, total: usize, server: &str) {
    let subject = net::subject(name, server);
    subject.many(in_flight, in_flight);
    let cost = subject.many(in_flight, total);
    println!("{} {}", cost.cpu.as_nanos(), peak());
}

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
