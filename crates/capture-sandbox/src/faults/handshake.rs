//! What a script does to TLS handshakes, if the sandbox serves TLS.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::faults::times;

/// What a client meets when it begins a TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Handshake {
    /// A certificate from an authority that the client does not know.
    UnknownAuthority,
    /// A certificate that has expired.
    Expired,
    /// A certificate for another host.
    WrongHost,
    /// The connection is closed.
    Close,
    /// The connection is reset (RST).
    Reset,
    /// Silence until the client goes away.
    Hang,
}

impl fmt::Display for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownAuthority => "certificate from an unknown authority",
            Self::Expired => "expired certificate",
            Self::WrongHost => "certificate for another host",
            Self::Close => "closed",
            Self::Reset => "reset",
            Self::Hang => "held open",
        })
    }
}

/// How many handshakes pass first, and what the next ones meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandshakeRule {
    #[serde(default)]
    pub(crate) skip: u32,
    #[serde(default = "times::once", with = "times")]
    pub(crate) times: u32,
    #[serde(rename = "do")]
    pub(crate) meets: Handshake,
}
