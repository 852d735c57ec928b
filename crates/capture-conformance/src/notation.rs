//! How rows write down what came of a capture: `unknown no_reply`, and its attempts `C? L503`.
//! `docs/architecture.md` explains the notation (Testing).

use capture_core::{Attempt, Operation, Outcome, Phase};

/// The outcome and its code, such as `unknown no_reply`.
pub fn ending(outcome: &Outcome) -> String {
    format!("{} {}", outcome.name(), outcome.code())
}

/// The attempts: `C` a capture, `L` a lookup; `!` not sent, `?` maybe sent, the status, and `~` after
/// the status of a reply that was cut. Logins are left out.
pub fn attempts(outcome: &Outcome) -> String {
    let for_the_order = |attempt: &&Attempt| attempt.operation != Operation::Login;
    words(outcome.attempts().iter().filter(for_the_order).map(|attempt| {
        let letter = if attempt.operation == Operation::Capture { 'C' } else { 'L' };
        let status = attempt.status.map_or(String::new(), |status| status.to_string());
        match attempt.phase {
            Phase::NotSent => format!("{letter}!"),
            Phase::MaybeSent => format!("{letter}?"),
            Phase::CutReply => format!("{letter}{status}~"),
            Phase::Replied => format!("{letter}{status}"),
        }
    }))
}

pub fn words(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" ")
}
