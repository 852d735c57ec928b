//! The exhaustive check at a smaller depth, its broken clients, and the argument that lets it merge.

use std::collections::BTreeSet;

use capture_tests::exhaustive::server::{Assumptions, Semantics};
use capture_tests::exhaustive::{
    Broken, Clause, Scope, against, further, key_parts, kinds, may_capture_twice, merging_loses,
    policy, scopes, search, showing, where_it_decides,
};
use capture_tests::misuse::Misuse;
use capture_tests::subject::Mutant;

/// Every kind of answer from the server that keeps every answer and guards the order, and where there
/// are echoes; one for each consequence from the others. The full search leaves none out.
#[test]
fn every_sequence_keeps_every_invariant() {
    for scope in scopes(policy(1), 1) {
        let strictest = Assumptions { semantics: Semantics::Frozen, state_guard: true };
        let few = scope.assumptions != strictest && scope.echo.is_none();
        let scope = Scope { few, ..scope };
        let coverage = search(scope, false);
        let expected: &[&str] = if may_capture_twice(&scope) { &["I1"] } else { &[] };
        let broken: Vec<_> = coverage.violations.iter().map(|v| v.invariant()).collect();
        assert_eq!(broken, expected, "{scope:?}\n{:#?}", coverage.violations);
        let least = if scope.policy.lookup() { 100 } else { 20 };
        assert!(coverage.states > least && coverage.ends.len() == 3, "{coverage:?}");
    }
    assert!(kinds().0 >= 60, "{:?}", kinds());
}

#[test]
fn every_broken_client_is_caught() {
    for broken in Broken::all() {
        let coverage = search(against(broken, policy(2)), true);
        let violation = coverage.violations.first();
        let violation = violation.unwrap_or_else(|| panic!("{broken:?} was not caught"));
        println!("{broken:?}: {violation}\n");
        let mutant = match broken {
            Broken::Client(mutant) => mutant,
            Broken::Journal(misuse) => {
                let expected = match misuse {
                    Misuse::StartsAfresh => Clause::DoubtForgotten,
                    Misuse::ForgetsTheFirstClaim => Clause::AgainWithOldKey,
                    Misuse::LateNoWins => Clause::ToldOverruled,
                    Misuse::TellsBeforeItIsDurable => Clause::ToldUnrecorded,
                    Misuse::SendsBeforeItClaims => Clause::SentUnclaimed,
                    Misuse::NewKeyWhileOpen => Clause::OtherCapture,
                    Misuse::TakesWhatIsHeld => Clause::HandedOutTwice,
                };
                assert_eq!(violation.clause, expected, "{broken:?}: {violation}");
                continue;
            }
        };
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
            Mutant::SendsWithoutLimit
            | Mutant::LogsInPerSend
            | Mutant::TakesSilenceForConflict
            | Mutant::IgnoresTheDeadline => &["I5"],
            Mutant::RetriesAtOnce => &["I19"],
            Mutant::RebuildsTheCapture => &["I4", "I6"],
            Mutant::ForgetsKeyAge | Mutant::SaysNoNextStep => &["I4"],
            Mutant::ShowsTheReply => &["I11"],
            Mutant::LeavesItUnknown => unreachable!("filtered out"),
            Mutant::ServerErrorIsFailure
            | Mutant::RefusalClearsDoubt
            | Mutant::ConflictIsFailure
            | Mutant::CaptureRequiredIsFailure
            | Mutant::EndOfFileIsNotSent
            | Mutant::ConfirmsOnce
            | Mutant::ConfirmsWithoutWaiting
            | Mutant::ProcessingIsFailure
            | Mutant::FailedLookupConfirms
            | Mutant::TimeoutIsFailure => &["I3"],
        };
        assert!(expected.contains(&violation.invariant()), "{mutant:?}: {violation}");
    }
}

/// What the journal has to get right beyond that: a record that comes late, and one hand more.
#[test]
fn every_journal_keeps_every_invariant() {
    let all = further(policy(1), [1, 3]);
    for scope in all.into_iter().filter(|it| it.assumptions.semantics == Semantics::Ignored) {
        let coverage = search(scope, false);
        assert!(coverage.violations.is_empty(), "{scope:?}\n{:#?}", coverage.violations);
        assert!(coverage.states > 5_000, "{coverage:?}");
    }
}

/// Each clause is judged alone, so that no other one can catch its broken client.
#[test]
fn every_clause_catches_its_broken_client_alone() {
    for clause in Clause::ALL {
        let coverage = search(showing(clause, policy(2)), true);
        let caught: Vec<_> = coverage.violations.iter().map(|violation| violation.clause).collect();
        assert_eq!(caught, [clause]);
    }
}

#[test]
fn every_clause_says_what_was_seen() {
    let said: BTreeSet<_> = Clause::ALL.into_iter().map(Clause::what).collect();
    assert_eq!(said.len(), Clause::ALL.len());
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
    let all = scopes(policy(1), 1).into_iter().chain(further(policy(1), [1, 1]));
    let ignored = Assumptions { semantics: Semantics::Ignored, state_guard: true };
    // The others take longer: `simulate --checkers`.
    for scope in all.filter(|scope| scope.assumptions == ignored) {
        assert_eq!(merging_loses(Scope { few: true, ..scope }, 5), None, "{scope:?}");
    }
    assert_eq!(merging_loses(scopes(policy(2), 0)[0], 5), None);
}

/// A state whose key lacks a part is merged with states that continue, or are judged, in another way.
/// (`simulate --checkers` shows also that nothing is lost with it.)
#[test]
fn every_part_of_the_key_is_needed() {
    for part in key_parts() {
        let scope = where_it_decides(part, policy(1));
        let forgotten = Some(part);
        let lost = merging_loses(Scope { forgotten, ..scope }, 1_000);
        assert!(lost.is_some(), "nothing is lost without {part}");
    }
}
