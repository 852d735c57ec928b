//! Everything that is tested from outside, one module for each suite.

mod cli;
mod conformance;
mod exhaustive;
mod simulation;
mod tidy;
mod vectors;
mod words;

/// Counts what is allocated, to show that a crowd needs no more memory the second time.
#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;
