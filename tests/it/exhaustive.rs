//! The exhaustive check at a smaller depth, its broken clients, and the argument that lets it merge.

use std::num::NonZeroU32;

use capture_core::Policy;
use capture_tests::exhaustive::{
    DEADLINE, against, kinds, may_capture_twice, plain_and_merged, scopes, search,
};
use capture_tests::subject::Mutant;

fn policy(sends: u32) -> Policy {
    Policy::default().with_deadline(DEADLINE).with_max_sends(NonZeroU32::new(sends).unwrap())
}

#[test]
fn every_sequence_keeps_every_invariant() {
    for scope in scopes(policy(1), 1) {
        let coverage = search(scope, false);
        let expected: &[&str] = if may_capture_twice(&scope) { &["I1"] } else { &[] };
        let broken: Vec<_> = coverage.violations.iter().map(|v| v.invariant).collect();
        assert_eq!(broken, expected, "{scope:?}\n{:#?}", coverage.violations);
        assert!(coverage.states > 100 && coverage.ends.len() == 3, "{coverage:?}");
    }
    assert!(kinds().0 >= 60, "{:?}", kinds());
}

#[test]
fn every_broken_client_is_caught() {
    for mutant in Mutant::ALL {
        let coverage = search(against(mutant, policy(2)), true);
        let violation = coverage.violations.first();
        let violation = violation.unwrap_or_else(|| panic!("{mutant:?} was not caught"));
        println!("{mutant:?}: {violation}\n");
        let expected: &[&str] = match mutant {
            Mutant::NewKeyPerSend => &["I6"],
            Mutant::FollowsRedirect => &["I10"],
            Mutant::ForgetsDoubtOnResume => &["I3", "I9"],
            Mutant::ProcessingIsSuccess
            | Mutant::SuccessWithoutFlag
            | Mutant::LookupWithoutIdCheck
            | Mutant::FirstDuplicateWins
            | Mutant::SuccessByStatusAlone => &["I2"],
            Mutant::ResendsUnderNever | Mutant::ResendsOldKeys => &["R7"],
            Mutant::SendsWithoutLimit | Mutant::LogsInPerSend => &["I5"],
            Mutant::ServerErrorIsFailure
            | Mutant::RefusalClearsDoubt
            | Mutant::ConflictIsFailure
            | Mutant::CaptureRequiredIsFailure
            | Mutant::EndOfFileIsNotSent
            | Mutant::TimeoutIsFailure => &["I3"],
        };
        assert!(expected.contains(&violation.invariant), "{mutant:?}: {violation}");
    }
}

#[test]
fn the_diagram_is_drawn_from_the_code() {
    let coverage = search(scopes(policy(2), 0)[0], false);
    let mut drawn = String::from("stateDiagram-v2\n    [*] --> Authorize\n");
    for (from, to) in &coverage.edges {
        drawn += &format!("    {from} --> {to}\n");
        // R1: no transition leads from doubt to a state without doubt.
        let doubtful = |state: &str| state.ends_with("InDoubt");
        let ends = ["Captured", "NotCaptured", "Unknown"];
        assert!(!doubtful(from) || doubtful(to) || ends.contains(to), "{from} --> {to}");
    }
    for end in ["Captured", "NotCaptured", "Unknown"] {
        drawn += &format!("    {end} --> [*]\n");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/outcomes.md");
    let page = std::fs::read_to_string(path).unwrap();
    let shown = page.split("```mermaid\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(shown, Some(drawn.as_str()), "put this into docs/outcomes.md:\n{drawn}");
}

#[test]
fn merging_equal_states_loses_none() {
    let scope = scopes(policy(2), 1)[0];
    let (plain, merged) = plain_and_merged(scope, 3);
    assert_eq!(plain, merged);
}
