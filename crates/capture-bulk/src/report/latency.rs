//! How long the API took, and how often it answered with 429 or 503.

use std::fmt::Write as _;

use capture_core::{Attempt, Operation, Phase};

use super::page::duration;

/// What was sent, and how long each capture took.
#[derive(Debug)]
pub(super) struct Latency {
    captures: Sent,
    lookups: Sent,
    /// Captures by time: exact up to 127 ms, and within 2 % above.
    slots: Vec<u64>,
    longest_ms: u64,
}

#[derive(Debug, Default)]
struct Sent {
    sent: u64,
    without_reply: u64,
    with_429: u64,
    with_503: u64,
}

const SLOTS: usize = 128 + 57 * 64;

/// The bars of the picture end here, in milliseconds.
const BARS: [u64; 16] =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, u64::MAX];

impl Default for Latency {
    fn default() -> Self {
        let (captures, lookups) = Default::default();
        Self { captures, lookups, slots: vec![0; SLOTS], longest_ms: 0 }
    }
}

impl Latency {
    pub(super) fn add(&mut self, attempts: &[Attempt]) {
        for attempt in attempts.iter().filter(|it| it.phase != Phase::NotSent) {
            let sent = match attempt.operation {
                Operation::Capture => &mut self.captures,
                Operation::Lookup => &mut self.lookups,
                Operation::Login => continue,
            };
            sent.sent += 1;
            sent.without_reply += u64::from(attempt.phase != Phase::Replied);
            sent.with_429 += u64::from(attempt.status == Some(429));
            sent.with_503 += u64::from(attempt.status == Some(503));
            if attempt.operation == Operation::Capture {
                self.slots[slot(attempt.took_ms)] += 1;
                self.longest_ms = self.longest_ms.max(attempt.took_ms);
            }
        }
    }

    /// The time that so many in a hundred did not exceed.
    fn percentile(&self, percent: u64) -> u64 {
        let rank = (self.captures.sent * percent).div_ceil(100).max(1);
        let mut so_far = 0;
        for (slot, count) in self.slots.iter().enumerate() {
            so_far += count;
            if so_far >= rank {
                return last_of(slot).min(self.longest_ms);
            }
        }
        self.longest_ms
    }

    pub(super) fn write(&self, html: &mut String) {
        *html += "<table class=\"totals\">\n<caption>What was sent, and what came back</caption>\n<thead><tr>";
        for column in ["Request", "Sent", "No complete reply", "429", "503"] {
            let class = if column == "Request" { "" } else { " class=\"n\"" };
            let _ = write!(html, "<th scope=\"col\"{class}>{column}</th>");
        }
        *html += "</tr></thead>\n<tbody>\n";
        for (name, sent) in [("Captures", &self.captures), ("Lookups", &self.lookups)] {
            let _ = write!(html, "<tr><th scope=\"row\">{name}</th>");
            for count in [sent.sent, sent.without_reply, sent.with_429, sent.with_503] {
                let _ = write!(html, "<td class=\"n\">{count}</td>");
            }
            *html += "</tr>\n";
        }
        *html += "</tbody>\n</table>\n";
        if self.captures.sent == 0 {
            *html += "<p>No capture was sent.</p>\n";
            return;
        }
        let _ = writeln!(
            html,
            "<p>Throttled: {} of {} captures that were sent (429 or 503). Half took at most <b>{}</b> (p50), \
             95 of 100 at most <b>{}</b> (p95), 99 of 100 at most <b>{}</b> (p99), and the slowest <b>{}</b>, those without a \
             reply included. What a process sent that was killed before it could record it is not counted.</p>",
            self.captures.with_429 + self.captures.with_503,
            self.captures.sent,
            duration(self.percentile(50)),
            duration(self.percentile(95)),
            duration(self.percentile(99)),
            duration(self.longest_ms)
        );
        self.svg(html);
    }

    fn svg(&self, html: &mut String) {
        let mut counts = [0; BARS.len()];
        for (slot, count) in self.slots.iter().enumerate().filter(|(_, count)| **count > 0) {
            let took = last_of(slot).min(self.longest_ms);
            let bar = BARS.iter().position(|end| took <= *end).expect("the last takes all");
            counts[bar] += count;
        }
        let most = counts.into_iter().max().unwrap_or(1).max(1);
        let _ = writeln!(
            html,
            "<figure>\n<svg viewBox=\"0 0 7200 1700\" role=\"img\" aria-labelledby=\"took-t took-d\">\n\
             <title id=\"took-t\">How long captures took</title>\n<desc id=\"took-d\">{}.</desc>",
            words(&counts)
        );
        for (bar, (count, end)) in counts.iter().zip(BARS).enumerate() {
            let x = 100 + bar as u64 * 440;
            let middle = x + 200;
            if *count > 0 {
                // However few they are, they are seen.
                let height = (count * 1100 / most).max(12);
                let top = 1400 - height;
                let _ = write!(
                    html,
                    "<rect class=\"a\" x=\"{x}\" y=\"{top}\" width=\"400\" height=\"{height}\"/>\
                     <text x=\"{middle}\" y=\"{}\" class=\"m\">{count}</text>",
                    top - 40
                );
            }
            let _ =
                write!(html, "<text x=\"{middle}\" y=\"1580\" class=\"m\">{}</text>", label(end));
            html.push('\n');
        }
        *html += "</svg>\n<figcaption>Captures by how long they took: each bar ends at its time.\
                  </figcaption>\n</figure>\n";
    }
}

fn label(end_ms: u64) -> String {
    match end_ms {
        u64::MAX => "more".to_owned(),
        1..1000 => format!("{end_ms} ms"),
        _ => format!("{} s", end_ms / 1000),
    }
}

fn words(counts: &[u64]) -> String {
    let there = counts.iter().zip(BARS).filter(|(count, _)| **count > 0);
    let words = there.map(|(count, end)| match end {
        u64::MAX => format!("{count} took more than 50 s"),
        end => format!("{count} took up to {}", label(end)),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// The slots are one millisecond wide up to 127 ms, then 64 to each power of two.
fn slot(ms: u64) -> usize {
    if ms < 128 {
        return ms as usize;
    }
    let shift = 57 - ms.leading_zeros() as usize;
    128 + (shift - 1) * 64 + (ms >> shift) as usize - 64
}

/// The longest time of a slot.
fn last_of(slot: usize) -> u64 {
    let Some(above) = slot.checked_sub(128) else { return slot as u64 };
    let (shift, at) = (above / 64 + 1, above as u64 % 64);
    (64 + at) << shift | ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_holds_its_times_within_two_percent() {
        for ms in (0..200_000).chain([u64::MAX / 3, u64::MAX - 1, u64::MAX]) {
            let (slot, last) = (slot(ms), last_of(slot(ms)));
            assert!(slot < SLOTS && last >= ms, "{ms}: {slot} {last}");
            assert!(last - ms <= ms / 50, "{ms}: {last}");
        }
    }

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        for (times, expected) in [
            (vec![7], [7, 7, 7]),
            ((1..=100).collect(), [50, 95, 99]),
            (vec![3, 3, 3, 90_000], [3, 90_000, 90_000]),
        ] {
            let mut latency = Latency::default();
            for ms in times {
                latency.slots[slot(ms)] += 1;
                latency.captures.sent += 1;
                latency.longest_ms = latency.longest_ms.max(ms);
            }
            assert_eq!([50, 95, 99].map(|percent| latency.percentile(percent)), expected);
        }
    }
}
