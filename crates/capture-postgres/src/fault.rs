//! What goes wrong with a database, and which of it may be tried again.

use capture_journal::Lost;
use postgres::Error;
use postgres::error::SqlState;

/// Why a transaction ended.
pub(crate) enum Fault {
    /// The server undid it before it was to be committed: it may be tried again as a whole.
    Undone(Error),
    /// Nothing of it is certain.
    Lost(Lost),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let undone = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::LOCK_NOT_AVAILABLE,
        ];
        match error.code().is_some_and(|code| undone.contains(code)) {
            true => Self::Undone(error),
            false => Self::Lost(lost(error)),
        }
    }
}

impl From<Lost> for Fault {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

/// A failure of the database, as the trait reports it.
pub(crate) fn lost(error: Error) -> Lost {
    let code = error.code();
    if code == Some(&SqlState::DISK_FULL) {
        Lost::Full(error.into())
    } else if code == Some(&SqlState::DATA_CORRUPTED) || code == Some(&SqlState::INDEX_CORRUPTED) {
        Lost::Damaged(error.to_string())
    } else {
        Lost::Io(error.into())
    }
}
