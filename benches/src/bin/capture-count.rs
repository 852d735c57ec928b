//! Counts the allocations of every row. A program of its own, because counting costs time.

use std::alloc::System;

use capture_bench::children::Allocations;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let server = std::env::args().nth(1).expect("usage: capture-count ADDRESS");
    for mut row in capture_bench::rows(Some(&server)) {
        for _ in 0..32 {
            (row.once)();
        }
        // The most frequent count: now and then a table or a queue grows.
        let mut seen: Vec<(Allocations, usize)> = Vec::new();
        for _ in 0..101 {
            let region = Region::new(ALLOCATOR);
            (row.once)();
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
        println!("{} {} {} {}", row.name, most.allocs, most.reallocs, most.bytes);
    }
}
