//! Mistakes that a foreman or its driver could make; each must be caught.

use super::order::Rule;

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misuse {
    /// Starts what a turn claims while that turn is still under way.
    SendsBeforeTheTurnReturns,
    /// Loses what it claimed and has not started.
    ForgetsItsClaims,
    /// Starts afresh what may have been sent.
    StartsAfresh,
    /// Records a throttled capture as refused.
    ThrottledIsFinal,
    /// Tells an outcome before the turn that records it.
    TellsBeforeItIsRecorded,
    /// Begins further captures after it was stopped.
    StartsAfterTheStop,
    /// Does not hear that it is throttled.
    DoesNotSlowDown,
    /// Runs twice as many at once as it may.
    RunsTooMany,
    /// Claims the whole list at once.
    ClaimsTooMany,
    /// Waits for one in doubt before it goes on with the others.
    WaitsForTheOneInDoubt,
    /// Goes on sending while the API is out of order.
    SendsIntoTheOutage,
    /// A service that ends once nothing is left, or when an outage lasts.
    Leaves,
    /// A service that does not look for what arrives while nothing else is due.
    IgnoresWhatArrives,
}

impl Misuse {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::SendsBeforeTheTurnReturns,
        Self::ForgetsItsClaims,
        Self::StartsAfresh,
        Self::ThrottledIsFinal,
        Self::TellsBeforeItIsRecorded,
        Self::StartsAfterTheStop,
        Self::DoesNotSlowDown,
        Self::RunsTooMany,
        Self::ClaimsTooMany,
        Self::WaitsForTheOneInDoubt,
        Self::SendsIntoTheOutage,
        Self::Leaves,
        Self::IgnoresWhatArrives,
    ];

    /// Whether only a service can make it.
    #[must_use]
    pub fn is_of_a_service(self) -> bool {
        matches!(self, Self::Leaves | Self::IgnoresWhatArrives)
    }

    /// The rule that it breaks.
    #[must_use]
    pub fn breaks(self) -> Rule {
        match self {
            Self::SendsBeforeTheTurnReturns => Rule::ClaimedBeforeSent,
            Self::ForgetsItsClaims => Rule::EveryOneDecided,
            Self::StartsAfresh => Rule::NeverAfresh,
            Self::ThrottledIsFinal => Rule::True,
            Self::TellsBeforeItIsRecorded => Rule::RecordedBeforeTold,
            Self::StartsAfterTheStop => Rule::NothingAfterTheStop,
            Self::DoesNotSlowDown => Rule::SlowsDown,
            Self::RunsTooMany => Rule::AtMostSoMany,
            Self::ClaimsTooMany => Rule::FewInDoubtAfterACrash,
            Self::WaitsForTheOneInDoubt => Rule::DelaysNoOther,
            Self::SendsIntoTheOutage => Rule::FewInAnOutage,
            Self::Leaves => Rule::Stays,
            Self::IgnoresWhatArrives => Rule::TakenSoon,
        }
    }
}
