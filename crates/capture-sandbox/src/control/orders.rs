//! `/_sandbox/orders`: orders in any status and with any window.

use std::time::{Duration, SystemTime};

use capture_core::wire::{Response, json_reply};
use capture_core::{Invalid, Money, OrderId, OrderStatus};
use http::StatusCode;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::control::reply::{Refusal, done, ok, read};
use crate::sandbox::Sandbox;
use crate::world::{NewOrder, Order};

/// No list is longer, and no request creates more.
const MOST_SHOWN: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderBody {
    amount: u32,
    currency: String,
    status: Option<String>,
    window_seconds: Option<u64>,
}

/// Which of the bodies is meant.
#[derive(Default, Deserialize)]
struct Kind {
    orders: Option<IgnoredAny>,
    count: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListBody {
    orders: Vec<OrderBody>,
}

/// Orders that are drawn.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DrawBody {
    count: usize,
    window_seconds: Option<(u64, u64)>,
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

impl Seen {
    fn new(order: &Order, captures: usize, now: SystemTime) -> Self {
        Self {
            order: order.id,
            money: order.money,
            status: order.status(now).to_string().to_ascii_uppercase(),
            seconds_left: order.left(now).map(|left| left.as_secs()),
            captures,
        }
    }
}

pub(super) fn list(sandbox: &Sandbox, now: SystemTime) -> Response {
    let (world, now) = (&sandbox.world, sandbox.world.time(now));
    let captures = world.ledger.captures_by_order();
    let before = world.orders.len().saturating_sub(MOST_SHOWN);
    let seen =
        world.orders.iter().skip(before).map(|order| {
            Seen::new(order, captures.get(&order.id).copied().unwrap_or_default(), now)
        });
    let orders: Vec<_> = seen.collect();
    ok(&json!({ "orders": orders }))
}

/// Creates one order, or all of a list, or so many that are drawn.
pub(super) fn create(
    sandbox: &mut Sandbox,
    body: &[u8],
    now: SystemTime,
) -> Result<Response, Refusal> {
    // What cannot be read is named when it is read as one order.
    match read(body).unwrap_or_default() {
        Kind { orders: Some(_), .. } => {
            let ListBody { orders } = read(body)?;
            let new: Result<Vec<_>, _> = orders.into_iter().map(OrderBody::order).collect();
            let new = new?;
            room(sandbox, new.len(), now)?;
            let ids = sandbox.create_orders(new, now);
            Ok(created(sandbox, ids, now))
        }
        Kind { count: Some(_), .. } => {
            let DrawBody { count, window_seconds } = read(body)?;
            room(sandbox, count, now)?;
            let windows = window_seconds.map(|(least, most)| {
                if least > most {
                    let given = format!("[{least},{most}]");
                    return Err(Invalid::new("window_seconds", &given, "the first is greater"));
                }
                Ok(Duration::from_secs(least)..=Duration::from_secs(most))
            });
            let drawn = sandbox.draw_orders(count, windows.transpose()?.as_ref(), now);
            Ok(created(sandbox, drawn.into_iter().map(|drawn| drawn.order).collect(), now))
        }
        Kind { .. } => {
            let new = read::<OrderBody>(body)?.order()?;
            room(sandbox, 1, now)?;
            let id = sandbox.create_order(new, now);
            Ok(json_reply(StatusCode::CREATED, &json!({ "orderId": id })))
        }
    }
}

impl OrderBody {
    fn order(self) -> Result<NewOrder, Invalid> {
        let mut new = NewOrder::new(Money::from_minor(self.amount, self.currency.parse()?)?);
        if let Some(name) = self.status {
            new = new.status(status(&name)?);
        }
        if let Some(seconds) = self.window_seconds {
            new = new.window(Duration::from_secs(seconds));
        }
        Ok(new)
    }
}

/// Refuses more orders than one request may create, or any once the sandbox is full: all or none are
/// created.
fn room(sandbox: &mut Sandbox, count: usize, now: SystemTime) -> Result<(), Refusal> {
    if count > MOST_SHOWN {
        let rule = format!("one request creates at most {MOST_SHOWN}");
        return Err(Invalid::new("orders", &count.to_string(), rule).into());
    }
    let now = sandbox.world.time(now);
    if sandbox.world.is_full(now) {
        return Err(Refusal::full());
    }
    Ok(())
}

fn created(sandbox: &Sandbox, ids: Vec<OrderId>, now: SystemTime) -> Response {
    let (orders, now) = (&sandbox.world.orders, sandbox.world.time(now));
    let seen = ids.into_iter().filter_map(|id| orders.get(id));
    let seen: Vec<_> = seen.map(|order| Seen::new(order, 0, now)).collect();
    json_reply(StatusCode::CREATED, &json!({ "orders": seen }))
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
