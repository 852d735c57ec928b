//! What a run is judged by, clause by clause, and what a client claims.

use crate::misuse::Misuse;
use crate::subject::{Mutant, Said};

/// One thing that must not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Clause {
    CapturedTwice,
    CapturedIsFalse,
    CapturedIsFalseAtTheEnd,
    MoneyMoved,
    MoneyMovedByTheEnd,
    UnlikeTheFirst,
    AgainWithOldKey,
    DoubtForgotten,
    DoubtOverruled,
    NeverSettled,
    SentUnclaimed,
    ToldUnrecorded,
    RecordOverruled,
}

impl Clause {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::CapturedTwice,
        Self::CapturedIsFalse,
        Self::CapturedIsFalseAtTheEnd,
        Self::MoneyMoved,
        Self::MoneyMovedByTheEnd,
        Self::UnlikeTheFirst,
        Self::AgainWithOldKey,
        Self::DoubtForgotten,
        Self::DoubtOverruled,
        Self::NeverSettled,
        Self::SentUnclaimed,
        Self::ToldUnrecorded,
        Self::RecordOverruled,
    ];

    /// The invariant that it belongs to, or the rule.
    #[must_use]
    pub fn invariant(self) -> &'static str {
        match self {
            Self::CapturedTwice => "I1",
            Self::CapturedIsFalse | Self::CapturedIsFalseAtTheEnd => "I2",
            Self::MoneyMoved | Self::MoneyMovedByTheEnd => "I3",
            Self::UnlikeTheFirst => "I6",
            Self::AgainWithOldKey => "R7",
            Self::DoubtForgotten | Self::DoubtOverruled => "I9",
            Self::NeverSettled => "I18",
            Self::SentUnclaimed => "I7",
            Self::ToldUnrecorded | Self::RecordOverruled => "I8",
        }
    }

    /// The broken client that shows that this clause fires, where it is the only one.
    #[must_use]
    pub fn broken_client(self) -> Option<Mutant> {
        Some(match self {
            Self::CapturedTwice | Self::UnlikeTheFirst => Mutant::NewKeyPerSend,
            Self::CapturedIsFalse | Self::CapturedIsFalseAtTheEnd => Mutant::SuccessByStatusAlone,
            Self::MoneyMoved => Mutant::ServerErrorIsFailure,
            Self::MoneyMovedByTheEnd => Mutant::TimeoutIsFailure,
            Self::AgainWithOldKey => Mutant::ResendsOldKeys,
            Self::DoubtForgotten | Self::DoubtOverruled => Mutant::ForgetsDoubtOnResume,
            Self::NeverSettled => Mutant::LeavesItUnknown,
            Self::SentUnclaimed | Self::ToldUnrecorded | Self::RecordOverruled => return None,
        })
    }

    /// The misuse of the journal that shows that this clause fires, where that is what breaks it.
    #[must_use]
    pub fn misuse(self) -> Option<Misuse> {
        match self {
            Self::SentUnclaimed => Some(Misuse::SendsBeforeItClaims),
            Self::ToldUnrecorded | Self::RecordOverruled => Some(Misuse::TellsBeforeItIsDurable),
            _ => None,
        }
    }
}

/// What a client claimed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) said: Said,
    pub(crate) reason: &'static str,
    /// Whether the order was decided, not only this run.
    pub(crate) is_decided: bool,
}
