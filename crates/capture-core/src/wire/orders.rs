//! `GET /v1/orders`: the orders of a merchant, by status and in pages.
//!
//! An item is as full of personal data as an order: only its id, status, dates and currency are read,
//! nothing else is kept. `docs/protocol.md` says what is documented of it and what is not.

use std::fmt;
use std::time::SystemTime;

use http::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;

use super::api::Api;
use super::error::ApiError;
use super::json::{self, Names, Scalar, Unreadable};
use super::message::{Request, Response, is_plain_json, json_reply};
use super::order::{OrderStatus, read_currency, read_status};
use super::{date, query};
use crate::values::{BearerToken, CurrencyCode, OrderId};

/// A page with more items than this is not read. One asks for far fewer.
pub const MOST_ON_PAGE: usize = 10_000;

/// Which orders are listed, and which page of them: the documented parameters, except for `orderBy`,
/// whose values are not public.
///
/// ```
/// use capture_core::wire::orders::Query;
/// let page = Query { statuses: vec![5], number: 2, ..Query::default() };
/// assert_eq!(page.to_string(), "status=5&pageSize=10&pageNumber=2");
/// assert_eq!(Query::read("status=5&pageNumber=2")?, page);
/// # Ok::<(), capture_core::ApiError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The orders in one of these statuses, by the API's integers; all if there are none.
    pub statuses: Vec<i32>,
    /// Those that were placed at this time or later.
    pub from: Option<SystemTime>,
    /// Those that were placed at this time or earlier.
    pub to: Option<SystemTime>,
    /// Those with this text somewhere.
    pub text: Option<String>,
    /// Those of this merchant.
    pub merchant: Option<String>,
    /// Which end comes first; the API's own choice if this is `None`.
    pub sort: Option<Sort>,
    /// How many orders a page has.
    pub size: u32,
    /// Which page, from 1.
    pub number: u32,
}

/// Which end of the list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// `asc`
    Ascending,
    /// `desc`
    Descending,
}

impl Default for Query {
    /// The first page of all orders, with the documented size.
    fn default() -> Self {
        let (statuses, size, number) = (Vec::new(), 10, 1);
        Self {
            statuses,
            from: None,
            to: None,
            text: None,
            merchant: None,
            sort: None,
            size,
            number,
        }
    }
}

impl Query {
    /// Reads the query of a URL, for servers. Unknown parameters are ignored; a date without a time
    /// means the whole day.
    ///
    /// # Errors
    /// The parameter that is not valid.
    pub fn read(text: &str) -> Result<Self, ApiError> {
        let mut read = Self::default();
        for (name, value) in query::pairs(text) {
            let invalid = |field| ApiError::field(field, "The value is not valid.");
            let positive = || value.parse().ok().filter(|number| *number > 0);
            match name.to_ascii_lowercase().as_str() {
                "status" => read.statuses.push(value.parse().map_err(|_| invalid("Status"))?),
                "from" => read.from = Some(date::read(&value).ok_or_else(|| invalid("From"))?),
                "to" => {
                    let is_day = !value.contains('T');
                    let last = if is_day { format!("{value}T23:59:59") } else { value.clone() };
                    read.to = Some(date::read(&last).ok_or_else(|| invalid("To"))?);
                }
                "query" => read.text = Some(value),
                "mid" => read.merchant = Some(value),
                "sort" => {
                    read.sort = Some(match value.to_ascii_lowercase().as_str() {
                        "asc" => Sort::Ascending,
                        "desc" => Sort::Descending,
                        _ => return Err(invalid("Sort")),
                    });
                }
                "pagesize" => read.size = positive().ok_or_else(|| invalid("PageSize"))?,
                "pagenumber" => read.number = positive().ok_or_else(|| invalid("PageNumber"))?,
                _ => {}
            }
        }
        Ok(read)
    }

    /// How many orders are on the pages before this one.
    #[must_use]
    pub fn before(&self) -> usize {
        (self.number.saturating_sub(1) as usize).saturating_mul(self.size as usize)
    }
}

impl fmt::Display for Query {
    /// As the query of a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut query = String::new();
        let mut append = |name, value: &str| query::append(&mut query, name, value);
        self.statuses.iter().for_each(|status| append("status", &status.to_string()));
        self.from.iter().for_each(|from| append("from", &date::write(*from)));
        self.to.iter().for_each(|to| append("to", &date::write(*to)));
        self.text.iter().for_each(|text| append("query", text));
        self.merchant.iter().for_each(|merchant| append("mid", merchant));
        match self.sort {
            Some(Sort::Ascending) => append("sort", "asc"),
            Some(Sort::Descending) => append("sort", "desc"),
            None => {}
        }
        append("pageSize", &self.size.to_string());
        append("pageNumber", &self.number.to_string());
        f.write_str(&query)
    }
}

/// The request for one page.
#[must_use]
pub fn request(api: &Api, query: &Query, token: &BearerToken) -> Request {
    api.list(&query.to_string(), token)
}

/// What is read of an item of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedOrder {
    /// The order.
    pub order: OrderId,
    /// Its status.
    pub status: OrderStatus,
    /// When it was placed, if the item shows a date there.
    pub placed: Option<SystemTime>,
    /// When it expires, if the item shows a date there. Whether this is the end of its capture window
    /// is not documented.
    pub expires: Option<SystemTime>,
    /// The code of its currency, if the item shows one.
    pub currency: Option<CurrencyCode>,
}

/// One page of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The items that can be read.
    pub orders: Vec<ListedOrder>,
    /// How many items cannot be read.
    pub unreadable: usize,
    /// Whether another page follows; `None` if this one does not say.
    pub has_next: Option<bool>,
}

/// Why a reply is no page of orders.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAPage {
    /// The status is not 200.
    #[error("status {0}")]
    Status(u16),
    /// The body is encoded, oddly framed, or said not to be JSON.
    #[error("the body is encoded, oddly framed, or said not to be JSON")]
    NotJson,
    /// The body cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// There is no array of orders, or more than one could be meant.
    #[error("{0} of the members orders, items, data and results are an array; one must be")]
    Lists(usize),
    /// There are more items than are read.
    #[error("it has {0} items, more than {MOST_ON_PAGE}")]
    TooMany(usize),
}

/// The page in a reply: a complete 200, whose orders are an array, or the one array among its members
/// `orders`, `items`, `data` and `results`.
///
/// # Errors
/// Why the reply is none.
pub fn read_reply(response: &Response) -> Result<Page, NotAPage> {
    if response.status() != StatusCode::OK {
        return Err(NotAPage::Status(response.status().as_u16()));
    }
    if !is_plain_json(response) {
        return Err(NotAPage::NotJson);
    }
    let text = json::text(response.body())?;
    let (list, has_next) = match text.trim_ascii_start().starts_with('[') {
        true => (text, None),
        false => envelope(response.body())?,
    };
    let (items, count) = json::elements(list, MOST_ON_PAGE)?;
    if count > items.len() {
        return Err(NotAPage::TooMany(count));
    }
    let orders: Vec<_> = items.into_iter().filter_map(read_item).collect();
    Ok(Page { unreadable: count - orders.len(), orders, has_next })
}

/// The text of the list in an envelope, and whether another page follows.
fn envelope(body: &[u8]) -> Result<(&str, Option<bool>), NotAPage> {
    let names = const {
        &Names::new([
            "orders",
            "items",
            "data",
            "results",
            "hasNextPage",
            "isLastPage",
            "pageCount",
            "pageNumber",
        ])
    };
    let [orders, items, data, results, has_next, is_last, count, number] =
        json::members(body, names)?;
    let lists = [orders, items, data, results].into_iter().flatten().map(RawValue::get);
    let lists: Vec<_> = lists.filter(|list| list.starts_with('[')).collect();
    let [list] = lists[..] else { return Err(NotAPage::Lists(lists.len())) };
    let flag = |raw: Option<&RawValue>| match raw?.get() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    let number_of = |raw: Option<&RawValue>| raw?.get().parse::<i64>().ok();
    let says = [
        flag(has_next),
        flag(is_last).map(|is_last| !is_last),
        number_of(number).zip(number_of(count)).map(|(number, count)| number < count),
    ];
    // Where they differ, one page more is asked for rather than one too few.
    let has_next = says.into_iter().flatten().reduce(|one, other| one || other);
    Ok((list, has_next))
}

/// An item with an id and a status; a date or a currency that cannot be read is not shown.
fn read_item(item: &RawValue) -> Option<ListedOrder> {
    let names = const {
        &Names::new(["id", "status", "statusName", "orderPlacedDate", "expiryDate", "currencyCode"])
    };
    let [id, status, name, placed, expires, currency] =
        json::members(item.get().as_bytes(), names).ok()?;
    let order = Scalar::read("id", id).ok()?.text()?.parse().ok()?;
    let status = read_status(status, name).ok()?;
    let at = |raw| date::read(Scalar::read("date", raw).ok()?.text()?);
    let (placed, expires, currency) = (at(placed), at(expires), read_currency(currency));
    Some(ListedOrder { order, status, placed, expires, currency })
}

/// A page as the documentation describes it, for servers: of this many orders in all, the items on the
/// page that was asked for. The names of the total and of the list are not public: `totalItemCount`
/// and `orders` are our choice.
#[must_use]
pub fn page(query: &Query, total: usize, items: &[impl Serialize]) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Envelope<'a, I> {
        first_item_on_page: usize,
        has_next_page: bool,
        has_previous_page: bool,
        is_first_page: bool,
        is_last_page: bool,
        last_item_on_page: usize,
        page_count: usize,
        page_number: u32,
        page_size: u32,
        total_item_count: usize,
        orders: &'a [I],
    }
    let (number, pages) = (query.number as usize, total.div_ceil(query.size.max(1) as usize));
    let before = query.before();
    let (first, last) = if items.is_empty() { (0, 0) } else { (before + 1, before + items.len()) };
    let envelope = Envelope {
        first_item_on_page: first,
        has_next_page: number < pages,
        has_previous_page: number > 1,
        is_first_page: number == 1,
        is_last_page: number >= pages,
        last_item_on_page: last,
        page_count: pages,
        page_number: query.number,
        page_size: query.size,
        total_item_count: total,
        orders: items,
    };
    json_reply(StatusCode::OK, &envelope)
}
