//! What can go wrong with one request on its way.

use std::time::Duration;

use super::chance::Chance;
use super::trouble::Trouble;

/// A fault of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is refused: provably not sent.
    Refused,
    /// The request gets lost.
    RequestLost,
    /// The request arrives much later.
    RequestLate(Duration),
    /// The request arrives twice.
    RequestTwice(Duration),
    /// The reply gets lost.
    ReplyLost,
    /// The connection ends before the reply.
    EndOfFile,
    /// The reply breaks off.
    ReplyCut,
    /// The reply takes long.
    ReplyLate(Duration),
    /// The gateway gives up after the server did its work.
    GatewayAfter(u16),
    /// The gateway turns the request away with something that proves nothing.
    GatewayBefore(u16),
    /// A proxy answers in HTML.
    Html,
    /// The gateway throttles.
    Throttled(u16),
}

impl Fault {
    /// The fault of request `n`, if it has one.
    pub(crate) fn of(chance: Chance, n: u64) -> Option<Self> {
        if !chance.once_in(3, "fault", n) {
            return None;
        }
        let gateway =
            [500, 502, 503, 504][usize::try_from(chance.below(4, "status", n)).unwrap_or(0)];
        Some(match chance.below(13, "kind", n) {
            0 => Self::Refused,
            1 => Self::RequestLost,
            2 => Self::RequestLate(chance.millis(1_000, 90_000, "late", n)),
            3 => Self::RequestTwice(chance.millis(1, 60_000, "late", n)),
            4 | 5 => Self::ReplyLost,
            6 => Self::EndOfFile,
            7 => Self::ReplyCut,
            8 => Self::ReplyLate(chance.millis(1_000, 50_000, "late", n)),
            9 => Self::GatewayAfter(gateway),
            10 => Self::GatewayBefore(gateway),
            11 => Self::Html,
            _ => Self::Throttled(u16::try_from(chance.below(90, "retry", n)).unwrap_or(1)),
        })
    }

    /// Its kind.
    pub(crate) fn kind(self) -> Trouble {
        match self {
            Self::Refused => Trouble::ConnectionRefused,
            Self::RequestLost => Trouble::RequestLost,
            Self::RequestLate(_) => Trouble::RequestLate,
            Self::RequestTwice(_) => Trouble::RequestTwice,
            Self::ReplyLost => Trouble::ReplyLost,
            Self::EndOfFile => Trouble::EndOfFile,
            Self::ReplyCut => Trouble::ReplyCut,
            Self::ReplyLate(_) => Trouble::ReplyLate,
            Self::GatewayAfter(_) => Trouble::GatewayErrorAfter,
            Self::GatewayBefore(_) => Trouble::GatewayError,
            Self::Html => Trouble::Html,
            Self::Throttled(_) => Trouble::Throttled,
        }
    }
}
