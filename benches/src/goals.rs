//! The goals: P1 to P9 are counts and gate a build; P10 to P19 are ratios and gate nothing.

use crate::chart::number;
use crate::growth::{self, GrowthPoint};
use crate::results::Results;

#[derive(Clone)]
pub struct Goal {
    pub id: &'static str,
    pub what: String,
    /// `None` if this run did not measure it.
    pub value: Option<f64>,
    pub must: f64,
    /// What was asked for first, if it changed; the page says why.
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

/// The gate's goals, with what this run found.
pub fn counts(results: &Results) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut add = |id, what: &str, value: Option<f64>, must, stretch| {
        goals.push(Goal { id, what: what.into(), value, must, first: revised(id, what), stretch });
    };
    let calls = |name: &str| Some(results.measurement(name).allocations.calls() as f64);
    let bytes = |name: &str| Some(results.measurement(name).allocations.bytes as f64);
    let instructions =
        |name: &str| results.measurement(name).instructions.map(|count| count as f64);

    add("P1", "encode a request: allocations", calls("encode"), 3.0, None);
    add("P1", "encode a request: bytes", bytes("encode"), 1_500.0, None);
    add("P1", "encode a request: instructions", instructions("encode"), 3_800.0, Some(2_100.0));
    add("P2", "encode into a buffer: allocations", calls("body"), 0.0, None);
    add("P2", "encode into a buffer: instructions", instructions("body"), 2_200.0, Some(450.0));
    add("P3", "the same request again: allocations", calls("retry"), 2.0, None);
    add("P4", "read the documented reply: allocations", calls("read-small"), 2.0, Some(1.0));
    let small = instructions("read-small");
    add("P4", "read the documented reply: instructions", small, 3_500.0, Some(3_000.0));
    add("P5", "read the large reply: allocations", calls("read-large"), 12.0, None);
    add("P5", "read the large reply: bytes", bytes("read-large"), 800.0, None);
    let large = instructions("read-large");
    add("P5", "read the large reply: instructions", large, 38_000.0, Some(21_000.0));
    let unknown = calls("read-200-unknown").zip(calls("read-20-unknown")).map(|(a, b)| a - b);
    add("P6", "180 more unknown members: allocations", unknown, 0.0, None);
    for (name, must) in [("hyper", 2.0), ("reqwest", 0.0), ("ureq", 2.0)] {
        let what = format!("capture-{name} - {name} by hand: allocations");
        let hand = format!("{name}/hand");
        let more = calls(name).zip(calls(&hand)).map(|(ours, hand)| ours - hand);
        add("P7", &what, more, must, Some(0.0));
    }
    for (name, must) in [("hyper", 1.25), ("reqwest", 1.1), ("ureq", 1.05)] {
        let what = format!("capture-{name} / {name} by hand: instructions");
        let hand = format!("{name}/hand");
        let hand = instructions(&hand);
        let ratio = instructions(name).zip(hand).map(|(ours, hand)| ours / hand);
        add("P8", &what, ratio, must, Some(1.0));
    }
    for ((package, count), must) in results.crates.iter().zip([23.0, 48.0, 68.0, 108.0]) {
        let what = format!("crates in {package}");
        add("P9", &what, Some(*count as f64), must, None);
    }
    goals
}

/// The goals that were wrong at first; `report/limits.md` says why.
fn revised(id: &str, what: &str) -> Option<f64> {
    let all = [
        ("P1", "bytes", 600.0),
        ("P5", "bytes", 500.0),
        ("P5", "instructions", 23_000.0),
        ("P8", "hyper by hand: instructions", 1.05),
        ("P8", "reqwest by hand: instructions", 1.05),
        ("P12", "CPU time", 0.30),
        ("P9", "-core", 18.0),
        ("P9", "-ureq", 38.0),
        ("P9", "-hyper", 62.0),
        ("P9", "-reqwest", 100.0),
    ];
    let known = all.into_iter().find(|known| known.0 == id && what.ends_with(known.1));
    known.map(|known| known.2)
}

/// The other goals, which need a whole run.
pub fn ratios(results: &Results) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut add = |id, what: String, value: Option<f64>, must, stretch| {
        let first = revised(id, &what);
        goals.push(Goal { id, what, value, must, first, stretch: Some(stretch) });
    };
    for (id, ours, peer, what, must, stretch) in [
        ("P10", "encode", "encode/serde", "encode / derive", 0.42, 0.30),
        ("P11", "read-small", "read-small/value", "read small / Value", 0.40, 0.33),
        ("P11", "read-small", "read-small/serde", "read small / derive", 1.05, 0.95),
        ("P12", "read-large", "read-large/value", "read large / Value", 0.34, 0.25),
        ("P13", "encode", "encode/oauth2", "encode / oauth2", 0.33, 0.21),
        ("P13", "encode", "encode/stripe", "encode / async-stripe", 0.40, 0.25),
    ] {
        add(id, format!("{what}: CPU time"), results.cpu_ratio(ours, peer), must, stretch);
    }
    // No goal was set for HTTP/2 and TLS; the table of the clients has them.
    for (name, in_flight) in
        [("hyper", 1), ("hyper", 16), ("reqwest", 1), ("reqwest", 16), ("ureq", 1), ("ureq", 16)]
    {
        let ratio =
            results.load_ratio((name, &format!("{name}/hand")), in_flight, |rounds| &rounds.cpu);
        let what = format!("capture-{name} / by hand, {in_flight} in flight: CPU time");
        add("P14", what, ratio, 1.05, 1.0);
    }
    let ratio = results.load_ratio(("hyper", "reqwest/hand"), 16, |rounds| &rounds.cpu);
    add("P15", "capture-hyper / reqwest by hand, 16 in flight: CPU time".into(), ratio, 0.75, 0.65);
    let ratio = results.load_ratio(("hyper-h2", "hyper"), 1, |rounds| &rounds.time);
    add("P16", "HTTP/2 / HTTP/1.1 with capture-hyper: median time".into(), ratio, 2.0, 1.3);
    let size =
        |package| Some(results.build_costs.iter().find(|built| built.package == package)?.size);
    let ratio = size("capture-core").zip(size("capture-reqwest")).map(|(a, b)| a as f64 / b as f64);
    add(
        "P17",
        "a program over the core alone / over capture-reqwest: size".into(),
        ratio,
        0.12,
        0.09,
    );
    for name in growth::CLIENTS {
        let row = |point: &&GrowthPoint| point.name == name && point.in_flight == 1;
        let in_a_row = || results.growth.iter().filter(row);
        let most = in_a_row().max_by_key(|point| point.total);
        let ends = in_a_row().find(|point| point.total == 10_000).zip(most);
        let total = number(most.map_or(0.0, |point| point.total as f64));
        let what = format!("{}, {total} in a row / 10,000", results.measurement(name).title);
        let ratio = ends.map(|(few, many)| many.cpu / few.cpu);
        add("P18", format!("{what}: CPU time"), ratio, 1.15, 1.05);
        let ratio = ends.map(|(few, many)| many.peak as f64 / few.peak as f64);
        add("P19", format!("{what}: peak memory"), ratio, 1.15, 1.05);
    }
    goals
}
