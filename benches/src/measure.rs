//! Time of the core rows: interleaved rounds in one process, the median of the thread's CPU time.

use std::time::Duration;

use cpu_time::ThreadTime;

use crate::Row;

/// Rounds over all rows; the median of so many forgives a noisy machine.
const ROUNDS: usize = 31;
const BATCH: Duration = Duration::from_millis(2);

/// CPU nanoseconds of each row.
pub fn cpu(rows: &mut [Row]) -> Vec<f64> {
    let counts: Vec<u32> = rows.iter_mut().map(enough).collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); rows.len()];
    for _ in 0..ROUNDS {
        for ((row, count), times) in rows.iter_mut().zip(&counts).zip(&mut times) {
            let nanos = batch(row, *count).as_secs_f64() * 1e9;
            times.push(nanos / f64::from(*count));
        }
    }
    times.into_iter().map(median).collect()
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How often an operation must run to fill a batch; warms it up as well.
fn enough(row: &mut Row) -> u32 {
    let mut count = 1;
    while batch(row, count) < BATCH {
        count *= 2;
    }
    count
}

fn batch(row: &mut Row, count: u32) -> Duration {
    let began = ThreadTime::now();
    for _ in 0..count {
        (row.once)();
    }
    began.elapsed()
}
