//! One whole run: everything that is measured, in the order in which it is measured.

use std::collections::BTreeMap;

use crate::children::{self, Allocations, Server};
use crate::compile::{self, Built};
use crate::measure::{self, median, ratio};
use crate::{clients, grow, net, rows};

/// In flight at once, and captures per client and round.
pub const LOADS: [(usize, usize); 3] = [(1, 3_000), (16, 6_400), (256, 5_120)];
pub const ROUNDS: usize = 15;
pub const PACKAGES: [&str; 4] =
    ["capture-core", "capture-ureq", "capture-hyper", "capture-reqwest"];

pub struct Results {
    pub lines: Vec<Line>,
    pub growth: Vec<grow::Point>,
    pub crates: Vec<(&'static str, usize)>,
    pub built: Vec<Built>,
    /// Whether client and server had a processor each.
    pub is_pinned: bool,
}

/// What is known about one row.
pub struct Line {
    pub name: &'static str,
    pub what: &'static str,
    pub allocations: Allocations,
    pub instructions: Option<u64>,
    /// CPU nanoseconds of one operation in each round, where there is no network.
    pub cpu: Vec<f64>,
    /// For each load what its rounds found.
    pub loads: Vec<Load>,
}

/// One load, round by round; nothing where it was not measured.
#[derive(Default, Clone)]
pub struct Load {
    /// CPU microseconds of one capture.
    pub cpu: Vec<f64>,
    /// Microseconds from the call to the outcome, the median of a round.
    pub time: Vec<f64>,
}

impl Line {
    /// A peer's name holds the name of what it stands beside.
    pub fn is_ours(&self) -> bool {
        !self.name.contains('/')
    }

    pub fn is_net(&self) -> bool {
        net::is_net(self.name)
    }

    pub fn cpu(&self) -> Option<f64> {
        (!self.cpu.is_empty()).then(|| median(self.cpu.clone()))
    }
}

impl Results {
    /// Only what is the same on every run: counts, and instructions where valgrind is there.
    pub fn counted(server: &Server, is_wanted: fn(&str) -> bool) -> Self {
        let core = rows(None).into_iter().map(|row| (row.name, row.what));
        let all: Vec<_> = core.chain(net::NAMES).filter(|row| is_wanted(row.0)).collect();
        eprintln!("capture-bench: the allocations of {} rows", all.len());
        let allocations = children::allocations(&server.place);
        let names: Vec<_> = all.iter().map(|row| row.0).collect();
        let instructions = children::instructions(&names, &server.place);
        let line = |((name, what), instructions): ((&'static str, &'static str), _)| Line {
            name,
            what,
            allocations: allocations[name],
            instructions,
            cpu: Vec::new(),
            loads: Vec::new(),
        };
        let lines = all.into_iter().zip(instructions).map(line).collect();
        let crates = PACKAGES.map(|package| (package, children::crates(package))).to_vec();
        Self { lines, crates, growth: Vec::new(), built: Vec::new(), is_pinned: false }
    }

    /// The same with times, growth and builds.
    pub fn measured(server: &Server) -> Self {
        let mut results = Self::counted(server, |_| true);
        results.built = compile::all();
        results.is_pinned = measure::pin(0);
        eprintln!("capture-bench: CPU time without a network, {} rounds", measure::ROUNDS);
        let mut core = rows(None);
        let cpu = measure::cpu(&mut core);
        let mut cpu: BTreeMap<_, _> = core.iter().map(|row| row.name).zip(cpu).collect();
        let mut loads = net(server);
        for line in &mut results.lines {
            line.cpu = cpu.remove(line.name).unwrap_or_default();
            line.loads = loads.remove(line.name).unwrap_or_default();
        }
        results.growth = grow::points(&server.place);
        results
    }

    /// The row of that name.
    ///
    /// # Panics
    /// When there is none.
    pub fn line(&self, name: &str) -> &Line {
        self.find(name).unwrap_or_else(|| panic!("there is no row {name}"))
    }

    /// The row of that name; the gate does without some.
    pub fn find(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }

    /// How the CPU time of two rows compares, without a network.
    pub fn cpu_ratio(&self, ours: &str, peer: &str) -> Option<f64> {
        ratio(&self.find(ours)?.cpu, &self.find(peer)?.cpu)
    }

    /// How two clients compare under a load, by what `pick` takes of it.
    pub fn load_ratio(
        &self,
        (ours, peer): (&str, &str),
        in_flight: usize,
        pick: fn(&Load) -> &Vec<f64>,
    ) -> Option<f64> {
        let at = LOADS.iter().position(|load| load.0 == in_flight)?;
        let side = |name| self.find(name)?.loads.get(at).map(pick);
        ratio(side(ours)?, side(peer)?)
    }
}

/// Rounds over all clients, at each load.
fn net(server: &Server) -> BTreeMap<&'static str, Vec<Load>> {
    let clients = net::NAMES.map(|(name, _)| (name, clients::drive(name, &server.place)));
    let mut found = BTreeMap::new();
    for (in_flight, total) in LOADS {
        eprintln!("capture-bench: {in_flight} in flight, {ROUNDS} rounds");
        let mut loads = vec![Load::default(); clients.len()];
        for round in 0..=ROUNDS {
            for at in measure::in_turn(round, clients.len()) {
                let (name, client) = &clients[at];
                // With room for three idle connections most captures open one, and a port stays
                // taken for a minute after each.
                let total = match (name.trim_end_matches("/hand"), in_flight) {
                    ("ureq", 256) => continue,
                    ("ureq", 16) => 160,
                    _ => total,
                };
                let cost = (client.many)(in_flight, total);
                if round > 0 {
                    loads[at].cpu.push(cost.cpu.as_secs_f64() * 1e6);
                    loads[at].time.push(cost.median.as_secs_f64() * 1e6);
                }
            }
        }
        for ((name, _), load) in clients.iter().zip(loads) {
            found.entry(*name).or_insert_with(Vec::new).push(load);
        }
    }
    found
}
