//! One whole run: everything that is measured, in the order in which it is measured.

use std::collections::BTreeMap;

use crate::children::{self, Allocations, Server};
use crate::measure::median;
use crate::{grow, measure, net, rows};

/// In flight at once, and captures per client and round.
pub const LOADS: [(usize, usize); 3] = [(1, 1_000), (16, 3_200), (256, 5_120)];
const ROUNDS: usize = 7;
pub const PACKAGES: [&str; 4] =
    ["capture-core", "capture-ureq", "capture-hyper", "capture-reqwest"];

pub struct Results {
    pub lines: Vec<Line>,
    pub growth: Vec<grow::Point>,
    pub crates: Vec<(&'static str, usize)>,
}

/// What is known about one row.
pub struct Line {
    pub name: &'static str,
    pub what: &'static str,
    pub allocations: Allocations,
    pub instructions: Option<u64>,
    /// CPU nanoseconds of one operation, where there is no network.
    pub cpu: Option<f64>,
    /// For each load: CPU microseconds of one capture, and the median time of one.
    pub loads: Vec<Option<(f64, f64)>>,
}

impl Line {
    /// A peer's name holds the name of what it stands beside.
    pub fn is_ours(&self) -> bool {
        !self.name.contains('/')
    }

    pub fn is_net(&self) -> bool {
        net::NAMES.iter().any(|known| known.0 == self.name)
    }
}

impl Results {
    /// Only what is the same on every run: counts, and instructions where valgrind is there.
    pub fn counted(server: &Server) -> Self {
        let allocations = children::allocations(&server.address);
        let line = |(name, what, address): (&'static str, &'static str, &str)| {
            let valgrind = children::has_valgrind();
            let instructions = valgrind.then(|| children::instructions(name, address));
            let allocations = allocations[name];
            Line { name, what, allocations, instructions, cpu: None, loads: Vec::new() }
        };
        let core = rows(None).into_iter().map(|row| (row.name, row.what, ""));
        let net = net::NAMES.into_iter().map(|(name, what)| (name, what, &*server.address));
        let crates = PACKAGES.map(|package| (package, children::crates(package))).to_vec();
        Self { lines: core.chain(net).map(line).collect(), growth: Vec::new(), crates }
    }

    /// The same with times and growth.
    pub fn measured(server: &Server) -> Self {
        let mut results = Self::counted(server);
        let mut core = rows(None);
        let cpu = measure::cpu(&mut core);
        let mut cpu: BTreeMap<_, _> = core.iter().map(|row| row.name).zip(cpu).collect();
        let mut loads = net(server);
        for line in &mut results.lines {
            line.cpu = cpu.remove(line.name);
            line.loads = loads.remove(line.name).unwrap_or_default();
        }
        results.growth = grow::points(&server.address);
        results
    }

    pub fn line(&self, name: &str) -> &Line {
        self.lines.iter().find(|line| line.name == name).expect("a known row")
    }
}

/// Rounds over all clients, at each load.
fn net(server: &Server) -> BTreeMap<&'static str, Vec<Option<(f64, f64)>>> {
    let subjects = net::NAMES.map(|(name, _)| net::subject(name, &server.address));
    let mut found = BTreeMap::new();
    for (in_flight, total) in LOADS {
        let mut samples = vec![Vec::new(); subjects.len()];
        for round in 0..=ROUNDS {
            for (subject, samples) in subjects.iter().zip(&mut samples) {
                // ureq has a thread for each capture, and opens a connection for most of them.
                let total = match (subject.name.starts_with("ureq"), in_flight) {
                    (true, 256) => continue,
                    (true, 16) => 480,
                    _ => total,
                };
                let cost = subject.many(in_flight, total);
                if round > 0 {
                    samples.push((cost.cpu.as_secs_f64() * 1e6, cost.median.as_secs_f64() * 1e6));
                }
            }
        }
        for (subject, samples) in subjects.iter().zip(samples) {
            let (cpu, time): (Vec<_>, Vec<_>) = samples.into_iter().unzip();
            let load = (!cpu.is_empty()).then(|| (median(cpu), median(time)));
            found.entry(subject.name).or_insert_with(Vec::new).push(load);
        }
    }
    found
}
