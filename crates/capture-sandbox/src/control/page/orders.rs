//! The orders, and what is claimed about each.

use std::collections::BTreeMap;
use std::time::SystemTime;

use capture_core::{OrderId, OrderStatus};

use crate::control::audit::{Audit, Comparison, Standing};
use crate::control::page::html::Html;
use crate::control::page::parts::{MOST_SHOWN, heading, tag};
use crate::world::{Claimed, Order, World};

pub(super) fn write(page: &mut Html, world: &World, audit: &Audit, now: SystemTime) {
    heading(page, "Orders", world.orders.len(), "order");
    if world.orders.len() == 0 {
        page.tag("<div class=\"card\"><p class=\"empty\">None yet: <code>POST /_sandbox/orders")
            .tag(
                "</code> with <code>{\"amount\": 10000, \"currency\": \"USD\"}</code>.</p></div>\n",
            );
        return;
    }
    page.tag("<div class=\"card\"><table>\n<thead><tr><th>Order</th><th class=\"number\">Amount")
        .tag("</th><th>Status</th><th>Time left</th><th>Money taken</th><th>Claimed</th></tr>")
        .tag("</thead>\n<tbody>\n");
    let captures = world.ledger.captures_by_order();
    let mut by_order: BTreeMap<OrderId, Vec<&Comparison>> = BTreeMap::new();
    for comparison in &audit.comparisons {
        by_order.entry(comparison.order).or_default().push(comparison);
    }
    for order in world.orders.iter().rev().take(MOST_SHOWN) {
        let captures = captures.get(&order.id).copied().unwrap_or_default();
        let comparisons = by_order.get(&order.id).map_or(&[][..], Vec::as_slice);
        page.tag("<tr id=\"o-").text(order.id).tag("\"");
        if comparisons.iter().any(|comparison| comparison.is_wrong()) {
            page.tag(" class=\"wrong\"");
        }
        page.tag("><td class=\"id wide\">").text(order.id);
        page.tag("</td><td class=\"number\">").text(order.money).tag("</td><td>");
        let status = order.status(now);
        tag(page, colour(status), &status.to_string());
        page.tag("</td><td data-name=\"time left\">").text(left(order, now));
        page.tag("</td><td data-name=\"money taken\">");
        match captures {
            0 => _ = page.tag("<span class=\"soft\">no</span>"),
            1 => _ = page.tag("once"),
            times => tag(page, "bad", &format!("{times} times")),
        }
        page.tag("</td><td data-name=\"claimed\">");
        claims(page, comparisons);
        page.tag("</td></tr>\n");
    }
    page.tag("</tbody>\n</table></div>\n");
}

fn claims(page: &mut Html, comparisons: &[&Comparison]) {
    let claims =
        comparisons.iter().filter_map(|comparison| Some((comparison, comparison.claimed?)));
    for (number, (comparison, claimed)) in claims.take(MOST_SHOWN).enumerate() {
        if number > 0 {
            page.tag("<br>");
        }
        let word = match claimed {
            Claimed::Captured => "captured",
            Claimed::NotCaptured => "failed",
            Claimed::Unknown => "unknown",
        };
        let colour = match comparison.standing {
            Standing::Agrees => "good",
            Standing::Open => "open",
            Standing::Disagrees | Standing::Double => "bad",
        };
        tag(page, colour, word);
        if let Some(by) = &comparison.by {
            page.tag(" <span class=\"soft\">").text(by).tag("</span>");
        }
    }
}

fn colour(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Completed => "good",
        OrderStatus::CaptureRequired => "open",
        OrderStatus::Problem => "bad",
        _ => "",
    }
}

/// The time that an order has left, in its two largest units.
fn left(order: &Order, now: SystemTime) -> String {
    let Some(left) = order.left(now).map(|left| left.as_secs()) else {
        return String::new();
    };
    let units =
        [(left / 86_400, "d"), (left / 3600 % 24, "h"), (left / 60 % 60, "min"), (left % 60, "s")];
    let from = units.iter().position(|(count, _)| *count > 0).unwrap_or(units.len() - 1);
    let largest = units[from..].iter().take(2);
    let words: Vec<_> = largest.map(|(count, unit)| format!("{count} {unit}")).collect();
    words.join(" ")
}
