//! Why there is no bearer token.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why there is no bearer token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenError {
    /// The API refused the key and secret (with 400, not 401).
    #[error(
        "the API refused the credentials (status {0}); check app key, app secret and environment"
    )]
    Credentials(u16),
    /// The token was refused, and there is no other: you gave it yourself, or the login
    /// returned the same one again.
    #[error("the bearer token was refused, and there is no other one to try")]
    NoOther,
    /// The reply to the login holds no usable token.
    #[error("the reply to the login (status {0}) holds no usable token")]
    NoToken(u16),
    /// The login cannot be sent (a certificate that does not verify).
    #[error("the login cannot be sent: {0}")]
    NeverSent(String),
    /// The login could not be completed now; later it may.
    #[error("the login failed: {why}")]
    Unavailable {
        /// What happened.
        why: String,
        /// How long the API asked to wait.
        #[serde(rename = "retry_after_s", with = "crate::seconds")]
        retry_after: Option<Duration>,
    },
}

impl TokenError {
    /// Whether trying again soon cannot help.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        !matches!(self, Self::Unavailable { .. })
    }
}
