//! What several parts of the page share.

use std::time::{Duration, SystemTime};

use capture_core::wire::date;

use crate::control::page::html::Html;
use crate::world::clock;

/// No list on the page is longer.
pub(super) const MOST_SHOWN: usize = 200;

pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

pub(super) fn heading(page: &mut Html, what: &'static str, number: usize, one: &str) {
    page.tag("<h2>").tag(what).tag(" <small>").text(count(number, one));
    if number > MOST_SHOWN {
        page.text(format_args!(", the last {MOST_SHOWN}"));
    }
    page.tag("</small></h2>\n");
}

pub(super) fn tag(page: &mut Html, colour: &'static str, word: &str) {
    page.tag("<span class=\"tag ").tag(colour).tag("\">").text(word).tag("</span>");
}

/// Hours to milliseconds, UTC.
pub(super) fn time_of_day(at: SystemTime) -> String {
    let millis = clock::millis(at) % 1000;
    let second = date::write(at - Duration::from_millis(millis));
    format!("{}.{millis:03}", &second[11..19])
}
