//! Everything that can trouble a run, as one list: each can be switched off, and must be missed then.

/// A kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "`name` says it")]
pub enum Trouble {
    ConnectionRefused,
    RequestLost,
    RequestLate,
    RequestTwice,
    ReplyLost,
    EndOfFile,
    ReplyCut,
    ReplyLate,
    GatewayErrorAfter,
    GatewayError,
    Html,
    Throttled,
    ServerDown,
    ProcessDies,
    /// A process is away for more than a day, and so is its order's window.
    DayAway,
    OrderCancelled,
    WrongAmount,
    TwoProcesses,
    /// A process goes on sending although others believe that it has ended.
    HoldLost,
    /// Another life of a process has another clock.
    ClockOff,
    /// A clock is set while its process runs.
    ClockJumps,
    NoResends,
    NoLookups,
    /// A process stands still, and perhaps loses its lease meanwhile.
    Stalls,
    /// A process that died is believed to live until its lease runs out.
    BelievedAlive,
    /// The connection to the journal is lost in COMMIT: the turn took place, or did not.
    CommitLost,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::ConnectionRefused,
        Self::RequestLost,
        Self::RequestLate,
        Self::RequestTwice,
        Self::ReplyLost,
        Self::EndOfFile,
        Self::ReplyCut,
        Self::ReplyLate,
        Self::GatewayErrorAfter,
        Self::GatewayError,
        Self::Html,
        Self::Throttled,
        Self::ServerDown,
        Self::ProcessDies,
        Self::DayAway,
        Self::OrderCancelled,
        Self::WrongAmount,
        Self::TwoProcesses,
        Self::HoldLost,
        Self::ClockOff,
        Self::ClockJumps,
        Self::NoResends,
        Self::NoLookups,
        Self::Stalls,
        Self::BelievedAlive,
        Self::CommitLost,
    ];

    /// What to call it when it is counted.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ConnectionRefused => "fault: connection refused",
            Self::RequestLost => "fault: request lost",
            Self::RequestLate => "fault: request late",
            Self::RequestTwice => "fault: request twice",
            Self::ReplyLost => "fault: reply lost",
            Self::EndOfFile => "fault: end of file",
            Self::ReplyCut => "fault: reply cut",
            Self::ReplyLate => "fault: reply late",
            Self::GatewayErrorAfter => "fault: gateway error after the effect",
            Self::GatewayError => "fault: gateway error",
            Self::Html => "fault: HTML",
            Self::Throttled => "fault: throttled",
            Self::ServerDown => "requests to a server that is down",
            Self::ProcessDies => "processes died",
            Self::DayAway => "processes away for a day",
            Self::OrderCancelled => "orders cancelled",
            Self::WrongAmount => "captures of a wrong amount",
            Self::TwoProcesses => "orders of two processes",
            Self::HoldLost => "processes that lost their hold",
            Self::ClockOff => "lives with a clock that is off",
            Self::ClockJumps => "clocks that jump",
            Self::NoResends => "captures under Resend::Never",
            Self::NoLookups => "captures without lookups",
            Self::Stalls => "processes that stood still",
            Self::BelievedAlive => "dead processes that were believed to live",
            Self::CommitLost => "answers to COMMIT lost",
        }
    }
}
