//! The report of a small list, as a whole and where it would go wrong.

use std::fs;
use std::path::Path;

use capture_bulk::{Head, Report};
use capture_core::{Capture, IdempotencyKey, Money, Outcome};
use capture_journal::{
    Claim, ClaimId, Entry, Fence, Holder, IntentId, Line, Run, RunId, Stands, Story,
};
use serde_json::{Value, json};

use crate::at;

const BEGAN: u64 = 1_788_000_000;

fn report() -> Report {
    Report::new(Head {
        run: Run {
            guards: Some("--max-total USD=900.00 --allow-amount 4".to_owned()),
            id: RunId(7),
            plan: [0xab; 32],
            name: "orders <b>&.csv".to_owned(),
            captures: 0,
            at: at(BEGAN),
            ended: None,
        },
        environment: "http://127.0.0.1:8787".to_owned(),
        journal_head: Some([0x5c; 32]),
        made_at: at(BEGAN + 3600),
    })
}

fn line(number: u32, amount: &str, currency: &str) -> Line {
    let order = format!("5f1a3c5e-7c1d-4e0b-9d6a-{number:012x}").parse().unwrap();
    let money = Money::parse(amount, currency).unwrap();
    Line {
        line: number,
        capture: Capture::new(order, money, IdempotencyKey::for_order(order)),
        reference: Some(format!("R-{number}")),
        capture_before: None,
    }
}

/// An attempt at the capture, with this status unless no reply came.
fn attempt(took_ms: u64, status: Option<u16>) -> Value {
    let finding = match status {
        Some(200) => json!("captured"),
        Some(status) => json!({"undecided": {"status": status}}),
        None => json!({"lost": "timed out"}),
    };
    let phase = if status.is_some() { "replied" } else { "maybe_sent" };
    let mut attempt = json!({
        "operation": "capture", "began_ms": 1, "took_ms": took_ms, "phase": phase, "finding": finding,
    });
    if let Some(status) = status {
        attempt["status"] = json!(status);
    }
    attempt
}

fn outcome(line: &Line, mut parts: Value, earlier: usize, attempts: &[Value]) -> Outcome {
    let money = line.capture.money();
    let whole = parts.as_object_mut().unwrap();
    for (name, value) in [
        ("version", json!(2)),
        ("order_id", json!(line.capture.order_id())),
        ("idempotency_key", json!(line.capture.idempotency_key())),
        ("amount", json!(money.minor_units())),
        ("currency", json!(money.currency().code())),
        ("exponent", json!(money.currency().exponent())),
        ("earlier_attempts", json!(earlier)),
        ("attempts", json!(attempts)),
    ] {
        whole.insert(name.to_owned(), value);
    }
    serde_json::from_value(parts).unwrap()
}

fn captured() -> Value {
    json!({"outcome": "captured", "proof": "reply"})
}

fn unknown() -> Value {
    json!({
        "outcome": "unknown", "doubt": "no_reply", "obstacle": "not_looked_up",
        "first_sent_ms": 1, "due_at_ms": 1,
    })
}

/// What its claims came to, each so many seconds after the list began.
fn story(line: &Line, ends: Vec<(u64, Outcome)>) -> Story {
    let mut story = Story {
        intent: IntentId(line.line.into()),
        capture: line.capture,
        asked_at: at(BEGAN),
        claims: Vec::new(),
        entries: Vec::new(),
    };
    for (number, (seconds, outcome)) in (1..).zip(ends) {
        let claim = ClaimId(number);
        let holder = Holder { host: "batch1".to_owned(), process: 4711 };
        story.claims.push(Claim { id: claim, fence: Fence(1), holder, at: at(BEGAN) });
        let recorded = at(BEGAN + seconds);
        story.entries.push(Entry { claim, at: recorded, is_note: false, outcome });
    }
    story
}

/// One of each outcome, in two currencies; a doubt that was cleared; a deadline kept, missed and ahead.
fn small() -> Report {
    let mut report = report();
    let plain = line(1, "100.00", "USD");
    let found = outcome(&plain, captured(), 0, &[attempt(40, Some(200))]);
    report.add(&plain, &story(&plain, vec![(1, found)]));

    let mut cleared = line(2, "250.50", "USD");
    cleared.capture_before = Some(at(BEGAN + 20));
    let attempts = [attempt(30_000, None), attempt(55, Some(200))];
    let doubt = outcome(&cleared, unknown(), 0, &attempts[..1]);
    let found = outcome(&cleared, captured(), 1, &attempts);
    report.add(&cleared, &story(&cleared, vec![(5, doubt), (30, found)]));

    let mut yen = line(3, "7000", "JPY");
    yen.capture_before = Some(at(BEGAN + 9));
    let throttled = json!({"outcome": "not_captured", "reason": {"throttled": 1}});
    let throttled = outcome(&yen, throttled, 0, &[attempt(3, Some(429))]);
    let found = outcome(&yen, captured(), 0, &[attempt(61, Some(200))]);
    report.add(&yen, &story(&yen, vec![(2, throttled), (8, found)]));

    let returned = json!({"outcome": "captured", "proof": {"order_status": "returned"}});
    let caveat = line(4, "10.00", "USD");
    let found = outcome(&caveat, returned, 0, &[]);
    report.add(&caveat, &story(&caveat, vec![(12, found)]));

    let mut cancelled = line(5, "99.99", "USD");
    cancelled.capture_before = Some(at(BEGAN + 600));
    let refused = json!({"outcome": "not_captured", "reason": "order_cancelled"});
    let found = outcome(&cancelled, refused, 0, &[attempt(20, Some(503))]);
    report.add(&cancelled, &story(&cancelled, vec![(15, found)]));

    let mut doubtful = line(6, "5.00", "USD");
    doubtful.reference = Some("<script>alert('6')</script>\u{202e}".to_owned());
    let mut cut = attempt(30_000, None);
    cut["phase"] = json!("cut_reply");
    let found = outcome(&doubtful, unknown(), 0, &[cut]);
    report.add(&doubtful, &story(&doubtful, vec![(40, found)]));

    let mut left = line(7, "1", "JPY");
    left.reference = None;
    left.capture_before = Some(at(BEGAN + 7200));
    report.add(&left, &story(&left, vec![]));
    report
}

#[test]
fn a_small_list_is_told_as_it_was() {
    let html = small().html();
    let golden = include_str!("../golden/report.html");
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report.html");
    fs::write(&new, &html).unwrap();
    let place = html.lines().zip(golden.lines()).find(|(now, before)| now != before);
    assert_eq!(place, None, "if this is right, take {} for the golden file", new.display());
    assert_eq!(html.len(), golden.len());
}

#[test]
fn the_numbers_are_those_of_the_lines() {
    let html = small().html();
    for part in [
        "1 of 7 unknown: hold the goods.",
        "Captured</th><td>JPY</td><td class=\"n\">1</td><td class=\"n\">7000</td>",
        "Captured</th><td>USD</td><td class=\"n\">2</td><td class=\"n\">350.50</td>",
        "Left</th><td>JPY</td><td class=\"n\">1</td><td class=\"n\">1</td>",
        // A resumed attempt counts once, and one before a fresh start counts too.
        "<th scope=\"row\">Captures</th><td class=\"n\">7</td><td class=\"n\">2</td>\
         <td class=\"n\">1</td><td class=\"n\">1</td>",
        "Throttled: 2 of 7",
        "Half took at most <b>55 ms</b>",
        "the slowest <b>30.0 s</b>",
        "&lt;script&gt;alert(&#39;6&#39;)&lt;/script&gt;\\u{202e}",
        "Not captured before their deadline: 2",
        "<td>2026-08-29T10:40:20Z</td><td>Captured, as of 2026-08-29T10:40:30Z</td>",
        "<td>2026-08-29T10:50:00Z</td><td>Not captured, as of 2026-08-29T10:40:15Z</td>",
    ] {
        assert!(html.contains(part), "{part}\n{html}");
    }
    let places = ["Unknown: 1", "Captured with a caveat: 1", "Not captured: 1", "Left: 1"]
        .map(|caption| html.find(&format!("<caption>{caption}</caption>")).unwrap());
    assert!(places.is_sorted(), "the worst first: {places:?}");
}

#[test]
fn nothing_is_loaded_and_no_text_is_markup() {
    let html = small().html();
    for foreign in
        ["<script", "<link", "<img", "<iframe", "src=", "href=", "url(", "@import", "<b>&."]
    {
        assert!(!html.contains(foreign), "{foreign}");
    }
    // The only address is that of the environment, and it is text.
    assert_eq!(html.matches("http:").count() + html.matches("https:").count(), 1);
    assert!(html.contains("<dd>http://127.0.0.1:8787</dd>"));
}

/// A process took it and said nothing since: it may have been sent, from then on.
#[test]
fn what_a_process_took_is_unknown_from_then_on() {
    let mut report = report();
    let line = line(1, "1.00", "USD");
    let mut story = story(&line, vec![(0, outcome(&line, unknown(), 0, &[]))]);
    story.entries.clear();
    report.add(&line, &story);
    let html = report.html();
    for part in ["<caption>Unknown: 1</caption>", "<code>interrupted</code>", "each step is 1 ms"] {
        assert!(html.contains(part), "{part}\n{html}");
    }
}

/// A deadline is missed once it has passed without a capture before it.
#[test]
fn a_deadline_is_missed_at_its_moment() {
    for (captured_after, deadline, is_missed) in [
        (Some(9), 10, false),
        (Some(10), 10, true),
        (Some(11), 10, true),
        (None, 3601, false),
        (None, 3600, true),
    ] {
        let mut report = report();
        let mut line = line(1, "1.00", "USD");
        line.capture_before = Some(at(BEGAN + deadline));
        let found = |seconds| (seconds, outcome(&line, captured(), 0, &[]));
        report.add(&line, &story(&line, captured_after.into_iter().map(found).collect()));
        let is_told = report.html().contains("<caption>Not captured before their deadline: 1");
        assert_eq!(is_told, is_missed, "{captured_after:?} {deadline}");
    }
}

/// Of a long list the first 1,000 are shown, and the worst of them first.
#[test]
fn a_long_list_makes_no_long_report() {
    let mut report = report();
    for number in 1..=3000 {
        let line = line(number, "1.00", "USD");
        let ends = match number {
            2901.. => vec![(60, outcome(&line, unknown(), 0, &[]))],
            _ => vec![],
        };
        report.add(&line, &story(&line, ends));
    }
    let html = report.html();
    for caption in ["Unknown: 100", "Left: 2900"] {
        assert!(html.contains(&format!("<caption>{caption}</caption>")), "{caption}");
    }
    assert_eq!(html.matches("<td class=\"id\">").count(), 1000);
    assert!(html.contains("<p>2000 more are not shown. <code>capture results 7</code>"));
    assert!(html.len() < 500_000, "{}", html.len());
    assert_eq!(report.tally().count(Stands::Left), 2900);
}

#[test]
fn an_empty_list_and_a_whole_one_have_a_report_too() {
    let mut report = report();
    assert!(report.html().contains("Nothing has been recorded since the list was planned."));
    let line = line(1, "1.00", "USD");
    report.add(&line, &story(&line, vec![(0, outcome(&line, captured(), 0, &[]))]));
    let html = report.html();
    for part in ["Every capture is decided.", "Every line is captured.", "No capture was sent."] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("more are not shown"));
}
