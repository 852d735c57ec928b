//! The random simulation at a small size, its broken clients, and its repeatability.

use capture_tests::simulation::{Plan, play, shrink};
use capture_tests::subject::Mutant;

#[test]
fn every_run_keeps_every_invariant_and_settles() {
    let mut counts = std::collections::BTreeMap::new();
    for seed in 0..400 {
        let summary = play(&Plan { seed, ..Plan::default() });
        assert_eq!(summary.violation, None, "again: cargo xtask simulate --seed {seed}");
        for (what, times) in summary.counts {
            *counts.entry(what).or_insert(0) += times;
        }
    }
    // A simulation in which nothing goes wrong proves nothing.
    for what in [
        "processes died",
        "orders cancelled",
        "said captured",
        "said not captured",
        "said unknown",
        "requests to a server that is down",
    ] {
        assert!(counts.get(what).is_some_and(|times| *times > 20), "{what}: {counts:?}");
    }
    assert_eq!(counts.keys().filter(|what| what.starts_with("fault: ")).count(), 12, "{counts:?}");
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..20 {
        let trace = || play(&Plan { seed, traced: true, ..Plan::default() }).trace;
        assert_eq!(trace(), trace());
    }
}

#[test]
fn broken_clients_are_caught_and_their_traces_shrunk() {
    for (mutant, invariant) in [
        (Mutant::NewKeyPerSend, "I6"),
        (Mutant::ServerErrorIsFailure, "I3"),
        (Mutant::RefusalClearsDoubt, "I3"),
        (Mutant::SuccessByStatusAlone, "I2"),
        (Mutant::EndOfFileIsNotSent, "I3"),
        (Mutant::TimeoutIsFailure, "I3"),
        (Mutant::CaptureRequiredIsFailure, "I3"),
    ] {
        let caught = (0..20_000).map(|seed| Plan { seed, mutant: Some(mutant), ..Plan::default() });
        let caught = caught.into_iter().find(|plan| play(plan).violation.is_some());
        let plan = caught.unwrap_or_else(|| panic!("{mutant:?} was not caught"));
        let (_, summary) = shrink(&plan);
        let violation = summary.violation.expect("shrinking keeps the violation");
        println!("{mutant:?}, seed {}: {violation}\n{}\n", plan.seed, summary.trace.join("\n"));
        assert_eq!(violation.invariant, invariant, "{mutant:?}");
        assert!(summary.faults.len() <= 4, "{mutant:?} needs few faults: {:?}", summary.faults);
    }
}
