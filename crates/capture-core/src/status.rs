//! Reading the definitive status of one order, without a capture.

use std::time::Duration;

use http::StatusCode;

use crate::cause::{self, Cause};
use crate::query::{Asking, Came, Query, QueryStep};
use crate::shared::TokenRequest;
use crate::text;
use crate::token_error::{TokenError, asked};
use crate::transport::{Delivery, TransportError};
use crate::values::{BearerToken, OrderId};
use crate::wire::error::{ApiError, Shape};
use crate::wire::order::{self, NotTheOrder, Order};
use crate::wire::{Api, Request, Response, retry_after};

/// A query for one order, as the API shows it.
///
/// ```
/// use capture_core::{BearerToken, Environment, wire};
/// use capture_core::driver::{Api, Query, QueryStep, StatusQuery};
/// let order = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
/// let mut query = StatusQuery::new(&Api::new(&Environment::Sandbox), order);
/// let request = query.request(BearerToken::new("token")?);
/// // ... send it; suppose that this is the reply:
/// let reply = wire::order::shown(order, wire::order::OrderStatus::Completed, Default::default());
/// let QueryStep::Done(order) = query.received(Ok(reply)) else { panic!("not refused") };
/// assert_eq!(order.expect("an order").status, wire::order::OrderStatus::Completed);
/// # Ok::<(), capture_core::Invalid>(())
/// ```
#[derive(Debug, Clone)]
pub struct StatusQuery {
    api: Api,
    order: OrderId,
    asking: Asking,
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
    #[error("the API refused the bearer token")]
    Unauthorized,
    /// The API refused the request, for example because it does not know the order.
    #[error("the API refused the request (status {})", .0.as_u16())]
    Refused(StatusCode, Vec<ApiError>),
    /// The API shows no order now; later it may.
    #[error("the API shows no order now (status {}){}", .0.as_u16(), asked(*.1))]
    Later(StatusCode, Option<Duration>),
    /// The reply describes this order, but not its status.
    #[error("the reply is unreadable: {0}")]
    Unreadable(NotTheOrder),
    /// The reply does not describe this order.
    #[error("the reply (status {}) does not describe this order", .0.as_u16())]
    NotTheOrder(StatusCode),
}

impl StatusError {
    /// The cause by its stable name.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::NoToken(error) => error.cause(),
            Self::NoReply(error) => not_sent(error).map_or("no_reply", |cause| cause.code),
            Self::Unauthorized => "unauthorized",
            Self::Refused(..) => "refused",
            Self::Later(StatusCode::TOO_MANY_REQUESTS, _) => "throttled",
            Self::Later(..) => "unavailable",
            Self::Unreadable(_) => "unreadable",
            Self::NotTheOrder(_) => "not_the_order",
        }
    }

    /// How long the API asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NoToken(error) => error.retry_after(),
            Self::Later(_, wait) => *wait,
            _ => None,
        }
    }

    /// What to do about it, in one clause.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NoToken(error) => error.advice(),
            Self::NoReply(error) => {
                not_sent(error).map_or(cause::CHECK_NETWORK, |cause| cause.advice)
            }
            Self::Unauthorized => cause::CHECK_CREDENTIALS,
            Self::Refused(..) => cause::CHECK_ORDER,
            Self::Later(..) => cause::WAIT_FOR_API,
            Self::Unreadable(_) => "Show this to FlexFactor's support",
            Self::NotTheOrder(_) => cause::CHECK_URL,
        }
    }
}

/// Why the query was not sent; `None` if it may have been.
fn not_sent(error: &TransportError) -> Option<&'static Cause> {
    (error.delivery() == Delivery::NotSent).then(|| cause::of(&text::chain(error)))
}

impl StatusQuery {
    /// A query for this order.
    #[must_use]
    pub fn new(api: &Api, order: OrderId) -> Self {
        Self { api: api.clone(), order, asking: Asking::default() }
    }
}

impl Query for StatusQuery {
    type Answer = Result<Order, StatusError>;

    fn token_request(&self) -> TokenRequest<'_> {
        self.asking.token_request()
    }

    fn request(&mut self, token: BearerToken) -> Request {
        let request = order::request(&self.api, self.order, &token);
        self.asking.sends(token);
        request
    }

    fn received(&mut self, reply: Result<Response, TransportError>) -> QueryStep<Self::Answer> {
        match self.asking.received(reply) {
            Came::Again(delay) => QueryStep::Again(delay),
            Came::Nothing(error) => QueryStep::Done(Err(StatusError::NoReply(error))),
            Came::Reply(response) => QueryStep::Done(read(self.order, &response)),
        }
    }

    fn no_token(&mut self, error: TokenError) -> QueryStep<Self::Answer> {
        match self.asking.no_token(error) {
            Ok(delay) => QueryStep::Again(delay),
            Err(error) => QueryStep::Done(Err(error.into())),
        }
    }
}

fn read(order: OrderId, response: &Response) -> Result<Order, StatusError> {
    match order::read_reply(order, response) {
        Ok(order) => return Ok(order),
        Err(odd @ (NotTheOrder::Member(..) | NotTheOrder::Contradiction(_))) => {
            return Err(StatusError::Unreadable(odd));
        }
        Err(_) => {}
    }
    Err(refused(response).unwrap_or(StatusError::NotTheOrder(response.status())))
}

/// What a reply says that shows nothing, if that is known.
pub(crate) fn refused(response: &Response) -> Option<StatusError> {
    let status = response.status();
    match (status.as_u16(), Shape::read(status, response.body())) {
        (401, _) => Some(StatusError::Unauthorized),
        (408 | 425 | 429 | 500..=599, _) => {
            Some(StatusError::Later(status, retry_after(response.headers())))
        }
        (400..=499, Some(Shape::Api(errors))) => Some(StatusError::Refused(status, errors)),
        _ => None,
    }
}
