//! The clauses of the invariants, each with the name that the documentation gives its invariant, and a
//! broken client that it alone has to catch.

use crate::misuse::Misuse;
use crate::subject::Mutant;

/// How a client is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// In what it sends, or makes of an answer.
    Client(Mutant),
    /// In how it uses its journal.
    Journal(Misuse),
}

impl Broken {
    /// All of them that break something which a search of steps can see.
    pub fn all() -> impl Iterator<Item = Self> {
        let mutants = Mutant::ALL.into_iter().filter(|mutant| !mutant.only_never_settles());
        mutants.map(Self::Client).chain(Misuse::ALL.into_iter().map(Self::Journal))
    }

    /// As a scope has them.
    pub(crate) fn parts(broken: Option<Self>) -> (Option<Mutant>, Option<Misuse>) {
        match broken {
            Some(Self::Client(mutant)) => (Some(mutant), None),
            Some(Self::Journal(misuse)) => (None, Some(misuse)),
            None => (None, None),
        }
    }
}

impl From<Mutant> for Broken {
    fn from(mutant: Mutant) -> Self {
        Self::Client(mutant)
    }
}

impl From<Misuse> for Broken {
    fn from(misuse: Misuse) -> Self {
        Self::Journal(misuse)
    }
}

/// One thing that must not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "`what` says it")]
pub enum Clause {
    CapturedTwice,
    CapturedIsFalse,
    MoneyMoved,
    MoneyMayMove,
    OtherCapture,
    NoNextStep,
    NoKeyAge,
    TooManySends,
    TooManyLogins,
    TooLate,
    UnlikeTheFirst,
    AgainUnderNever,
    AgainWithOldKey,
    DoubtForgotten,
    DoubtOverruled,
    EchoBelieved,
    OtherOrigin,
    PersonalData,
    SentUnclaimed,
    HandedOutTwice,
    ToldUnrecorded,
    ToldOverruled,
    /// Judged on the whole graph, not on a step.
    Spins,
}

impl Clause {
    /// All of them, in the order in which a step is judged.
    pub const ALL: [Self; 23] = [
        Self::CapturedTwice,
        Self::CapturedIsFalse,
        Self::MoneyMoved,
        Self::MoneyMayMove,
        Self::EchoBelieved,
        Self::UnlikeTheFirst,
        Self::AgainUnderNever,
        Self::AgainWithOldKey,
        Self::OtherOrigin,
        Self::TooManySends,
        Self::TooManyLogins,
        Self::TooLate,
        Self::DoubtForgotten,
        Self::DoubtOverruled,
        Self::OtherCapture,
        Self::NoNextStep,
        Self::NoKeyAge,
        Self::PersonalData,
        Self::SentUnclaimed,
        Self::HandedOutTwice,
        Self::ToldUnrecorded,
        Self::ToldOverruled,
        Self::Spins,
    ];

    /// The invariant that it belongs to, or the rule.
    #[must_use]
    pub fn invariant(self) -> &'static str {
        match self {
            Self::CapturedTwice => "I1",
            Self::CapturedIsFalse => "I2",
            Self::MoneyMoved | Self::MoneyMayMove | Self::EchoBelieved => "I3",
            Self::OtherCapture | Self::NoNextStep | Self::NoKeyAge => "I4",
            Self::TooManySends | Self::TooManyLogins | Self::TooLate => "I5",
            Self::UnlikeTheFirst => "I6",
            Self::AgainUnderNever | Self::AgainWithOldKey => "R7",
            Self::DoubtForgotten | Self::DoubtOverruled => "I9",
            Self::SentUnclaimed => "I7",
            Self::ToldUnrecorded | Self::ToldOverruled => "I8",
            Self::HandedOutTwice => "I15",
            Self::OtherOrigin => "I10",
            Self::PersonalData => "I11",
            Self::Spins => "I19",
        }
    }

    /// What was seen.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::CapturedTwice => "the order was captured twice by one intent",
            Self::CapturedIsFalse => "\"captured\", and the order is not",
            Self::MoneyMoved => "\"not captured\", and the money moved",
            Self::MoneyMayMove => "\"not captured\", and a request on its way can still capture",
            Self::EchoBelieved => {
                "\"not captured\", and the API refused because somebody else had captured the order"
            }
            Self::OtherCapture => "the outcome names another capture",
            Self::NoNextStep => "the outcome does not name the next step",
            Self::NoKeyAge => "the ticket does not know when its key was first sent",
            Self::TooManySends => "sent more often than allowed",
            Self::TooManyLogins => "more logins than refused tokens and failed logins",
            Self::TooLate => "it goes on after the deadline",
            Self::UnlikeTheFirst => "a send differs from the first one",
            Self::AgainUnderNever => "sent again in doubt, under Resend::Never",
            Self::AgainWithOldKey => "sent again in doubt, with a key older than a day",
            Self::DoubtForgotten => "doubt went away without evidence",
            Self::DoubtOverruled => "\"not captured\" after doubt, and the order is not cancelled",
            Self::OtherOrigin => "token and body go to another origin",
            Self::PersonalData => "personal data of the order is shown",
            Self::SentUnclaimed => "sent before its claim is durable",
            Self::HandedOutTwice => "what a living process holds is given to another one",
            Self::ToldUnrecorded => "an outcome is told, and the journal does not know it",
            Self::ToldOverruled => "an outcome was told, and now another one",
            Self::Spins => "events can follow each other for ever without waiting",
        }
    }

    /// The broken client that shows that this clause fires, where it is the only one.
    #[must_use]
    pub fn broken_client(self) -> Broken {
        let mutant = match self {
            Self::SentUnclaimed => return Misuse::SendsBeforeItClaims.into(),
            Self::HandedOutTwice => return Misuse::TakesWhatIsHeld.into(),
            Self::ToldUnrecorded | Self::ToldOverruled => {
                return Misuse::TellsBeforeItIsDurable.into();
            }
            Self::CapturedTwice | Self::UnlikeTheFirst => Mutant::NewKeyPerSend,
            Self::CapturedIsFalse => Mutant::SuccessByStatusAlone,
            Self::MoneyMoved => Mutant::ServerErrorIsFailure,
            Self::MoneyMayMove => Mutant::TimeoutIsFailure,
            Self::EchoBelieved => Mutant::ConfirmsOnce,
            Self::OtherCapture => Mutant::RebuildsTheCapture,
            Self::NoNextStep => Mutant::SaysNoNextStep,
            Self::NoKeyAge => Mutant::ForgetsKeyAge,
            Self::TooManySends => Mutant::SendsWithoutLimit,
            Self::TooManyLogins => Mutant::LogsInPerSend,
            Self::TooLate => Mutant::IgnoresTheDeadline,
            Self::AgainUnderNever => Mutant::ResendsUnderNever,
            Self::AgainWithOldKey => Mutant::ResendsOldKeys,
            Self::DoubtForgotten | Self::DoubtOverruled => Mutant::ForgetsDoubtOnResume,
            Self::OtherOrigin => Mutant::FollowsRedirect,
            Self::PersonalData => Mutant::ShowsTheReply,
            Self::Spins => Mutant::RetriesAtOnce,
        };
        mutant.into()
    }
}
