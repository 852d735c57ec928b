//! Counts the allocations of every benchmark. A program of its own, because counting costs time.

use std::alloc::System;

use capture_bench::children::Allocations;
use capture_bench::suite;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let endpoint = std::env::args().nth(1).expect("usage: capture-count ENDPOINT");
    for mut benchmark in suite::local().into_iter().chain(suite::network(&endpoint)) {
        for _ in 0..32 {
            (benchmark.once)();
        }
        // The most frequent count: now and then a table or a queue grows.
        let mut seen: Vec<(Allocations, usize)> = Vec::new();
        for _ in 0..101 {
            let region = Region::new(ALLOCATOR);
            (benchmark.once)();
            let change = region.change();
            let (bytes, grown) = (change.bytes_allocated, change.bytes_reallocated.max(0));
            let found = Allocations {
                allocs: change.allocations as u64,
                reallocs: change.reallocations as u64,
                bytes: (bytes + grown.unsigned_abs()) as u64,
            };
            match seen.iter_mut().find(|(known, _)| *known == found) {
                Some((_, times)) => *times += 1,
                None => seen.push((found, 1)),
            }
        }
        let (most, _) = seen.into_iter().max_by_key(|(_, times)| *times).expect("a count");
        println!("{} {} {} {}", benchmark.name, most.allocs, most.reallocs, most.bytes);
    }
}
