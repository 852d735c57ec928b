//! Why there is no bearer token.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cause;

/// Why there is no bearer token. No capture was sent for want of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenError {
    /// The API refused the key and secret (with 400, not 401).
    #[error("the API refused the credentials (status {0})")]
    Credentials(u16),
    /// The token was refused, and there is no other: you gave it yourself, or the login
    /// returned the same one again.
    #[error("the bearer token was refused, and there is no other one to try")]
    NoOther,
    /// The reply to the login holds no usable token.
    #[error("the reply to the login (status {0}) holds no usable token")]
    NoToken(u16),
    /// The login was answered by something else: a page, a redirect, a missing route.
    #[error("the login was answered by something that is not the API (status {0})")]
    NotTheApi(u16),
    /// A gateway or a firewall refused the login before anybody looked at the credentials.
    #[error("the login was blocked (status {0}), as a firewall or a gateway does")]
    Blocked(u16),
    /// The API asked us to log in later.
    #[error("the API accepts no login now (status 429){}", asked(*retry_after))]
    Throttled {
        /// How long it asked to wait.
        #[serde(rename = "retry_after_s", with = "crate::seconds")]
        retry_after: Option<Duration>,
    },
    /// The login is out of order; later it may work.
    #[error("the login failed: {why}{}", asked(*retry_after))]
    Unavailable {
        /// What happened.
        why: String,
        /// How long the API asked to wait.
        #[serde(rename = "retry_after_s", with = "crate::seconds")]
        retry_after: Option<Duration>,
    },
    /// The login was answered by a page and a status that may pass: a firewall's challenge, a proxy,
    /// a site under maintenance.
    #[error("the login was answered by a page (status {status}) that a firewall or a proxy may have made{}", asked(*retry_after))]
    Page {
        /// The status of the reply.
        status: u16,
        /// How long it asked to wait.
        #[serde(rename = "retry_after_s", with = "crate::seconds")]
        retry_after: Option<Duration>,
    },
    /// No complete reply to the login came.
    #[error("the login got no complete reply: {0}")]
    NoReply(String),
    /// The login was not sent; later it may be.
    #[error("the login was not sent: {0}")]
    NotSent(String),
    /// The login cannot be sent (a certificate that does not verify).
    #[error("the login cannot be sent: {0}")]
    NeverSent(String),
}

impl TokenError {
    /// Whether trying again soon cannot help.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Throttled { .. }
            | Self::Unavailable { .. }
            | Self::Page { .. }
            | Self::NoReply(_)
            | Self::NotSent(_) => false,
            Self::Credentials(_)
            | Self::NoOther
            | Self::NoToken(_)
            | Self::NotTheApi(_)
            | Self::Blocked(_)
            | Self::NeverSent(_) => true,
        }
    }

    /// How long the API asked to wait before the next login.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after }
            | Self::Unavailable { retry_after, .. }
            | Self::Page { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// A short, stable name for logs and machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Credentials(_) => "credentials_refused",
            Self::NoOther => "token_refused",
            Self::NoToken(_) => "login_without_token",
            Self::NotTheApi(_) => "login_not_the_api",
            Self::Blocked(_) => "login_blocked",
            Self::Throttled { .. } => "login_throttled",
            Self::Unavailable { .. } => "login_unavailable",
            Self::Page { .. } => "login_page",
            Self::NoReply(_) => "login_no_reply",
            Self::NotSent(_) | Self::NeverSent(_) => "login_not_sent",
        }
    }

    /// The cause by its stable name: the code, or why the login was not sent.
    pub(crate) fn cause(&self) -> &'static str {
        match self {
            Self::NotSent(why) | Self::NeverSent(why) => cause::of(why).code,
            _ => self.code(),
        }
    }

    /// What to do about it, in one clause.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Credentials(_) => {
                "Check the app key and secret and that they belong to this environment"
            }
            Self::NoOther => {
                "Check the bearer token, its age and that it belongs to this environment"
            }
            Self::NoToken(_) => "Check the environment's URL and ask FlexFactor's support",
            Self::NotTheApi(_) => {
                "Check the environment (its URL does not lead to the API's login)"
            }
            Self::Blocked(_) => {
                "Check the environment's URL and ask those who run the firewall or FlexFactor's support to let this machine through"
            }
            Self::Throttled { .. } | Self::Unavailable { .. } => {
                "Wait until the API accepts logins"
            }
            Self::Page { .. } => {
                "Check whether a firewall or a proxy answers in place of the API, wait a little"
            }
            Self::NoReply(_) => "Check the network and the environment's URL",
            Self::NotSent(why) | Self::NeverSent(why) => cause::of(why).advice,
        }
    }
}

/// The wait that the API asked for, for the end of a sentence.
pub(crate) fn asked(wait: Option<Duration>) -> String {
    wait.map_or_else(String::new, |wait| format!("; it asks to wait {} s", wait.as_secs()))
}
