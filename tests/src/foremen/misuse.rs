//! Mistakes that a foreman or its driver could make; each must be caught.

use super::order::Rule;
use super::trouble::Trouble;
use crate::leases::Broken;

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
    /// A store that judges leases by the clock of the host that asks.
    LeasesByTheHostsClock,
    /// A store in which a holder whose lease ran out goes on under its old number.
    GoesOnUnderItsOldNumber,
    /// A store in which no lease ever runs out.
    BuriesNobody,
    /// A store that believes a late *not captured*, as if its holder still held the capture.
    BelievesALateNo,
    /// A store that makes nothing of a late *captured*.
    DropsALateYes,
    /// After a stall it starts what it had claimed before.
    DoesNotAskAfterAStall,
    /// Takes a COMMIT without an answer for one that took place.
    TakesSilenceForYes,
    /// Sends at the whole rate, however many share it.
    IgnoresTheSharers,
    /// Believes for ever how many shared the rate when it came.
    HearsOfSharersOnce,
}

impl Misuse {
    /// All of them.
    pub const ALL: [Self; 22] = [
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
        Self::LeasesByTheHostsClock,
        Self::GoesOnUnderItsOldNumber,
        Self::BuriesNobody,
        Self::BelievesALateNo,
        Self::DropsALateYes,
        Self::DoesNotAskAfterAStall,
        Self::TakesSilenceForYes,
        Self::IgnoresTheSharers,
        Self::HearsOfSharersOnce,
    ];

    /// How the store is broken, where it is.
    pub(crate) fn of_the_store(self) -> Option<Broken> {
        Some(match self {
            Self::LeasesByTheHostsClock => Broken::LeasesByTheHostsClock,
            Self::GoesOnUnderItsOldNumber => Broken::GoesOnUnderItsOldNumber,
            Self::BuriesNobody => Broken::BuriesNobody,
            Self::BelievesALateNo => Broken::BelievesALateNo,
            Self::DropsALateYes => Broken::DropsALateYes,
            _ => return None,
        })
    }

    /// The trouble of many hosts without which it does no harm.
    #[must_use]
    pub fn is_shown_by(self) -> &'static [Trouble] {
        match self {
            Self::LeasesByTheHostsClock => &[Trouble::ClocksOff, Trouble::ClockJumps],
            Self::BuriesNobody => {
                &[Trouble::Dies, Trouble::CommitLost, Trouble::Stalls, Trouble::CutOff]
            }
            Self::GoesOnUnderItsOldNumber
            | Self::BelievesALateNo
            | Self::DropsALateYes
            | Self::DoesNotAskAfterAStall => &[Trouble::Stalls, Trouble::CutOff],
            Self::TakesSilenceForYes => &[Trouble::CommitLost],
            _ => &[],
        }
    }

    /// The rule that it breaks.
    #[must_use]
    pub fn breaks(self) -> Rule {
        match self {
            Self::SendsBeforeTheTurnReturns => Rule::ClaimedBeforeSent,
            Self::ForgetsItsClaims | Self::BuriesNobody => Rule::EveryOneDecided,
            Self::StartsAfresh => Rule::NeverAfresh,
            Self::ThrottledIsFinal => Rule::True,
            Self::TellsBeforeItIsRecorded | Self::TakesSilenceForYes => Rule::RecordedBeforeTold,
            Self::StartsAfterTheStop => Rule::NothingAfterTheStop,
            Self::DoesNotSlowDown => Rule::SlowsDown,
            Self::RunsTooMany => Rule::AtMostSoMany,
            Self::ClaimsTooMany => Rule::FewInDoubtAfterACrash,
            Self::WaitsForTheOneInDoubt => Rule::DelaysNoOther,
            Self::SendsIntoTheOutage => Rule::FewInAnOutage,
            Self::Leaves => Rule::Stays,
            Self::IgnoresWhatArrives => Rule::TakenSoon,
            Self::LeasesByTheHostsClock
            | Self::GoesOnUnderItsOldNumber
            | Self::DoesNotAskAfterAStall => Rule::CapturedOnce,
            Self::BelievesALateNo => Rule::LateNoDecidesNothing,
            Self::DropsALateYes => Rule::LateYesCounts,
            Self::IgnoresTheSharers | Self::HearsOfSharersOnce => Rule::SharedRate,
        }
    }
}
