//! The ways to misuse the journal, for the search and the simulation.

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
    /// A holder that lives is taken for one that has ended, and its capture handed out again.
    TakesWhatIsHeld,
}

impl Misuse {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::StartsAfresh,
        Self::ForgetsTheFirstClaim,
        Self::LateNoWins,
        Self::TellsBeforeItIsDurable,
        Self::SendsBeforeItClaims,
        Self::NewKeyWhileOpen,
        Self::TakesWhatIsHeld,
    ];

    /// Whether the simulation cannot show it: there, any holder may lose its hold.
    #[must_use]
    pub fn only_in_the_search(self) -> bool {
        self == Self::TakesWhatIsHeld
    }
}
