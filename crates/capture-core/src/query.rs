//! What only reads: each request is sent once, and up to twice more if its token was refused.

use std::time::Duration;

use http::StatusCode;

use crate::mask;
use crate::policy::ISSUER_AHEAD;
use crate::shared::TokenRequest;
use crate::token_error::TokenError;
use crate::transport::TransportError;
use crate::values::BearerToken;
use crate::wire::{Request, Response};

/// A question to the API that changes nothing: the status of an order, or a list of them.
pub trait Query {
    /// What it ends with.
    type Answer;

    /// What it needs before it is sent: a token, other than the one that was refused.
    #[must_use]
    fn token_request(&self) -> TokenRequest<'_>;

    /// The request to send.
    fn request(&mut self, token: BearerToken) -> Request;

    /// Takes the reply, or why there is none.
    fn received(&mut self, reply: Result<Response, TransportError>) -> QueryStep<Self::Answer>;

    /// Takes the error of a login. If there is no other token than the refused one, that one is tried
    /// once more.
    fn no_token(&mut self, error: TokenError) -> QueryStep<Self::Answer>;
}

/// What to do after a reply.
#[derive(Debug)]
#[must_use]
pub enum QueryStep<A> {
    /// Wait this long, get the token that is asked for, and send what is asked for then.
    Again(Duration),
    /// The end.
    Done(A),
}

/// The tokens of one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asking {
    token: Option<BearerToken>,
    refused: Option<BearerToken>,
    /// How often the token was refused: another one is tried, then that one once more.
    refusals: u32,
}

/// What came of a request.
pub(crate) enum Came {
    /// Its token was refused: it is sent again after this long.
    Again(Duration),
    /// A reply, in which no token is shown.
    Reply(Response),
    /// No complete reply.
    Nothing(TransportError),
}

impl Asking {
    pub(crate) fn token_request(&self) -> TokenRequest<'_> {
        let refused = self.refused.as_ref().filter(|_| self.refusals == 1);
        TokenRequest { refused, resend: false }
    }

    /// The request leaves, with this token.
    pub(crate) fn sends(&mut self, token: BearerToken) {
        self.token = Some(token);
    }

    /// The next request is another one: its token may be refused afresh.
    pub(crate) fn next(&mut self) {
        self.refusals = 0;
    }

    pub(crate) fn received(&mut self, reply: Result<Response, TransportError>) -> Came {
        let tokens = [&self.token, &self.refused].into_iter().flatten();
        let mut response = match reply {
            Ok(response) => response,
            Err(error) => return Came::Nothing(mask::transport_error(error, tokens)),
        };
        for token in tokens {
            mask::response(&mut response, token);
        }
        if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            self.refusals += 1;
            match self.refusals {
                1 => {
                    self.refused = self.token.take();
                    return Came::Again(Duration::ZERO);
                }
                2 => return Came::Again(ISSUER_AHEAD),
                _ => {}
            }
        }
        Came::Reply(response)
    }

    /// How long to wait before the refused token is tried once more.
    ///
    /// # Errors
    /// The login's error, if that does not help.
    pub(crate) fn no_token(&mut self, error: TokenError) -> Result<Duration, TokenError> {
        if error == TokenError::NoOther && self.refusals == 1 {
            self.refusals = 2;
            return Ok(ISSUER_AHEAD);
        }
        Err(error)
    }
}
