//! The lists of the page: faults that wait, orders, requests.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::{Duration, SystemTime};

use capture_core::{OrderId, OrderStatus};

use super::html::Html;
use super::{MOST_SHOWN, count};
use crate::control::audit::{Claimed, Finding, Report, Standing};
use crate::sandbox::Sandbox;
use crate::world::clock;
use crate::world::orders::Order;
use crate::world::transcript::{Exchange, Sent};

pub(super) fn faults(page: &mut Html, sandbox: &Sandbox) {
    let left = sandbox.rules();
    let number = left.rules.len() + left.handshakes.len();
    if number == 0 {
        return;
    }
    heading(page, "Faults waiting", number, "rule");
    page.tag("<div class=\"card\"><ol class=\"rules\">\n");
    let handshakes = left.handshakes.iter().map(|rule| {
        let is_each = matches!(rule.times, 1 | u32::MAX);
        let which = if is_each { "TLS handshake" } else { "the TLS handshakes" };
        described(rule.times, which, rule.skip, rule.meets)
    });
    let requests =
        left.rules.iter().map(|rule| described(rule.times, rule.on, rule.skip, &rule.act));
    for words in handshakes.chain(requests).take(MOST_SHOWN) {
        page.tag("<li>").text(words).tag("</li>\n");
    }
    page.tag("</ol></div>\n");
}

/// How often, to which, after how many more, and what.
fn described(times: u32, which: impl Display, skip: u32, what: impl Display) -> String {
    let times = match times {
        u32::MAX => "every".to_owned(),
        1 => "the next".to_owned(),
        times => format!("the next {times} of"),
    };
    let after = if skip > 0 { format!(", after {skip} more") } else { String::new() };
    format!("{times} {which}{after}: {what}")
}

pub(super) fn orders(page: &mut Html, sandbox: &Sandbox, report: &Report, now: SystemTime) {
    heading(page, "Orders", sandbox.orders.len(), "order");
    if sandbox.orders.len() == 0 {
        page.tag("<div class=\"card\"><p class=\"empty\">None yet: <code>POST /_sandbox/orders")
            .tag(
                "</code> with <code>{\"amount\": 10000, \"currency\": \"USD\"}</code>.</p></div>\n",
            );
        return;
    }
    page.tag("<div class=\"card\"><table>\n<thead><tr><th>Order</th><th class=\"number\">Amount")
        .tag("</th><th>Status</th><th>Time left</th><th>Money taken</th><th>Claimed</th></tr>")
        .tag("</thead>\n<tbody>\n");
    let captures = sandbox.captures_by_order();
    let mut by_order: BTreeMap<OrderId, Vec<&Finding>> = BTreeMap::new();
    for finding in &report.findings {
        by_order.entry(finding.order).or_default().push(finding);
    }
    for order in sandbox.orders.iter().rev().take(MOST_SHOWN) {
        let captures = captures.get(&order.id).copied().unwrap_or_default();
        let findings = by_order.get(&order.id).map_or(&[][..], Vec::as_slice);
        page.tag("<tr id=\"o-").text(order.id).tag("\"");
        if findings.iter().any(|finding| finding.is_wrong()) {
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
        claims(page, findings);
        page.tag("</td></tr>\n");
    }
    page.tag("</tbody>\n</table></div>\n");
}

fn claims(page: &mut Html, findings: &[&Finding]) {
    let claims = findings.iter().filter_map(|finding| Some((finding, finding.claimed?)));
    for (number, (finding, claimed)) in claims.take(MOST_SHOWN).enumerate() {
        if number > 0 {
            page.tag("<br>");
        }
        let word = match claimed {
            Claimed::Captured => "captured",
            Claimed::NotCaptured => "failed",
            Claimed::Unknown => "unknown",
        };
        let colour = match finding.standing {
            Standing::Agrees => "good",
            Standing::Open => "open",
            Standing::Disagrees | Standing::Double => "bad",
        };
        tag(page, colour, word);
        if let Some(by) = &finding.by {
            page.tag(" <span class=\"soft\">").text(by).tag("</span>");
        }
    }
}

pub(super) fn requests(page: &mut Html, sandbox: &Sandbox) {
    let seen = usize::try_from(sandbox.transcript.next_number() - 1).unwrap_or(usize::MAX);
    heading(page, "Requests", seen, "request");
    if seen == 0 {
        page.tag("<div class=\"card\"><p class=\"empty\">None yet.</p></div>\n");
        return;
    }
    page.tag("<div class=\"card\"><table>\n<thead><tr><th class=\"number\">No.</th><th>Time</th>")
        .tag("<th>Request</th><th>Order</th><th>Answer</th><th>What the sandbox did</th></tr>")
        .tag("</thead>\n<tbody>\n");
    for exchange in sandbox.transcript.iter().rev().take(MOST_SHOWN) {
        request(page, exchange);
    }
    page.tag("</tbody>\n</table></div>\n");
}

fn request(page: &mut Html, exchange: &Exchange) {
    page.tag("<tr><td class=\"number soft\">").text(exchange.number).tag("</td><td><time>");
    page.text(time_of_day(exchange.at)).tag("</time></td><td class=\"route\">");
    match exchange.operation {
        Some(operation) => page.text(operation.route()),
        None => page.tag("<span class=\"soft\">none that the API has</span>"),
    };
    page.tag("</td><td>");
    if let Some(order) = exchange.order {
        let short: String = order.to_string().chars().take(8).collect();
        page.tag("<a class=\"id short\" href=\"#o-").text(order).tag("\">").text(short).tag("</a>");
    }
    page.tag("</td><td>");
    match exchange.sent {
        Sent::Status(status) => {
            let colour = match status.as_u16() {
                200..=299 => "good",
                400..=499 => "open",
                _ => "bad",
            };
            tag(page, colour, status.as_str());
        }
        Sent::Closed => tag(page, "bad", "no reply"),
        Sent::Raw => tag(page, "bad", "raw bytes"),
    }
    page.tag("</td><td class=\"wide\">");
    let did = [
        exchange.captured.then_some("took the money"),
        exchange.replayed.then_some("said again what its key got before"),
        exchange.script.as_deref(),
    ];
    let did: Vec<&str> = did.into_iter().flatten().collect();
    page.text(did.join("; ")).tag("</td></tr>\n");
}

fn heading(page: &mut Html, what: &'static str, number: usize, one: &str) {
    page.tag("<h2>").tag(what).tag(" <small>").text(count(number, one));
    if number > MOST_SHOWN {
        page.text(format_args!(", the last {MOST_SHOWN}"));
    }
    page.tag("</small></h2>\n");
}

fn tag(page: &mut Html, colour: &'static str, word: &str) {
    page.tag("<span class=\"tag ").tag(colour).tag("\">").text(word).tag("</span>");
}

fn colour(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Completed => "good",
        OrderStatus::CaptureRequired => "open",
        OrderStatus::Problem => "bad",
        _ => "",
    }
}

/// The two largest units of the time that an order still has.
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

/// Hours to milliseconds, UTC.
pub(super) fn time_of_day(at: SystemTime) -> String {
    let millis = clock::millis(at) % 1000;
    let second = clock::iso(at - Duration::from_millis(millis));
    format!("{}.{millis:03}", &second[11..19])
}
