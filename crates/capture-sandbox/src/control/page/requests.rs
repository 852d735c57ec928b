//! The requests, and what the sandbox did with them.

use crate::api::routes;
use crate::control::page::html::Html;
use crate::control::page::parts::{MOST_SHOWN, heading, tag, time_of_day};
use crate::world::{Exchange, Sent, Transcript};

pub(super) fn write(page: &mut Html, transcript: &Transcript) {
    let seen = usize::try_from(transcript.next_number() - 1).unwrap_or(usize::MAX);
    heading(page, "Requests", seen, "request");
    if seen == 0 {
        page.tag("<div class=\"card\"><p class=\"empty\">None yet.</p></div>\n");
        return;
    }
    page.tag("<div class=\"card\"><table>\n<thead><tr><th class=\"number\">No.</th><th>Time</th>")
        .tag("<th>Request</th><th>Order</th><th>Answer</th><th>What the sandbox did</th></tr>")
        .tag("</thead>\n<tbody>\n");
    for exchange in transcript.iter().rev().take(MOST_SHOWN) {
        request(page, exchange);
    }
    page.tag("</tbody>\n</table></div>\n");
}

fn request(page: &mut Html, exchange: &Exchange) {
    page.tag("<tr><td class=\"number soft\">").text(exchange.number).tag("</td><td><time>");
    page.text(time_of_day(exchange.at)).tag("</time></td><td class=\"route\">");
    match exchange.operation {
        Some(operation) => page.text(routes::of(operation)),
        None => page.tag("<span class=\"soft\">not in the API</span>"),
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
        exchange.captured.then_some("captured the money"),
        exchange.replayed.then_some("repeated the answer kept under its key"),
        exchange.script.as_deref(),
    ];
    let did: Vec<&str> = did.into_iter().flatten().collect();
    page.text(did.join("; ")).tag("</td></tr>\n");
}
