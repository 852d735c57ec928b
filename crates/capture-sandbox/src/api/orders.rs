//! `GET /v1/orders`: the list, by status and in pages.
//!
//! It obeys the documented parameters: `status` (repeatable), `from` and `to` (when the order was
//! placed, in UTC, both inclusive), `query` (a part of the order id), `mid`, `sort` (`asc` or `desc`),
//! `pageSize` and `pageNumber`. `orderBy` is ignored because its values are not public; orders are
//! listed as they were created. The envelope's members up to `pageSize` are the documented ones; the
//! names of the total (`totalItemCount`) and of the list (`orders`) are our choice.

use std::time::{Duration, SystemTime};

use capture_core::wire::error::ApiError;
use capture_core::wire::{Response, json_reply};
use http::StatusCode;
use serde::Serialize;

use crate::api::order::Shown;
use crate::api::token::MERCHANT;
use crate::api::{query, replies};
use crate::world::{Order, World, clock};

/// No page is longer.
const LONGEST_PAGE: usize = 100;

struct Query {
    statuses: Vec<i64>,
    from: Option<SystemTime>,
    to: Option<SystemTime>,
    part_of_id: String,
    is_other_merchant: bool,
    is_descending: bool,
    page_size: usize,
    page_number: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    first_item_on_page: usize,
    has_next_page: bool,
    has_previous_page: bool,
    is_first_page: bool,
    is_last_page: bool,
    last_item_on_page: usize,
    page_count: usize,
    page_number: usize,
    page_size: usize,
    total_item_count: usize,
    orders: Vec<Shown>,
}

/// The reply to a request for the list.
pub(super) fn answer(world: &mut World, query: &str, now: SystemTime) -> Response {
    let query = match read(query) {
        Ok(query) => query,
        Err(error) => return replies::invalid(&mut world.draw, &[error]),
    };
    let mut found: Vec<&Order> =
        world.orders.iter().filter(|order| query.matches(order, now)).collect();
    if query.is_descending {
        found.reverse();
    }
    let before = (query.page_number - 1).saturating_mul(query.page_size);
    let page = found.iter().skip(before).take(query.page_size);
    let orders: Vec<_> = page.map(|order| Shown::new(order, now)).collect();
    let page_count = found.len().div_ceil(query.page_size);
    let (first, last) =
        if orders.is_empty() { (0, 0) } else { (before + 1, before + orders.len()) };
    let page = Page {
        first_item_on_page: first,
        has_next_page: query.page_number < page_count,
        has_previous_page: query.page_number > 1,
        is_first_page: query.page_number == 1,
        is_last_page: query.page_number >= page_count,
        last_item_on_page: last,
        page_count,
        page_number: query.page_number,
        page_size: query.page_size,
        total_item_count: found.len(),
        orders,
    };
    json_reply(StatusCode::OK, &page)
}

impl Query {
    fn matches(&self, order: &Order, now: SystemTime) -> bool {
        let number = order.status(now).number();
        let has_status = number.is_some_and(|number| self.statuses.contains(&number));
        !self.is_other_merchant
            && (self.statuses.is_empty() || has_status)
            && self.from.is_none_or(|from| order.placed >= from)
            && self.to.is_none_or(|to| order.placed <= to)
            && (self.part_of_id.is_empty() || order.id.to_string().contains(&self.part_of_id))
    }
}

fn read(query: &str) -> Result<Query, ApiError> {
    let mut read = Query {
        statuses: Vec::new(),
        from: None,
        to: None,
        part_of_id: String::new(),
        is_other_merchant: false,
        is_descending: false,
        page_size: 10,
        page_number: 1,
    };
    for (name, value) in query::pairs(query) {
        let invalid = |field| ApiError::field(field, "The value is not valid.");
        let positive = |most| {
            let number = value.parse().ok();
            number.filter(|number: &usize| (1..=most).contains(number))
        };
        match name.to_ascii_lowercase().as_str() {
            "status" => {
                let number = value.parse::<i32>().map_err(|_| invalid("Status"))?;
                read.statuses.push(number.into());
            }
            "from" => read.from = Some(clock::read_iso(&value).ok_or_else(|| invalid("From"))?),
            "to" => {
                let end = clock::read_iso(&value).ok_or_else(|| invalid("To"))?;
                // A date without a time means the whole day; a time, its whole second.
                let rest = if value.contains('T') { 999_999_999 } else { 86_399_999_999_999 };
                read.to = Some(clock::later(end, Duration::from_nanos(rest)));
            }
            "query" => read.part_of_id = value.trim().to_ascii_lowercase(),
            "mid" => read.is_other_merchant = !value.eq_ignore_ascii_case(MERCHANT),
            "sort" => {
                read.is_descending = match value.to_ascii_lowercase().as_str() {
                    "asc" => false,
                    "desc" => true,
                    _ => return Err(invalid("Sort")),
                }
            }
            "pagesize" => {
                read.page_size = positive(LONGEST_PAGE).ok_or_else(|| invalid("PageSize"))?;
            }
            "pagenumber" => {
                read.page_number =
                    positive(i32::MAX as usize).ok_or_else(|| invalid("PageNumber"))?;
            }
            _ => {}
        }
    }
    Ok(read)
}
