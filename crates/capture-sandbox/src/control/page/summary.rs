//! The top of the page: whether every claim agrees with the truth.

use crate::control::audit::{Audit, Comparison, Standing};
use crate::control::page::html::Html;
use crate::control::page::parts::{MOST_SHOWN, count, time_of_day};

pub(super) fn write(page: &mut Html, audit: &Audit) {
    let wrong: Vec<&Comparison> =
        audit.comparisons.iter().filter(|comparison| comparison.is_wrong()).collect();
    let open =
        audit.comparisons.iter().filter(|comparison| comparison.standing == Standing::Open).count();
    let claims = audit.comparisons.iter().filter(|comparison| comparison.claimed.is_some()).count();
    let kind = match (wrong.len(), claims) {
        (0, 0) => "",
        (0, _) if open == 0 => "good",
        (0, _) => "",
        _ => "bad",
    };
    page.tag("<section class=\"audit ").text(kind).tag("\" id=\"audit\">\n<strong>");
    if claims == 0 && wrong.is_empty() {
        page.tag("Nothing has been claimed yet</strong>\n<p>Tell the sandbox what your service believes: ")
            .tag("<code>POST /_sandbox/claims</code> with <code>{\"order\", \"outcome\"}</code>.</p>\n");
    } else if wrong.is_empty() {
        page.tag("Every claim agrees with the truth</strong>\n<p>")
            .text(count(claims, "claim"))
            .text(if open == 0 { String::new() } else { format!(", {open} of them unknown") })
            .tag("</p>\n");
    } else {
        page.text(headline(audit)).tag("</strong>\n<ul>\n");
        for comparison in wrong.iter().take(MOST_SHOWN) {
            page.tag("<li>").text(&comparison.says).tag("\n<div><a class=\"id\" href=\"#o-");
            page.text(comparison.order).tag("\">").text(comparison.order).tag("</a>");
            if let Some(at) = comparison.at {
                page.tag(" &middot; claimed at ").text(time_of_day(at));
            }
            page.tag("</div></li>\n");
        }
        page.tag("</ul>\n");
    }
    page.tag("</section>\n");
}

fn headline(audit: &Audit) -> String {
    let mut parts = Vec::new();
    match audit.disagreements {
        0 => {}
        1 => parts.push("1 claim disagrees with the truth".to_owned()),
        many => parts.push(format!("{many} claims disagree with the truth")),
    }
    match audit.double_captures {
        0 => {}
        1 => parts.push("1 order was captured more than once".to_owned()),
        many => parts.push(format!("{many} orders were captured more than once")),
    }
    parts.join(", ")
}
