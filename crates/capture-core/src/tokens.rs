//! The token machine: one token for all captures, one login per refused token.
//!
//! It is plain state. A client keeps it behind a lock, and lets one login be in flight at a time;
//! callers that waited for it then find the new token, or share the failure.

use std::fmt;
use std::time::Duration;

use http::header::CONTENT_TYPE;

use crate::attempt::{Attempt, Finding, Operation, Phase};
use crate::mask;
use crate::time::Now;
use crate::token_error::TokenError;
use crate::transport::{Delivery, TransportError};
use crate::values::{BearerToken, Credentials};
use crate::wire::{Api, Request, Response, retry_after, token};

/// Where bearer tokens come from, and the one in use.
#[derive(Debug)]
pub struct Tokens {
    source: Source,
    current: Option<Held>,
    /// When the last login failed, and how: shared with every caller that asked before.
    failed: Option<(Now, TokenError)>,
}

#[derive(Debug)]
enum Source {
    /// A token that the user gave: there is no other.
    Own,
    Login(Credentials),
}

#[derive(Debug)]
struct Held {
    token: BearerToken,
    /// By the monotonic clock; `None`: until it is refused.
    good_until: Option<Duration>,
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
    /// Send this login, and hand the reply to [`Tokens::logged_in`]. Its body holds the secret.
    Login(Request, Login),
    /// No token is available.
    Fail(TokenError),
}

/// A login that is about to be sent.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Login {
    began: Now,
}

/// A login's body holds the secret.
impl fmt::Debug for TokenAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Use(token) => f.debug_tuple("Use").field(token).finish(),
            Self::Login(..) => f.write_str("Login(hidden)"),
            Self::Fail(error) => f.debug_tuple("Fail").field(error).finish(),
        }
    }
}

impl Tokens {
    /// One token of your own.
    #[must_use]
    pub fn own(token: BearerToken) -> Self {
        let current = Some(Held { token, good_until: None });
        Self { source: Source::Own, current, failed: None }
    }

    /// Tokens obtained with key and secret, when they are needed.
    #[must_use]
    pub fn login(credentials: Credentials) -> Self {
        Self { source: Source::Login(credentials), current: None, failed: None }
    }

    /// A token other than `refused`, or the way to get one.
    ///
    /// `asked` is when the caller first asked, before it waited for any lock; `now` is the present. A
    /// caller that waited through another caller's failed login shares that failure instead of
    /// logging in itself, so that a thousand captures make one login.
    pub fn ask(
        &mut self,
        api: &Api,
        refused: Option<&BearerToken>,
        asked: Now,
        now: Now,
    ) -> TokenAction {
        if let Some(held) = &self.current {
            let fresh = held.good_until.is_none_or(|until| now.monotonic() < until);
            if fresh && Some(&held.token) != refused {
                return TokenAction::Use(held.token.clone());
            }
            if matches!(self.source, Source::Login(_)) {
                self.current = None; // so that no other caller is refused with it
            }
        }
        if let Some((at, error)) = &self.failed {
            if at.monotonic() >= asked.monotonic() {
                return TokenAction::Fail(error.clone());
            }
        }
        match &self.source {
            Source::Own => TokenAction::Fail(TokenError::NoOther),
            Source::Login(credentials) => {
                TokenAction::Login(token::request(api, credentials), Login { began: now })
            }
        }
    }

    /// Takes the reply to a login: the token or why there is none, and the record of the exchange.
    ///
    /// Every caller that asked before `now` shares a failure.
    pub fn logged_in(
        &mut self,
        login: Login,
        reply: &Result<Response, TransportError>,
        now: Now,
    ) -> (Result<BearerToken, TokenError>, Attempt) {
        let result = read(reply).map(|grant| {
            // The margin covers the time to reach the server; a short-lived token has a small one.
            let margin = (grant.lifetime / 5).min(Duration::from_secs(30));
            let good_until = login.began.monotonic().checked_add(grant.lifetime - margin);
            self.current = Some(Held { token: grant.token.clone(), good_until });
            grant.token
        });
        self.failed = result.as_ref().err().map(|error| (now, error.clone()));
        let attempt = record(login, reply, &result, now);
        (result, attempt)
    }
}

fn record(
    login: Login,
    reply: &Result<Response, TransportError>,
    result: &Result<BearerToken, TokenError>,
    now: Now,
) -> Attempt {
    let (phase, head) = match reply {
        Ok(reply) => (Phase::Replied, Some((reply.status(), reply.headers()))),
        Err(error) => (phase(error), error.head()),
    };
    let finding = match result {
        Ok(_) => Finding::Token,
        Err(error) => Finding::NoToken(error.clone()),
    };
    Attempt::new(Operation::Login, phase, head, (login.began, now), finding)
}

/// How far a request without a complete reply got.
pub(crate) fn phase(error: &TransportError) -> Phase {
    match (error.delivery(), error.head()) {
        (Delivery::NotSent, _) => Phase::NotSent,
        (Delivery::MaybeSent, None) => Phase::MaybeSent,
        (Delivery::MaybeSent, Some(_)) => Phase::CutReply,
    }
}

fn read(reply: &Result<Response, TransportError>) -> Result<token::Grant, TokenError> {
    let response = match reply {
        Ok(response) => response,
        Err(error) => {
            let detail = mask::one_line(error.cause(), std::iter::empty());
            return Err(match (error.delivery(), error.is_lasting()) {
                (Delivery::NotSent, true) => TokenError::NeverSent(detail),
                (Delivery::NotSent, false) => TokenError::NotSent(detail),
                (Delivery::MaybeSent, _) => TokenError::NoReply(format!("{error} ({detail})")),
            });
        }
    };
    if let Some(grant) = token::read_reply(response) {
        return Ok(grant);
    }
    let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
    let is_page = is_page(response);
    Err(match status {
        429 => TokenError::Throttled { retry_after },
        408 | 425 | 500 | 502..=504 | 506..=599 if is_page => {
            TokenError::Page { status, retry_after }
        }
        408 | 425 | 500 | 502..=504 | 506..=599 => {
            TokenError::Unavailable { why: format!("status {status}"), retry_after }
        }
        403 => TokenError::Blocked(status),
        400 | 401 | 422 if !is_page => TokenError::Credentials(status),
        200..=299 if !is_page => TokenError::NoToken(status),
        // A missing route, a redirect, a page: this is not the API, or not its login.
        other => TokenError::NotTheApi(other),
    })
}

/// Whether the reply is a page for people. The API sends none.
fn is_page(response: &Response) -> bool {
    let declared = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_html =
        declared.is_some_and(|it| it.trim_start().to_ascii_lowercase().starts_with("text/html"));
    is_html || response.body().trim_ascii_start().starts_with(b"<")
}
