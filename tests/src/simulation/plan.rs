//! What a run is given, and what it gives back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::clause::Clause;
use super::trouble::Trouble;
use crate::misuse::Misuse;
use crate::subject::Mutant;

/// What to simulate.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Where every decision comes from.
    pub seed: u64,
    /// How the clients are broken, if they are.
    pub mutant: Option<Mutant>,
    /// How the journal is used wrongly, if it is.
    pub misuse: Option<Misuse>,
    /// Faults, by number, that do not happen: for finding the few that matter.
    pub without: BTreeSet<u64>,
    /// Kinds of trouble that do not happen: for showing that each is missed.
    pub off: BTreeSet<Trouble>,
    /// The only clause that is judged, if not all are.
    pub only: Option<Clause>,
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

impl Summary {
    /// The trace without the lines that only name a fault: what the fault did remains.
    #[must_use]
    pub fn effects(&self) -> Vec<&str> {
        self.trace.iter().map(String::as_str).filter(|line| !line.contains("fault: ")).collect()
    }
}

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which part of which invariant.
    pub clause: Clause,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.clause.invariant(), self.what)
    }
}
