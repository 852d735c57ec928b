//! The error codes of HTTP/2.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why an HTTP/2 stream or connection ends (RFC 9113, section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the standard's own words")]
pub enum ErrorCode {
    NoError = 0x0,
    ProtocolError = 0x1,
    InternalError = 0x2,
    FlowControlError = 0x3,
    SettingsTimeout = 0x4,
    StreamClosed = 0x5,
    FrameSizeError = 0x6,
    RefusedStream = 0x7,
    Cancel = 0x8,
    CompressionError = 0x9,
    ConnectError = 0xa,
    EnhanceYourCalm = 0xb,
    InadequateSecurity = 0xc,
    #[serde(rename = "http-1-1-required")]
    Http11Required = 0xd,
}

impl ErrorCode {
    /// The number in a frame.
    pub(crate) fn number(self) -> u32 {
        self as u32
    }
}

impl fmt::Display for ErrorCode {
    /// As in a script: `refused-stream`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
