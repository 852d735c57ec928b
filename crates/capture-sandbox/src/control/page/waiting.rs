//! The faults that are still waiting.

use std::fmt::Display;

use crate::api::routes;
use crate::control::page::html::Html;
use crate::control::page::parts::{MOST_SHOWN, heading};
use crate::faults::On;
use crate::sandbox::Sandbox;

pub(super) fn write(page: &mut Html, sandbox: &Sandbox) {
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
        left.rules.iter().map(|rule| described(rule.times, which(&rule.on), rule.skip, &rule.act));
    for words in handshakes.chain(requests).take(MOST_SHOWN) {
        page.tag("<li>").text(words).tag("</li>\n");
    }
    page.tag("</ol></div>\n");
}

/// How often, to which requests, after how many others, and what happens.
fn described(times: u32, which: impl Display, skip: u32, what: impl Display) -> String {
    let times = match times {
        u32::MAX => "every".to_owned(),
        1 => "the next".to_owned(),
        times => format!("the next {times} of"),
    };
    let after = if skip > 0 { format!(", after {skip} more") } else { String::new() };
    format!("{times} {which}{after}: {what}")
}

/// Such as `POST /v1/capture of 5f1a3c5e-…, 10 % of them`.
fn which(on: &On) -> String {
    let mut words = on.operation.map_or_else(|| "request".into(), |it| routes::of(it).to_string());
    if let Some(path) = &on.path {
        words += &format!(" to {}", path.as_str());
    }
    if let Some(order) = on.order {
        words += &format!(" of {order}");
    }
    if let Some(number) = on.request {
        words += &format!(" with number {number}");
    }
    if let Some(percent) = on.percent {
        words += &format!(", {percent} % of them");
    }
    words
}
