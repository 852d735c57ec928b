//! `/_sandbox/orders`: orders in any status and with any window.

use std::time::{Duration, SystemTime};

use capture_core::wire::{Response, json_reply};
use capture_core::{Invalid, Money, OrderId, OrderStatus};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::control::reply::{Refusal, done, ok, read};
use crate::sandbox::Sandbox;
use crate::world::NewOrder;

/// No list is longer.
const MOST_SHOWN: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderBody {
    amount: u32,
    currency: String,
    status: Option<String>,
    window_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusBody {
    status: String,
}

/// An order as the test sees it, which is not how the API shows it.
#[derive(Serialize)]
struct Seen {
    order: OrderId,
    #[serde(flatten)]
    money: Money,
    status: String,
    /// Until it is voided; `None` unless it waits for a capture.
    seconds_left: Option<u64>,
    captures: usize,
}

pub(super) fn list(sandbox: &Sandbox, now: SystemTime) -> Response {
    let (world, now) = (&sandbox.world, sandbox.world.time(now));
    let captures = world.ledger.captures_by_order();
    let before = world.orders.len().saturating_sub(MOST_SHOWN);
    let seen = world.orders.iter().skip(before).map(|order| Seen {
        order: order.id,
        money: order.money,
        status: order.status(now).to_string().to_ascii_uppercase(),
        seconds_left: order.left(now).map(|left| left.as_secs()),
        captures: captures.get(&order.id).copied().unwrap_or_default(),
    });
    let orders: Vec<_> = seen.collect();
    ok(&json!({ "orders": orders }))
}

pub(super) fn create(
    sandbox: &mut Sandbox,
    body: &[u8],
    now: SystemTime,
) -> Result<Response, Refusal> {
    let order: OrderBody = read(body)?;
    if sandbox.world.is_full(sandbox.world.time(now)) {
        return Err(Refusal::full());
    }
    let mut new = NewOrder::new(Money::from_minor(order.amount, order.currency.parse()?)?);
    if let Some(name) = order.status {
        new = new.status(status(&name)?);
    }
    if let Some(seconds) = order.window_seconds {
        new = new.window(Duration::from_secs(seconds));
    }
    let id = sandbox.create_order(new, now);
    Ok(json_reply(StatusCode::CREATED, &json!({ "orderId": id })))
}

pub(super) fn set_status(
    sandbox: &mut Sandbox,
    order: &str,
    body: &[u8],
    now: SystemTime,
) -> Result<Response, Refusal> {
    let order: OrderId = order.parse()?;
    let body: StatusBody = read(body)?;
    if !sandbox.set_order_status(order, status(&body.status)?, now) {
        return Err(Refusal::no_order(order));
    }
    Ok(done())
}

fn status(name: &str) -> Result<OrderStatus, Invalid> {
    let rule = "must be a documented status such as CAPTUREREQUIRED";
    OrderStatus::from_name(name).ok_or_else(|| Invalid::new("status", name, rule))
}
