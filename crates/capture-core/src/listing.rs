//! Reading which orders wait for their capture, page by page.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use crate::cause;
use crate::query::{Asking, Came, Query, QueryStep};
use crate::shared::TokenRequest;
use crate::status::{StatusError, refused};
use crate::token_error::TokenError;
use crate::transport::TransportError;
use crate::values::{BearerToken, OrderId};
use crate::wire::order::OrderStatus;
use crate::wire::orders::{self, ListedOrder, NotAPage, Page, Sort};
use crate::wire::{Api, Request, Response};

/// So many orders are asked for at a time; with all that the API shows of an order, a page is about a
/// tenth of the longest reply that is read.
const ON_PAGE: u32 = 100;

/// Which of the waiting orders are read, and how many at most.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use capture_core::Search;
/// let week = SystemTime::now() - Duration::from_secs(7 * 24 * 60 * 60);
/// let search = Search { placed_from: Some(week), ..Search::default() };
/// # let _ = search;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search {
    /// Those that were placed at this time or later.
    pub placed_from: Option<SystemTime>,
    /// Those that were placed at this time or earlier, to the second.
    pub placed_to: Option<SystemTime>,
    /// After so many items of the list no further page is asked for: 100,000, unless changed. It bounds
    /// the requests and the memory.
    pub most: NonZeroU32,
}

impl Default for Search {
    fn default() -> Self {
        let most = const { NonZeroU32::new(100_000).expect("not 0") };
        Self { placed_from: None, placed_to: None, most }
    }
}

/// What the list showed.
///
/// It is no snapshot: an order that is captured, voided or placed meanwhile moves those behind it, and
/// one of them may be missing. What is due is better read while nothing is being captured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Listed {
    /// The orders that wait for their capture, each once, as the API ordered them.
    pub orders: Vec<ListedOrder>,
    /// How many items of the list could not be read. Each may be an order that waits.
    pub unreadable: usize,
    /// Whether the list was read to its end, and not only to [`Search::most`].
    pub is_complete: bool,
}

/// Why the waiting orders could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// A page did not come, for a reason for which the status of one order does not come either.
    #[error(transparent)]
    NoPage(#[from] StatusError),
    /// A reply is no page of orders that can be read. Pages count from 1.
    #[error("page {0} of the orders is unreadable: {1}")]
    Unreadable(u32, #[source] NotAPage),
    /// A page has no order that can be read and was not on an earlier one, and says that another page
    /// follows: the list would not end.
    #[error(
        "page {0} of the orders shows no order that is new, and says that another page follows"
    )]
    Stuck(u32),
}

impl ListError {
    /// The cause by its stable name.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::NoPage(error) => error.cause(),
            Self::Unreadable(..) => "unreadable",
            Self::Stuck(_) => "stuck",
        }
    }

    /// How long the API asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NoPage(error) => error.retry_after(),
            _ => None,
        }
    }

    /// What to do about it, in one clause.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NoPage(StatusError::Refused(..)) => {
                "Check that the credentials may list orders in this environment"
            }
            Self::NoPage(error) => error.advice(),
            Self::Unreadable(_, NotAPage::Status(_) | NotAPage::NotJson) => cause::CHECK_URL,
            Self::Unreadable(..) | Self::Stuck(_) => "Show this to FlexFactor's support",
        }
    }
}

/// A query for all orders that wait for their capture. It asks for one page after the other.
///
/// ```
/// use capture_core::driver::{Api, ListQuery, Query, QueryStep};
/// use capture_core::wire::{self, orders};
/// use capture_core::{BearerToken, Environment, Search};
/// let mut query = ListQuery::new(&Api::new(&Environment::Sandbox), &Search::default());
/// let request = query.request(BearerToken::new("token")?);
/// // ... send it; suppose that this is the reply:
/// let item = serde_json::json!({ "id": "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81", "status": 5 });
/// let reply = orders::page(&orders::Query::default(), 1, &[item]);
/// let QueryStep::Done(listed) = query.received(Ok(reply)) else { panic!("one page") };
/// assert_eq!(listed.expect("a page").orders.len(), 1);
/// # Ok::<(), capture_core::Invalid>(())
/// ```
#[derive(Debug, Clone)]
pub struct ListQuery {
    api: Api,
    page: orders::Query,
    most: usize,
    asking: Asking,
    /// How many items came so far.
    items: usize,
    seen: BTreeSet<OrderId>,
    listed: Listed,
}

impl ListQuery {
    /// A query for the waiting orders.
    #[must_use]
    pub fn new(api: &Api, search: &Search) -> Self {
        let waiting =
            OrderStatus::CaptureRequired.number().and_then(|number| number.try_into().ok());
        let page = orders::Query {
            statuses: waiting.into_iter().collect(),
            from: search.placed_from,
            to: search.placed_to,
            // What is placed meanwhile comes last, and moves nothing.
            sort: Some(Sort::Ascending),
            size: ON_PAGE,
            ..orders::Query::default()
        };
        Self {
            api: api.clone(),
            page,
            most: search.most.get() as usize,
            asking: Asking::default(),
            items: 0,
            seen: BTreeSet::new(),
            listed: Listed::default(),
        }
    }

    fn read(&mut self, response: &Response) -> QueryStep<Result<Listed, ListError>> {
        let page = match orders::read_reply(response) {
            Ok(page) => page,
            Err(odd) => {
                let known = refused(response).map(ListError::NoPage);
                let error = known.unwrap_or(ListError::Unreadable(self.page.number, odd));
                return QueryStep::Done(Err(error));
            }
        };
        let Page { orders, unreadable, has_next } = page;
        let count = orders.len() + unreadable;
        let seen_before = self.seen.len();
        for order in orders {
            let is_new = self.seen.insert(order.order);
            // Whatever the filter of the API lets through.
            if is_new && order.status == OrderStatus::CaptureRequired {
                self.listed.orders.push(order);
            }
        }
        self.items += count;
        self.listed.unreadable += unreadable;
        // A list that does not say where it ends, ends with an empty page.
        let is_last = !has_next.unwrap_or(count > 0);
        if is_last || self.items >= self.most {
            self.listed.is_complete = is_last;
            return QueryStep::Done(Ok(std::mem::take(&mut self.listed)));
        }
        if self.seen.len() == seen_before {
            return QueryStep::Done(Err(ListError::Stuck(self.page.number)));
        }
        self.page.number += 1;
        self.asking.next();
        QueryStep::Again(Duration::ZERO)
    }
}

impl Query for ListQuery {
    type Answer = Result<Listed, ListError>;

    fn token_request(&self) -> TokenRequest<'_> {
        self.asking.token_request()
    }

    fn request(&mut self, token: BearerToken) -> Request {
        let request = orders::request(&self.api, &self.page, &token);
        self.asking.sends(token);
        request
    }

    fn received(&mut self, reply: Result<Response, TransportError>) -> QueryStep<Self::Answer> {
        match self.asking.received(reply) {
            Came::Again(delay) => QueryStep::Again(delay),
            Came::Nothing(error) => QueryStep::Done(Err(StatusError::NoReply(error).into())),
            Came::Reply(response) => self.read(&response),
        }
    }

    fn no_token(&mut self, error: TokenError) -> QueryStep<Self::Answer> {
        match self.asking.no_token(error) {
            Ok(delay) => QueryStep::Again(delay),
            Err(error) => QueryStep::Done(Err(StatusError::from(error).into())),
        }
    }
}
