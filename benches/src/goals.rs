//! The goals: D are deterministic and gate a build, R are ratios inside one run and gate nothing.

use crate::results::{LOADS, Results};

pub struct Goal {
    pub id: &'static str,
    pub what: String,
    /// `None` where it was not measured.
    pub value: Option<f64>,
    pub must: f64,
    /// What was asked for first, where the page says why it changed.
    pub first: Option<f64>,
    pub stretch: Option<f64>,
}

impl Goal {
    pub fn is_missed(&self) -> bool {
        self.value.is_some_and(|value| value > self.must)
    }

    pub fn word(&self) -> &'static str {
        match (self.value, self.stretch) {
            (None, _) => "not measured",
            (Some(value), _) if value > self.must => "**missed**",
            (Some(value), Some(stretch)) if value <= stretch => "met, stretch too",
            _ => "met",
        }
    }
}

/// All goals with what this run found.
pub fn goals(results: &Results) -> Vec<Goal> {
    let mut goals = Vec::new();
    deterministic(results, &mut goals);
    ratios(results, &mut goals);
    goals
}

fn deterministic(results: &Results, goals: &mut Vec<Goal>) {
    let mut add = |id, what: &str, value: Option<f64>, must, stretch| {
        goals.push(Goal { id, what: what.into(), value, must, first: revised(id, what), stretch });
    };
    let calls = |name: &str| Some(results.line(name).allocations.calls() as f64);
    let bytes = |name: &str| Some(results.line(name).allocations.bytes as f64);
    let instructions = |name: &str| results.line(name).instructions.map(|count| count as f64);

    add("D1", "encode a request: allocations", calls("encode"), 3.0, None);
    add("D1", "encode a request: bytes", bytes("encode"), 1_500.0, None);
    add("D1", "encode a request: instructions", instructions("encode"), 3_800.0, Some(2_100.0));
    add("D2", "encode into a buffer: allocations", calls("body"), 0.0, None);
    add("D2", "encode into a buffer: instructions", instructions("body"), 2_200.0, Some(450.0));
    add("D3", "the same request again: allocations", calls("retry"), 2.0, None);
    add("D4", "read the documented reply: allocations", calls("read-small"), 2.0, Some(1.0));
    let small = instructions("read-small");
    add("D4", "read the documented reply: instructions", small, 3_500.0, Some(3_000.0));
    add("D5", "read the large reply: allocations", calls("read-large"), 12.0, None);
    add("D5", "read the large reply: bytes", bytes("read-large"), 800.0, None);
    let large = instructions("read-large");
    add("D5", "read the large reply: instructions", large, 36_000.0, Some(21_000.0));
    let unknown = calls("read-200-unknown").zip(calls("read-20-unknown")).map(|(a, b)| a - b);
    add("D6", "180 more unknown members: allocations", unknown, 0.0, None);
    for (name, must) in [("hyper", 2.0), ("reqwest", 0.0), ("ureq", 2.0)] {
        let what = format!("capture-{name} - {name} by hand: allocations");
        let hand = format!("{name}/hand");
        let more = calls(name).zip(calls(&hand)).map(|(ours, hand)| ours - hand);
        add("D7", &what, more, must, Some(0.0));
    }
    for name in ["hyper", "reqwest", "ureq"] {
        let what = format!("capture-{name} / {name} by hand: instructions");
        let hand = format!("{name}/hand");
        let hand = instructions(&hand);
        let ratio = instructions(name).zip(hand).map(|(ours, hand)| ours / hand);
        add("D8", &what, ratio, 1.05, Some(1.0));
    }
    for ((package, count), must) in results.crates.iter().zip([23.0, 43.0, 66.0, 106.0]) {
        let what = format!("crates in {package}");
        add("D10", &what, Some(*count as f64), must, None);
    }
}

/// The goals that were wrong at first; `report/limits.md` says why.
fn revised(id: &str, what: &str) -> Option<f64> {
    let all = [
        ("D1", "bytes", 600.0),
        ("D5", "bytes", 500.0),
        ("D5", "instructions", 23_000.0),
        ("D10", "-core", 18.0),
        ("D10", "-ureq", 38.0),
        ("D10", "-hyper", 62.0),
        ("D10", "-reqwest", 100.0),
    ];
    let known = all.into_iter().find(|known| known.0 == id && what.ends_with(known.1));
    known.map(|known| known.2)
}

fn ratios(results: &Results, goals: &mut Vec<Goal>) {
    let mut add = |id, what: String, value: Option<f64>, must, stretch| {
        goals.push(Goal { id, what, value, must, first: None, stretch: Some(stretch) });
    };
    let cpu = |name: &str| results.line(name).cpu;
    for (id, ours, peer, what, must, stretch) in [
        ("R1", "encode", "encode/serde", "encode / derive", 0.42, 0.30),
        ("R2", "read-small", "read-small/value", "read small / Value", 0.40, 0.33),
        ("R2", "read-small", "read-small/serde", "read small / derive", 1.05, 0.95),
        ("R3", "read-large", "read-large/value", "read large / Value", 0.30, 0.25),
        ("R4", "encode", "encode/oauth2", "encode / oauth2", 0.33, 0.21),
    ] {
        let ratio = cpu(ours).zip(cpu(peer)).map(|(ours, peer)| ours / peer);
        add(id, format!("{what}: CPU time"), ratio, must, stretch);
    }
    let load = |name: &str, at: usize| results.line(name).loads.get(at).copied().flatten();
    for name in ["hyper", "reqwest", "ureq"] {
        for (at, (in_flight, _)) in LOADS.iter().enumerate().take(2) {
            let hand = load(&format!("{name}/hand"), at);
            let ratio = load(name, at).zip(hand).map(|(ours, hand)| ours.0 / hand.0);
            let what = format!("capture-{name} / by hand, {in_flight} in flight: CPU time");
            add("R5", what, ratio, 1.05, 1.0);
        }
    }
    let ratio = load("hyper", 1).zip(load("reqwest/hand", 1)).map(|(a, b)| a.0 / b.0);
    add("R6", "capture-hyper / reqwest by hand, 16 in flight: CPU time".into(), ratio, 0.75, 0.65);
    let ratio = load("hyper-h2", 0).zip(load("hyper", 0)).map(|(a, b)| a.1 / b.1);
    add("R7", "HTTP/2 / HTTP/1.1 with capture-hyper: median time".into(), ratio, 2.0, 1.3);
}
