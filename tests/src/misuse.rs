//! The ways to misuse the journal.

/// A mistake in using the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the mistakes")]
pub enum Misuse {
    /// What another holder left is begun anew.
    StartsAfresh,
    /// The key's age counts from the latest claim.
    ForgetsTheFirstClaim,
    /// A *not captured* of a holder that lost its hold is told.
    LateNoWins,
    TellsBeforeItIsDurable,
    SendsBeforeItClaims,
    /// An order that is open is asked for under a new key.
    NewKeyWhileOpen,
}

impl Misuse {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::StartsAfresh,
        Self::ForgetsTheFirstClaim,
        Self::LateNoWins,
        Self::TellsBeforeItIsDurable,
        Self::SendsBeforeItClaims,
        Self::NewKeyWhileOpen,
    ];
}
