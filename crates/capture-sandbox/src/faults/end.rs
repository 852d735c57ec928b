//! How and where a connection ends.

use serde::{Deserialize, Serialize};

use crate::faults::error_code::ErrorCode;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// Cleanly: the client reads the end of the stream.
    Close,
    /// With a reset (RST): the client gets an error.
    Reset,
    /// Not at all: nothing more is sent until the client goes away.
    Hang,
    /// Over HTTP/2 only the stream of this request ends, with RST_STREAM; over HTTP/1.1 this is
    /// [`End::Close`].
    RstStream(ErrorCode),
    /// Over HTTP/2 with GOAWAY; over HTTP/1.1 this is [`End::Close`].
    GoAway(ErrorCode, LastStream),
}

/// Which streams a GOAWAY says may have been processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LastStream {
    /// This request's stream and those before it.
    #[default]
    This,
    /// Only those before this request's.
    Earlier,
}

impl End {
    pub(crate) fn words(self) -> String {
        match self {
            Self::Close => "closed".into(),
            Self::Reset => "reset".into(),
            Self::Hang => "held open".into(),
            Self::RstStream(code) => format!("stream reset ({code})"),
            Self::GoAway(code, LastStream::This) => format!("GOAWAY ({code})"),
            Self::GoAway(code, LastStream::Earlier) => {
                format!("GOAWAY ({code}, as if the request was never seen)")
            }
        }
    }
}

/// Where in an exchange the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    BeforeReading,
    AfterReading,
    MidHead,
    MidBody,
    AfterReply,
}

impl Place {
    /// Whether it comes before any part of a reply.
    pub(crate) fn is_before_reply(self) -> bool {
        matches!(self, Self::BeforeReading | Self::AfterReading)
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::BeforeReading => "before reading",
            Self::AfterReading => "without a reply",
            Self::MidHead => "in the middle of the head",
            Self::MidBody => "in the middle of the body",
            Self::AfterReply => "after the reply",
        }
    }
}
