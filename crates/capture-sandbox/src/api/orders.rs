//! `GET /v1/orders`: the list, by status and in pages.
//!
//! It obeys the documented parameters: `status` (repeatable), `from` and `to` (when the order was
//! placed, in UTC, both inclusive, to the second), `query` (a part of the order id), `mid`, `sort`
//! (`asc` or `desc`), `pageSize` and `pageNumber`. `orderBy` is ignored because its values are not
//! public; orders are listed as they were created.

use std::time::{Duration, SystemTime};

use capture_core::wire::Response;
use capture_core::wire::error::ApiError;
use capture_core::wire::orders::{Query, Sort, page};

use crate::api::order::Shown;
use crate::api::replies;
use crate::api::token::MERCHANT;
use crate::world::{Order, World, clock};

/// No page is longer.
const LONGEST_PAGE: u32 = 100;

/// The reply to a request for the list.
pub(super) fn answer(world: &mut World, query: &str, now: SystemTime) -> Response {
    let query = match Query::read(query) {
        Ok(query) if query.size > LONGEST_PAGE => {
            let error = ApiError::field("PageSize", "The value is not valid.");
            return replies::invalid(&mut world.draw, &[error]);
        }
        Ok(query) => query,
        Err(error) => return replies::invalid(&mut world.draw, &[error]),
    };
    let part_of_id = query.text.as_deref().unwrap_or_default().trim().to_ascii_lowercase();
    let matches = |order: &&Order| is_meant(order, &query, &part_of_id, now);
    let total = world.orders.iter().filter(matches).count();
    let shown = |order| Shown::new(order, now);
    let (before, size) = (query.before(), query.size as usize);
    let found = world.orders.iter().filter(matches);
    let items: Vec<_> = match query.sort {
        Some(Sort::Descending) => found.rev().skip(before).take(size).map(shown).collect(),
        _ => found.skip(before).take(size).map(shown).collect(),
    };
    page(&query, total, &items)
}

fn is_meant(order: &Order, query: &Query, part_of_id: &str, now: SystemTime) -> bool {
    // A moment is written in whole seconds, and means all of its second.
    const SECOND: Duration = Duration::from_nanos(999_999_999);
    let number = order.status(now).number().and_then(|number| i32::try_from(number).ok());
    let has_status = number.is_some_and(|number| query.statuses.contains(&number));
    query.merchant.as_ref().is_none_or(|merchant| merchant.eq_ignore_ascii_case(MERCHANT))
        && (query.statuses.is_empty() || has_status)
        && query.from.is_none_or(|from| order.placed >= from)
        && query.to.is_none_or(|to| order.placed <= clock::later(to, SECOND))
        && (part_of_id.is_empty() || order.id.to_string().contains(part_of_id))
}
