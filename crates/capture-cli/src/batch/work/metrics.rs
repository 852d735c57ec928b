//! The metrics in Prometheus' text format. Labels are codes of this program: nothing that an order, a person
//! or the network brings is in them, so that they are few.

use std::fmt::Write as _;
use std::time::SystemTime;

use capture_journal::OpenNow;

use super::state::Seen;

pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const BRAKES: [&str; 4] = ["none", "slowed", "wait", "outage"];

/// All of them. What is open is left out where the journal cannot be read.
pub(super) fn metrics(seen: &Seen, open: Option<&OpenNow>) -> String {
    let mut text = Text(String::new());
    text.family("capture_build_info", "gauge", "The program; always 1.");
    text.sample("capture_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    let name = "capture_outcomes_total";
    let help =
        "Outcomes that were recorded, by where the capture stands then (left: to be tried again).";
    text.family(name, "counter", help);
    for ((outcome, code), count) in &seen.outcomes {
        text.sample(name, &[("outcome", outcome), ("code", code)], count);
    }
    let name = "capture_attempts_total";
    text.family(name, "counter", "Requests, by how far they got and the class of their status.");
    for ((operation, phase, status), count) in &seen.attempts {
        let labels = [("operation", *operation), ("phase", *phase), ("status", *status)];
        text.sample(name, &labels, count);
    }
    text.gauge("capture_in_flight", "Captures on their way now.", seen.running);
    text.gauge("capture_in_hand", "Captures that this process has claimed.", seen.in_hand);
    if let Some(permits) = seen.resends_permitted {
        let help = "Resends that the retry budget permits now; 0 is an outage.";
        text.gauge("capture_retry_budget_permits", help, permits);
    }
    if let Some(turn) = seen.turn {
        let help = "How long the latest turn of the journal took.";
        text.gauge("capture_turn_seconds", help, turn.as_secs_f64());
    }
    let help = "Since the work last went round; it does once a second.";
    text.gauge("capture_round_age_seconds", help, seen.went_round.elapsed().as_secs_f64());
    text.family("capture_brake", "gauge", "What holds the sends back now is 1.");
    for brake in BRAKES {
        let is_on = u8::from(brake == seen.brake_code());
        text.sample("capture_brake", &[("kind", brake)], is_on);
    }
    text.gauge("capture_healthy", "1 while /health is 200.", u8::from(seen.trouble().is_none()));
    if let Some(open) = open {
        text.open(open);
    }
    text.0
}

struct Text(String);

impl Text {
    fn open(&mut self, open: &OpenNow) {
        let name = "capture_open";
        let help = "Captures in the journal that are not decided, also those of other processes.";
        self.family(name, "gauge", help);
        for (standing, count) in
            [("ready", open.ready), ("claimed", open.claimed), ("unknown", open.unknown)]
        {
            self.sample(name, &[("standing", standing)], count);
        }
        let age = open.oldest_unknown.map_or(0.0, |at| {
            SystemTime::now().duration_since(at).unwrap_or_default().as_secs_f64()
        });
        let help = "How long the oldest capture in doubt has been so; 0 without one.";
        self.gauge("capture_unknown_age_seconds", help, age);
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let labels = labels.join(",");
        let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}
