//! `/_sandbox/orders`: orders in any status and with any window.

use std::time::{Duration, SystemTime};

use capture_core::wire::{Response, json_reply};
use capture_core::{Invalid, Money, OrderId, OrderStatus};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{Refusal, done, full, ok, read, refuse};
use crate::NewOrder;
use crate::sandbox::Sandbox;

/// A list is never longer.
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

/// An order as the test sees it, not as the API shows it.
#[derive(Serialize)]
struct Seen {
    order: OrderId,
    #[serde(flatten)]
    money: Money,
    status: String,
    /// Until it is voided; nothing where it does not wait for a capture.
    seconds_left: Option<u64>,
    captures: usize,
}

impl Sandbox {
    pub(super) fn control_orders(&self, now: SystemTime) -> Response {
        let captures = self.captures_by_order();
        let before = self.orders.len().saturating_sub(MOST_SHOWN);
        let seen = self.orders.iter().skip(before).map(|order| Seen {
            order: order.id,
            money: order.money,
            status: order.status(now).to_string().to_ascii_uppercase(),
            seconds_left: order.left(now).map(|left| left.as_secs()),
            captures: captures.get(&order.id).copied().unwrap_or_default(),
        });
        let orders: Vec<_> = seen.collect();
        ok(&json!({ "orders": orders }))
    }

    pub(super) fn control_order(
        &mut self,
        body: &[u8],
        now: SystemTime,
    ) -> Result<Response, Refusal> {
        let order: OrderBody = read(body)?;
        if self.is_full(now) {
            return Err(full());
        }
        let mut new = NewOrder::new(Money::from_minor(order.amount, order.currency.parse()?)?);
        if let Some(name) = order.status {
            new = new.status(status(&name)?);
        }
        if let Some(seconds) = order.window_seconds {
            new = new.window(Duration::from_secs(seconds));
        }
        let id = self.add_order(new, now);
        Ok(json_reply(StatusCode::CREATED, &json!({ "orderId": id })))
    }

    pub(super) fn control_status(
        &mut self,
        order: &str,
        body: &[u8],
        now: SystemTime,
    ) -> Result<Response, Refusal> {
        let id: OrderId = order.parse()?;
        let body: StatusBody = read(body)?;
        let status = status(&body.status)?;
        let Some(order) = self.orders.get_mut(id) else {
            return Err(refuse(StatusCode::NOT_FOUND, &format!("there is no order {id}")));
        };
        order.put(status, now);
        Ok(done())
    }
}

fn status(name: &str) -> Result<OrderStatus, Invalid> {
    let rule = "is not a status of the documentation, such as CAPTUREREQUIRED";
    OrderStatus::from_name(name).ok_or_else(|| Invalid::new("status", name, rule))
}
