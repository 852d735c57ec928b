//! The page as a whole, and its headers.

use std::time::SystemTime;

use bytes::Bytes;
use capture_core::wire::{Response, date};
use http::{HeaderValue, StatusCode, header};

use crate::control::audit::Audit;
use crate::control::page::html::Html;
use crate::control::page::parts::count;
use crate::control::page::{orders, requests, summary, waiting};
use crate::sandbox::Sandbox;

const STYLE: &str = include_str!("style.css");

/// Nothing may run and nothing may be loaded. The one style is allowed by its hash, which a test
/// checks.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'sha256-PBVTFSJ8opgcz7S4OJWF7ejc8F6lJ2tvhRVnJq8mdXE='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The page; `now` is the caller's time.
pub(crate) fn reply(sandbox: &Sandbox, now: SystemTime) -> Response {
    let mut response = http::Response::new(Bytes::from(write(sandbox, now)));
    *response.status_mut() = StatusCode::OK;
    let fixed = HeaderValue::from_static;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, fixed("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    headers.insert(header::REFERRER_POLICY, fixed("no-referrer"));
    response
}

fn write(sandbox: &Sandbox, now: SystemTime) -> String {
    let (world, audit) = (&sandbox.world, sandbox.audit(now));
    let now = world.time(now);
    let mut page = Html::default();
    page.tag("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .tag("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
        .text(title(&audit))
        .tag("</title>\n<style>")
        .tag(STYLE)
        .tag("</style>\n</head>\n<body>\n<main>\n<header><h1>Capture sandbox</h1>\n<p>")
        .text(format_args!("{} UTC", date::write(now).trim_end_matches('Z').replace('T', " ")))
        .text(format_args!(", {}", count(world.orders.len(), "order")))
        .text(format_args!(", {}", count(world.ledger.entries().len(), "capture")))
        .text(format_args!(", {}", count(sandbox.logins(), "login")))
        .tag(" &middot; <a href=\"/_sandbox/\">reload</a></p></header>\n");
    summary::write(&mut page, &audit);
    waiting::write(&mut page, sandbox);
    orders::write(&mut page, world, &audit, now);
    requests::write(&mut page, &world.transcript);
    page.tag("<footer>\n");
    for link in ["audit", "ledger", "transcript", "openapi.json"] {
        page.tag("<a href=\"/_sandbox/").text(link).tag("\">").text(link).tag("</a>\n");
    }
    page.tag("</footer>\n</main>\n</body>\n</html>\n");
    page.finish()
}

fn title(audit: &Audit) -> String {
    match audit.disagreements + audit.double_captures {
        0 => "Capture sandbox".into(),
        wrong => format!("({wrong}) Capture sandbox"),
    }
}
