//! The page at `/_sandbox/`: orders, requests, and where a client's claim disagrees with the truth.
//!
//! Written here as a whole: no script, nothing to load, nothing that is not escaped.

mod html;
mod rows;

use std::time::SystemTime;

use bytes::Bytes;
use capture_core::wire::Response;
use http::{HeaderValue, StatusCode, header};

use crate::control::audit::{Finding, Report, Standing};
use crate::sandbox::Sandbox;
use crate::world::clock;
use html::Html;

const STYLE: &str = include_str!("page/style.css");

/// Nothing may run and nothing may be loaded; the one style is allowed by its hash, which a test
/// compares.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'sha256-f2/PQEjmEDApiNByhX4+/Tyl/WVzhJWPq3+zxBf5kH8='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// No list on the page is longer.
const MOST_SHOWN: usize = 200;

/// The page at this time of the sandbox.
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
    let report = sandbox.judge(now);
    let mut page = Html::default();
    page.tag("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .tag("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
        .text(title(&report))
        .tag("</title>\n<style>")
        .tag(STYLE)
        .tag("</style>\n</head>\n<body>\n<main>\n<header><h1>Capture sandbox</h1>\n<p>")
        .text(format_args!("{} UTC", clock::iso(now).trim_end_matches('Z').replace('T', " ")))
        .text(format_args!(", {}", count(sandbox.orders.len(), "order")))
        .text(format_args!(", {}", count(sandbox.ledger.entries().len(), "capture")))
        .text(format_args!(", {}", count(sandbox.logins(), "login")))
        .tag(" &middot; <a href=\"/_sandbox/\">reload</a></p></header>\n");
    verdict(&mut page, &report);
    rows::faults(&mut page, sandbox);
    rows::orders(&mut page, sandbox, &report, now);
    rows::requests(&mut page, sandbox);
    page.tag("<footer>\n");
    for link in ["verdict", "ledger", "transcript", "openapi.json"] {
        page.tag("<a href=\"/_sandbox/").text(link).tag("\">").text(link).tag("</a>\n");
    }
    page.tag("</footer>\n</main>\n</body>\n</html>\n");
    page.finish()
}

fn title(report: &Report) -> String {
    match report.disagreements + report.double_captures {
        0 => "Capture sandbox".into(),
        wrong => format!("({wrong}) Capture sandbox"),
    }
}

fn verdict(page: &mut Html, report: &Report) {
    let wrong: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.is_wrong()).collect();
    let open = report.findings.iter().filter(|finding| finding.standing == Standing::Open).count();
    let claims = report.findings.iter().filter(|finding| finding.claimed.is_some()).count();
    let kind = match (wrong.len(), claims) {
        (0, 0) => "",
        (0, _) if open == 0 => "good",
        (0, _) => "",
        _ => "bad",
    };
    page.tag("<section class=\"verdict ").text(kind).tag("\" id=\"verdict\">\n<strong>");
    if claims == 0 && wrong.is_empty() {
        page.tag("Nothing was claimed yet</strong>\n<p>Let your service say what it believes: ")
            .tag("<code>POST /_sandbox/claims</code> with <code>{\"order\", \"outcome\"}</code>.</p>\n");
    } else if wrong.is_empty() {
        page.tag("Every claim agrees with the truth</strong>\n<p>")
            .text(count(claims, "claim"))
            .text(if open == 0 { String::new() } else { format!(", {open} of them unknown") })
            .tag("</p>\n");
    } else {
        page.text(headline(report)).tag("</strong>\n<ul>\n");
        for finding in wrong.iter().take(MOST_SHOWN) {
            page.tag("<li>").text(&finding.says).tag("\n<div><a class=\"id\" href=\"#o-");
            page.text(finding.order).tag("\">").text(finding.order).tag("</a>");
            if let Some(at) = finding.at {
                page.tag(" &middot; claimed at ").text(rows::time_of_day(at));
            }
            page.tag("</div></li>\n");
        }
        page.tag("</ul>\n");
    }
    page.tag("</section>\n");
}

fn headline(report: &Report) -> String {
    let mut parts = Vec::new();
    match report.disagreements {
        0 => {}
        1 => parts.push("1 claim disagrees with the truth".to_owned()),
        many => parts.push(format!("{many} claims disagree with the truth")),
    }
    match report.double_captures {
        0 => {}
        1 => parts.push("1 order was captured twice or more".to_owned()),
        many => parts.push(format!("{many} orders were captured twice or more")),
    }
    parts.join(", ")
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
