//! The random simulation at a small size, its broken clients, and its repeatability.

use capture_tests::misuse::Misuse;
use capture_tests::simulation::{Clause, Plan, Trouble, play, shrink};
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
    let said = ["said captured", "said not captured", "said unknown"];
    for what in Trouble::ALL.into_iter().map(Trouble::name).chain(said) {
        assert!(counts.get(what).is_some_and(|times| *times > 20), "{what}: {counts:?}");
    }
}

/// Without one kind of trouble some run must go another way, apart from the lines that name it.
#[test]
fn every_kind_of_trouble_changes_what_happens() {
    for trouble in Trouble::ALL {
        let acts = (0..2_000).any(|seed| {
            let plan = Plan { seed, traced: true, ..Plan::default() };
            let without = Plan { off: [trouble].into(), ..plan.clone() };
            play(&plan).effects() != play(&without).effects()
        });
        assert!(acts, "{trouble:?} does nothing");
    }
}

/// Each clause is judged alone, so that no other one can catch its broken client.
#[test]
fn every_clause_catches_its_broken_client_alone() {
    for clause in Clause::ALL {
        let (mutant, misuse) = (clause.broken_client(), clause.misuse());
        let plan = Plan { mutant, misuse, only: Some(clause), ..Plan::default() };
        let caught = (0..20_000).any(|seed| {
            play(&Plan { seed, ..plan.clone() }).violation.is_some_and(|it| it.clause == clause)
        });
        assert!(caught, "{clause:?} did not catch its broken client");
    }
}

#[test]
fn every_misuse_of_the_journal_is_caught() {
    for (misuse, invariants) in [
        (Misuse::StartsAfresh, &["I1", "I3", "I8", "R7", "I9"][..]),
        (Misuse::ForgetsTheFirstClaim, &["R7"]),
        (Misuse::LateNoWins, &["I3", "I8", "I9"]),
        (Misuse::TellsBeforeItIsDurable, &["I8"]),
        (Misuse::SendsBeforeItClaims, &["I7"]),
        (Misuse::NewKeyWhileOpen, &["I6", "I1", "I9"]),
    ] {
        let caught = (0..20_000).find_map(|seed| {
            play(&Plan { seed, misuse: Some(misuse), ..Plan::default() }).violation
        });
        let violation = caught.unwrap_or_else(|| panic!("{misuse:?} was not caught"));
        let invariant = violation.clause.invariant();
        assert!(invariants.contains(&invariant), "{misuse:?}: {violation}");
    }
    let all = Misuse::ALL.into_iter().filter(|misuse| !misuse.only_in_the_search());
    assert_eq!(all.count(), 6, "each has its line above");
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
        assert_eq!(violation.clause.invariant(), invariant, "{mutant:?}");
        assert!(summary.faults.len() <= 4, "{mutant:?} needs few faults: {:?}", summary.faults);
    }
}
