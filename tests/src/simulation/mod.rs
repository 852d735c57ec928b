//! The random simulation: the real machine against the real sandbox, in virtual time.
//!
//! One seed is one run: a few orders, a few processes, a network that loses, delays and repeats, a
//! server that goes down, orders that are cancelled or whose window ends, processes that die, wall
//! clocks that jump. After a while the faults stop, and every order must settle. The same seed gives
//! the same trace, byte for byte.

mod chance;
mod fault;
mod process;
mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::subject::Mutant;

/// What to simulate.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Where every decision comes from.
    pub seed: u64,
    /// How the clients are broken, if they are.
    pub mutant: Option<Mutant>,
    /// Faults, by number, that do not happen: for finding the few that matter.
    pub without: BTreeSet<u64>,
    /// Whether to write the trace.
    pub traced: bool,
}

/// What happened in one run.
#[derive(Debug, Default)]
pub struct Summary {
    /// How often each kind of thing happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// The faults that happened, by number.
    pub faults: Vec<u64>,
    /// Everything, line by line, if it was asked for.
    pub trace: Vec<String>,
    /// The first broken invariant.
    pub violation: Option<Violation>,
}

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its name, such as `I3`.
    pub invariant: &'static str,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}

/// Plays one run to its end.
#[must_use]
pub fn play(plan: &Plan) -> Summary {
    run::Simulation::new(plan).play()
}

/// The same failing run with as few faults as possible, and its trace.
#[must_use]
pub fn shrink(plan: &Plan) -> (Plan, Summary) {
    let mut best = Plan { traced: true, ..plan.clone() };
    let mut summary = play(&best);
    let invariant = summary.violation.as_ref().map(|violation| violation.invariant);
    // Latest first: what came after the mistake goes away at once.
    for fault in summary.faults.clone().into_iter().rev() {
        let mut fewer = best.clone();
        fewer.without.insert(fault);
        let shorter = play(&fewer);
        if shorter.violation.as_ref().map(|violation| violation.invariant) == invariant {
            (best, summary) = (fewer, shorter);
        }
    }
    (best, summary)
}
