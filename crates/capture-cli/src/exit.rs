//! The exit codes: what a script may rely on.

use std::process::ExitCode;

/// The exit codes. Once there is an outcome, it decides; [`Exit::Invalid`] means there is none.
#[derive(Clone, Copy)]
pub(crate) enum Exit {
    /// Captured, or the command is done.
    Yes = 0,
    /// Definitely not captured, or not done.
    No = 1,
    /// Invalid input or configuration; nothing was sent.
    Invalid = 2,
    /// Money may have moved; or it has, and the receipt has a caveat. Hold the goods.
    Unknown = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
