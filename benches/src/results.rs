//! One whole run: everything that is measured, in the order in which it is measured.

use std::collections::BTreeMap;

use crate::build_cost::{self, BuildCost, PACKAGES};
use crate::children::{self, Allocations, ServerProcess};
use crate::growth::{self, GrowthPoint};
use crate::measure::{self, median, ratio};
use crate::{clients, suite};

/// In flight at once, and captures per client and round.
pub const LOADS: [(usize, usize); 3] = [(1, 3_000), (16, 6_400), (256, 5_120)];
pub const ROUNDS: usize = 15;

pub struct Results {
    pub measurements: Vec<Measurement>,
    pub growth: Vec<GrowthPoint>,
    pub crates: Vec<(&'static str, usize)>,
    pub build_costs: Vec<BuildCost>,
    /// Whether client and server had a processor each.
    pub is_pinned: bool,
}

/// What is known about one benchmark.
pub struct Measurement {
    pub name: &'static str,
    pub title: &'static str,
    pub allocations: Allocations,
    /// `None` without valgrind.
    pub instructions: Option<u64>,
    /// CPU nanoseconds of one operation in each round, where there is no network.
    pub cpu: Vec<f64>,
    /// For each of [`LOADS`] what its rounds found.
    pub loads: Vec<Rounds>,
}

/// One client under one load, round by round; empty where it was not measured.
#[derive(Default, Clone)]
pub struct Rounds {
    /// CPU microseconds of one capture.
    pub cpu: Vec<f64>,
    /// Microseconds from the call to the outcome, the median of a round.
    pub time: Vec<f64>,
}

impl Measurement {
    /// Whether it measures Capture: a peer's name has a `/`.
    pub fn is_ours(&self) -> bool {
        !self.name.contains('/')
    }

    pub fn is_client(&self) -> bool {
        clients::is_client(self.name)
    }

    pub fn cpu(&self) -> Option<f64> {
        (!self.cpu.is_empty()).then(|| median(self.cpu.clone()))
    }
}

impl Results {
    /// Only what is the same on every run: counts, and instructions where valgrind is installed.
    pub fn counted(server: &ServerProcess, is_wanted: fn(&str) -> bool) -> Self {
        let local = suite::local().into_iter().map(|benchmark| (benchmark.name, benchmark.title));
        let all: Vec<_> = local.chain(clients::NAMES).filter(|known| is_wanted(known.0)).collect();
        eprintln!("capture-bench: the allocations of {} benchmarks", all.len());
        let allocations = children::allocations(&server.endpoint);
        let names: Vec<_> = all.iter().map(|known| known.0).collect();
        let instructions = children::instructions(&names, &server.endpoint);
        let measurement = |((name, title), instructions): ((&'static str, &'static str), _)| {
            let (cpu, loads, allocations) = (Vec::new(), Vec::new(), allocations[name]);
            Measurement { name, title, allocations, instructions, cpu, loads }
        };
        let measurements = all.into_iter().zip(instructions).map(measurement).collect();
        let crates = PACKAGES.map(|package| (package, children::crates(package))).to_vec();
        let (growth, build_costs) = (Vec::new(), Vec::new());
        Self { measurements, growth, crates, build_costs, is_pinned: false }
    }

    /// The same with times, growth and builds.
    pub fn measured(server: &ServerProcess) -> Self {
        let mut results = Self::counted(server, |_| true);
        results.build_costs = build_cost::all();
        results.is_pinned = measure::pin(0);
        eprintln!("capture-bench: CPU time without a network, {} rounds", measure::ROUNDS);
        let mut local = suite::local();
        let cpu = measure::cpu(&mut local);
        let mut cpu: BTreeMap<_, _> =
            local.iter().map(|benchmark| benchmark.name).zip(cpu).collect();
        let mut loads = under_load(server);
        for measured in &mut results.measurements {
            measured.cpu = cpu.remove(measured.name).unwrap_or_default();
            measured.loads = loads.remove(measured.name).unwrap_or_default();
        }
        results.growth = growth::points(&server.endpoint);
        results
    }

    pub fn has_instructions(&self) -> bool {
        self.measurements.iter().all(|measured| measured.instructions.is_some())
    }

    /// The measurement of that name.
    ///
    /// # Panics
    /// When there is none.
    pub fn measurement(&self, name: &str) -> &Measurement {
        self.find(name).unwrap_or_else(|| panic!("there is no benchmark {name}"))
    }

    /// The measurement of that name, unless this run did without it.
    pub fn find(&self, name: &str) -> Option<&Measurement> {
        self.measurements.iter().find(|measured| measured.name == name)
    }

    /// How the CPU time of two benchmarks compares, without a network.
    pub fn cpu_ratio(&self, ours: &str, peer: &str) -> Option<f64> {
        ratio(&self.find(ours)?.cpu, &self.find(peer)?.cpu)
    }

    /// How two clients compare under a load, by what `pick` takes of it.
    pub fn load_ratio(
        &self,
        (ours, peer): (&str, &str),
        in_flight: usize,
        pick: fn(&Rounds) -> &Vec<f64>,
    ) -> Option<f64> {
        let at = LOADS.iter().position(|load| load.0 == in_flight)?;
        let side = |name| self.find(name)?.loads.get(at).map(pick);
        ratio(side(ours)?, side(peer)?)
    }
}

/// Rounds over all clients, under each load.
fn under_load(server: &ServerProcess) -> BTreeMap<&'static str, Vec<Rounds>> {
    let subjects = clients::NAMES.map(|(name, _)| (name, clients::subject(name, &server.endpoint)));
    let mut found = BTreeMap::new();
    for (in_flight, total) in LOADS {
        eprintln!("capture-bench: {in_flight} in flight, {ROUNDS} rounds");
        let mut of_each = vec![Rounds::default(); subjects.len()];
        for round in 0..=ROUNDS {
            for at in measure::in_turn(round, subjects.len()) {
                let (name, subject) = &subjects[at];
                // A handshake each.
                let shakes =
                    name.contains("-tls") && !name.contains("-h2") && !name.ends_with("/kept");
                let total = if shakes { total / 10 } else { total };
                let cost = (subject.many)(in_flight, total);
                if round > 0 {
                    of_each[at].cpu.push(cost.cpu.as_secs_f64() * 1e6);
                    of_each[at].time.push(cost.median.as_secs_f64() * 1e6);
                }
            }
        }
        for ((name, _), rounds) in subjects.iter().zip(of_each) {
            found.entry(*name).or_insert_with(Vec::new).push(rounds);
        }
    }
    found
}
