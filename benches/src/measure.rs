//! CPU time without a network: interleaved rounds in one process, and how rounds are compared.

use std::time::Duration;

use cpu_time::ThreadTime;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::benchmark::Benchmark;

/// Rounds over all benchmarks; the median of so many forgives a noisy machine.
pub const ROUNDS: usize = 61;
const BATCH: Duration = Duration::from_millis(2);

/// CPU nanoseconds of each benchmark in each round.
pub fn cpu(benchmarks: &mut [Benchmark]) -> Vec<Vec<f64>> {
    let counts: Vec<u32> = benchmarks.iter_mut().map(enough).collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); benchmarks.len()];
    for round in 0..ROUNDS {
        for at in in_turn(round, benchmarks.len()) {
            let nanos = batch(&mut benchmarks[at], counts[at]).as_secs_f64() * 1e9;
            times[at].push(nanos / f64::from(counts[at]));
        }
    }
    times
}

/// Every other round goes backwards, so that none is always measured after the same neighbour.
pub fn in_turn(round: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |at| if round.is_multiple_of(2) { at } else { count - 1 - at })
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The median of the rounds' ratios: what disturbs a round disturbs both sides of it.
pub fn ratio(ours: &[f64], peer: &[f64]) -> Option<f64> {
    let ratios: Vec<f64> = ours.iter().zip(peer).map(|(ours, peer)| ours / peer).collect();
    (!ratios.is_empty()).then(|| median(ratios))
}

/// Keeps this process on the first or second of its processors, so that client and server do not
/// take turns on one; false where there is only one, or the system does not allow it.
pub fn pin(nth: usize) -> bool {
    let Ok(allowed) = sched_getaffinity(None) else { return false };
    let ours: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect();
    let (Some(cpu), true) = (ours.get(nth), ours.len() > 1) else { return false };
    let mut set = CpuSet::new();
    set.set(*cpu);
    sched_setaffinity(None, &set).is_ok()
}

/// How often an operation must run to fill a batch; this warms it up as well. The least of several
/// batches counts: one may be slow by chance, and a batch that is too short measures the clock.
fn enough(benchmark: &mut Benchmark) -> u32 {
    let mut count = 1;
    while (0..5).map(|_| batch(benchmark, count)).min() < Some(BATCH) {
        count *= 2;
    }
    count
}

fn batch(benchmark: &mut Benchmark, count: u32) -> Duration {
    let began = ThreadTime::now();
    for _ in 0..count {
        (benchmark.once)();
    }
    began.elapsed()
}
