//! The token machine: one token for all captures, one login per refused token.
//!
//! It is plain state. A client keeps it behind a lock and holds that lock while a login is in
//! flight; whoever waits for the lock then finds the new token, or shares the failure.

use std::fmt;
use std::time::{Duration, Instant};

use crate::policy::retry_after;
use crate::transport::TransportError;
use crate::values::{BearerToken, Credentials};
use crate::wire::{Api, Request, Response, token};

/// Where bearer tokens come from, and the one in use.
#[derive(Debug, Clone)]
pub struct Tokens {
    source: Source,
    current: Option<Held>,
    /// When the last login failed, and how: shared with everybody who asked before that.
    denied: Option<(Instant, TokenError)>,
    login_began: Option<Instant>,
}

#[derive(Debug, Clone)]
enum Source {
    /// A token of the user's own: there is no other.
    Own,
    Login(Credentials),
}

#[derive(Debug, Clone)]
struct Held {
    token: BearerToken,
    /// `None`: until it is refused.
    good_until: Option<Instant>,
}

/// What to do to get a token.
#[must_use]
#[allow(
    clippy::large_enum_variant,
    reason = "one value exists at a time, and it lives on the stack"
)]
pub enum TokenAction {
    /// Use this one.
    Use(BearerToken),
    /// Send this login, and hand the answer to [`Tokens::answered`].
    Login(Request),
    /// There is none to be had.
    Fail(TokenError),
}

/// A login's body holds the secret.
impl fmt::Debug for TokenAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Use(token) => f.debug_tuple("Use").field(token).finish(),
            Self::Login(_) => f.write_str("Login(hidden)"),
            Self::Fail(why) => f.debug_tuple("Fail").field(why).finish(),
        }
    }
}

/// Why there is no bearer token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The API refused the key and secret (it answers 400, not 401).
    #[error(
        "the API refused the credentials (status {0}); check app key, app secret and environment"
    )]
    Credentials(u16),
    /// The token was refused, and there is no other: it was the user's own, or the login gave the
    /// same one again.
    #[error("the bearer token was refused, and there is no other one to try")]
    NoOther,
    /// Too many sends of this client were repeats lately; this one waits for better times.
    #[error("the client's retry budget is used up")]
    RetryBudget,
    /// The login answered with something that holds no usable token.
    #[error("the login answered with status {0} and no usable token")]
    NoToken(u16),
    /// The login cannot leave this machine (a certificate that does not verify).
    #[error("the login cannot be sent: {0}")]
    NeverSent(String),
    /// The login could not be completed now; later it may.
    #[error("the login failed: {why}")]
    Unavailable {
        /// What happened.
        why: String,
        /// How long the API asked to wait.
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

impl Tokens {
    /// One token of the user's own.
    #[must_use]
    pub fn own(token: BearerToken) -> Self {
        let current = Some(Held { token, good_until: None });
        Self { source: Source::Own, current, denied: None, login_began: None }
    }

    /// Tokens obtained with key and secret, when they are needed.
    #[must_use]
    pub fn login(credentials: Credentials) -> Self {
        Self { source: Source::Login(credentials), current: None, denied: None, login_began: None }
    }

    /// A token other than `refused`, or the way to get one.
    ///
    /// `asked` is when the caller began to want it, before it waited for any lock; `now` is now. A
    /// caller who waited through somebody else's failed login gets that failure, not a login of its
    /// own, so that a thousand captures make one login.
    pub fn ask(
        &mut self,
        api: &Api,
        refused: Option<&BearerToken>,
        asked: Instant,
        now: Instant,
    ) -> TokenAction {
        if let Some(held) = &self.current {
            let fresh = held.good_until.is_none_or(|until| now < until);
            if fresh && Some(&held.token) != refused {
                return TokenAction::Use(held.token.clone());
            }
            if matches!(self.source, Source::Login(_)) {
                self.current = None; // nobody else need be refused with it
            }
        }
        if let Some((at, denied)) = &self.denied {
            if *at >= asked {
                return TokenAction::Fail(denied.clone());
            }
        }
        match &self.source {
            Source::Own => TokenAction::Fail(TokenError::NoOther),
            Source::Login(credentials) => {
                self.login_began = Some(now);
                TokenAction::Login(token::request(api, credentials))
            }
        }
    }

    /// Takes the answer to a login.
    ///
    /// # Errors
    /// Why it gave no token. Everybody who asked before `now` will share it.
    pub fn answered(
        &mut self,
        answer: &Result<Response, TransportError>,
        now: Instant,
    ) -> Result<BearerToken, TokenError> {
        let began = self.login_began.take().unwrap_or(now);
        match read(answer) {
            Ok(grant) => {
                // The margin covers the way to the server; a short life gets a small one.
                let margin = (grant.lifetime / 5).min(Duration::from_secs(30));
                let good_until = began.checked_add(grant.lifetime - margin);
                self.current = Some(Held { token: grant.token.clone(), good_until });
                self.denied = None;
                Ok(grant.token)
            }
            Err(denied) => {
                self.denied = Some((now, denied.clone()));
                Err(denied)
            }
        }
    }
}

fn read(answer: &Result<Response, TransportError>) -> Result<token::Grant, TokenError> {
    let unavailable = |why, retry_after| TokenError::Unavailable { why, retry_after };
    let response = match answer {
        Ok(response) => response,
        Err(lost) if lost.is_lasting() => {
            return Err(TokenError::NeverSent(lost.detail(std::iter::empty())));
        }
        Err(lost) => {
            return Err(unavailable(format!("{lost} ({})", lost.detail(std::iter::empty())), None));
        }
    };
    if let Some(grant) = token::read_reply(response) {
        return Ok(grant);
    }
    let status = response.status();
    Err(match status.as_u16() {
        408 | 425 | 429 | 500..=599 => {
            unavailable(format!("status {}", status.as_u16()), retry_after(response.headers()))
        }
        refused @ 400..=499 => TokenError::Credentials(refused),
        other => TokenError::NoToken(other),
    })
}
