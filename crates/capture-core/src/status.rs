//! Reading the definitive status of one order, without a capture.

use http::StatusCode;

use crate::mask;
use crate::shared::TokenRequest;
use crate::token_error::TokenError;
use crate::transport::TransportError;
use crate::values::{BearerToken, OrderId};
use crate::wire::error::{ApiError, Shape};
use crate::wire::order::{self, NotTheOrder, OrderStatus};
use crate::wire::{Api, Request, Response};

/// A query for one order's status: it is sent once, and once more if the token was refused.
///
/// ```
/// use capture_core::{BearerToken, Environment, wire};
/// use capture_core::driver::{Api, StatusQuery};
/// let order = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
/// let mut query = StatusQuery::new(&Api::new(&Environment::Sandbox), order);
/// let request = query.request(BearerToken::new("token")?);
/// // ... send it; suppose that this is the reply:
/// let reply = wire::order::shown(order, wire::order::OrderStatus::Completed, Default::default());
/// let status = query.answered(Ok(reply)).expect("not a 401").expect("an order");
/// assert_eq!(status, wire::order::OrderStatus::Completed);
/// # Ok::<(), capture_core::Invalid>(())
/// ```
#[derive(Debug, Clone)]
pub struct StatusQuery {
    api: Api,
    order: OrderId,
    token: Option<BearerToken>,
    refused: Option<BearerToken>,
}

/// Why an order's status could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// There is no bearer token.
    #[error("no bearer token")]
    NoToken(#[from] TokenError),
    /// No complete reply came.
    #[error("no complete reply came")]
    NoReply(#[source] TransportError),
    /// The API refused two tokens in a row.
    #[error("the API refused the bearer token; check that it belongs to this environment")]
    Unauthorized,
    /// The API refused the request, for example because it does not know the order.
    #[error("the API refused the request (status {}); check the order id and the environment", .0.as_u16())]
    Refused(StatusCode, Vec<ApiError>),
    /// The reply describes this order, but not its status.
    #[error("the reply is unreadable: {0}")]
    Unreadable(NotTheOrder),
    /// The reply does not describe this order.
    #[error("the reply (status {}) does not describe this order; try again later", .0.as_u16())]
    NotTheOrder(StatusCode),
}

impl StatusQuery {
    /// A query for this order.
    #[must_use]
    pub fn new(api: &Api, order: OrderId) -> Self {
        Self { api: api.clone(), order, token: None, refused: None }
    }

    /// What it needs before it is sent: a token, other than the one that was refused.
    #[must_use]
    pub fn token_request(&self) -> TokenRequest<'_> {
        TokenRequest { refused: self.refused.as_ref(), resend: false }
    }

    /// The request to send.
    pub fn request(&mut self, token: BearerToken) -> Request {
        let request = order::request(&self.api, self.order, &token);
        self.token = Some(token);
        request
    }

    /// Takes the reply; `None` means: get another token and send again.
    pub fn answered(
        &mut self,
        reply: Result<Response, TransportError>,
    ) -> Option<Result<OrderStatus, StatusError>> {
        let tokens = [&self.token, &self.refused].into_iter().flatten();
        let mut response = match reply {
            Ok(response) => response,
            Err(error) => {
                return Some(Err(StatusError::NoReply(mask::transport_error(error, tokens))));
            }
        };
        for token in tokens {
            mask::response(&mut response, token);
        }
        match order::read_reply(self.order, &response) {
            Ok(status) => return Some(Ok(status)),
            Err(odd @ (NotTheOrder::Member(..) | NotTheOrder::Contradiction(_))) => {
                return Some(Err(StatusError::Unreadable(odd)));
            }
            Err(_) => {}
        }
        let status = response.status();
        if status == StatusCode::UNAUTHORIZED {
            if self.refused.is_some() {
                return Some(Err(StatusError::Unauthorized));
            }
            self.refused = self.token.take();
            return None;
        }
        Some(Err(match Shape::read(status, response.body()) {
            Some(Shape::Api(errors)) if status.is_client_error() => {
                StatusError::Refused(status, errors)
            }
            _ => StatusError::NotTheOrder(status),
        }))
    }
}
