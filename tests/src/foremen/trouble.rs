//! What troubles hosts that share a journal, as one list: each can be switched off, and must be missed then.

/// A kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// A host dies, and is believed to live until its lease runs out.
    Dies,
    /// A host stands still, and wakes up later: in time, or after its lease has run out.
    Stalls,
    /// A host reaches the API, and not the journal.
    CutOff,
    /// The connection is lost in COMMIT: the turn took place, or did not, and nobody knows.
    CommitLost,
    /// Hosts' clocks are off, by no more than what is refused.
    ClocksOff,
    /// A clock is set by a day while its host works.
    ClockJumps,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Dies,
        Self::Stalls,
        Self::CutOff,
        Self::CommitLost,
        Self::ClocksOff,
        Self::ClockJumps,
    ];

    /// What to call it when it is counted.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dies => "deaths",
            Self::Stalls => "stalls",
            Self::CutOff => "hosts cut off",
            Self::CommitLost => "answers to COMMIT lost",
            Self::ClocksOff => "clocks that are off",
            Self::ClockJumps => "clocks that jump",
        }
    }
}
