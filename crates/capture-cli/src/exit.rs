//! The exit codes: what a script may rely on.

use std::process::ExitCode;

use capture_core::Outcome;

/// The exit codes; why there are these is in `docs/decisions/0013-exit-codes.md`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Captured, or the command is done.
    Yes = 0,
    /// Definitely not captured, or not done.
    No = 1,
    /// This run did nothing: invalid input or configuration, no connection, no login.
    Nothing = 2,
    /// Money may have moved; or it has, and the receipt has a caveat. Hold the goods.
    Unknown = 3,
    /// Of a list: stopped early, nothing is unknown, and some were not sent.
    Unsent = 4,
}

impl Exit {
    /// What a script is told about an outcome that is in the journal.
    ///
    /// A capture that never got as far as the order is not called "not captured": nobody has asked
    /// the order. No earlier run sent it either, or the journal would have it in doubt.
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            // Neither "ship" nor "not captured": hold the goods, and look.
            Outcome::Captured(receipt) if receipt.caveat().is_some() => Self::Unknown,
            Outcome::Captured(_) => Self::Yes,
            Outcome::NotCaptured(refusal) if refusal.reason().is_decided() => Self::No,
            Outcome::NotCaptured(_) => Self::Nothing,
            Outcome::Unknown(_) => Self::Unknown,
        }
    }

    /// The same without a journal: where this run sent nothing, an earlier one may have.
    pub(crate) fn without_journal(outcome: &Outcome) -> Self {
        match Self::of(outcome) {
            Self::Nothing => Self::Unknown,
            exit => exit,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
