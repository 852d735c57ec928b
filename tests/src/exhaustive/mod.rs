//! The exhaustive check: every sequence of events, against every server, with a crash at every step.
//!
//! The real machine is driven by every kind of answer in every state, while the model server does
//! everything that the answer allows: the request never arrived, arrives later, was executed, was
//! executed and answered with an error.
//!
//! The journal is the only memory (`record.rs`): its own `decide` and `merge`, and rows that are never
//! more than what a process made durable. A process dies before its claim is durable, at any step of
//! its work, between its outcome and the record of it, and after that before it is told (`life.rs`).
//! The next one has what the journal answers, and nothing else. In some scopes a process is only
//! thought to be dead once it has its outcome, and records it late. One that goes on sending meanwhile
//! would square the number of states: the simulation and the sequences of two processes have it.
//!
//! Two arguments keep the search finite:
//!
//! - **Merging.** Two captures with the same [`capture_core::driver::Progress`], the same server, the
//!   same standing in the journal and the same history continue in the same way (`key.rs`), because nothing else in the machine decides
//!   anything; the record of attempts only grows. A test walks sequences without merging, to any
//!   depth, and finds at each step what the merged search found (`merging.rs`).
//! - **Time is chosen, not counted.** The deadline is far away, and passing it is an event that may
//!   happen at any step, as is a day between two processes. So every real timing is covered, and
//!   some that no clock can produce.
//!
//! Three things are assumed: no capture follows once an order is cancelled; no request arrives later than
//! a day; a server that keeps keys keeps them for 24 hours.

mod clause;
pub mod events;
mod graph;
mod invariants;
mod key;
mod kinds;
mod life;
mod merging;
mod node;
mod process;
mod record;
mod scope;
pub mod server;
mod trace;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;

pub use clause::{Broken, Clause};
use events::Catalogue;
use graph::{Graph, State};
use key::Key;
pub use merging::{key_parts, merging_loses, where_it_decides};
use node::Node;
pub use scope::{Scope, against, further, may_capture_twice, policy, scopes, showing};
use trace::Event;

use crate::subject::Said;

/// A broken invariant, and the shortest way to it.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Which part of it.
    pub clause: Clause,
    /// Every event from the start.
    pub trace: Vec<String>,
}

/// What a search covered.
#[derive(Debug, Default)]
pub struct Coverage {
    /// Distinct states.
    pub states: usize,
    /// Events that were tried in them.
    pub transitions: u64,
    /// Which of the machine's states follow each other, by the names in the documentation.
    pub edges: BTreeSet<(&'static str, &'static str)>,
    /// How often each outcome was the end.
    pub ends: HashMap<Said, u64>,
    /// Sequences of events from the start, by their length (from 1).
    pub sequences: Vec<f64>,
    /// The first violation of each clause.
    pub violations: Vec<Violation>,
}

impl Violation {
    /// The invariant's name, such as `I3`.
    #[must_use]
    pub fn invariant(&self) -> &'static str {
        self.clause.invariant()
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant(), self.clause.what())?;
        for (number, event) in (1..).zip(&self.trace) {
            write!(f, "\n    {number}. {event}")?;
        }
        Ok(())
    }
}

/// How many kinds of answers the catalogue has: to a capture, and to a lookup in any state.
#[must_use]
pub fn kinds() -> (usize, usize) {
    let catalogue = Catalogue::new();
    let names: BTreeSet<_> =
        catalogue.lookup.iter().flat_map(|(_, kinds)| kinds).map(|kind| &kind.name).collect();
    (catalogue.capture.len(), names.len())
}

/// Searches everything in scope; with `stop` it ends at the first violation.
#[must_use]
pub fn search(scope: Scope, stop: bool) -> Coverage {
    explore(scope, stop).coverage
}

/// What a search found.
struct Found {
    graph: Graph,
    coverage: Coverage,
    /// Another node for each merged state: one that differs in what is forgotten, if there is one.
    others: HashMap<u32, (bool, Node)>,
}

fn explore(scope: Scope, stop: bool) -> Found {
    let catalogue = if scope.few { Catalogue::few() } else { Catalogue::new() };
    let mut others: HashMap<u32, (bool, Node)> = HashMap::new();
    let mut whole: Vec<Key> = Vec::new();
    let mut coverage = Coverage::default();
    let mut graph = Graph::default();
    let mut came_from: Vec<Option<(u32, String)>> = vec![None];
    let start = Node::start(scope);
    graph.id(start.key(scope.forgotten));
    whole.push(start.key(None));
    let mut queue = VecDeque::from([(0_u32, start)]);

    while let Some((id, node)) = queue.pop_front() {
        if let Some(said) = node.life.told() {
            *coverage.ends.entry(said).or_default() += 1;
        }
        let mut next = State::default();
        node.successors(&catalogue, &mut |event, successor| {
            coverage.transitions += 1;
            if matches!(event, Event::Token(..) | Event::Answer(..) | Event::Waited(_)) {
                coverage.edges.insert((node.name(), successor.name()));
            }
            if let Some(clause) = invariants::broken(&node, &successor) {
                if !coverage.violations.iter().any(|known| known.clause == clause) {
                    let mut trace = trace(&came_from, id);
                    trace.push(event.to_string());
                    coverage.violations.push(Violation { clause, trace });
                }
                *next.broken.entry(clause).or_default() += 1;
                return;
            }
            let (to, is_new) = graph.id(successor.key(scope.forgotten));
            next.add(to, &event);
            if is_new {
                came_from.push(Some((id, event.to_string())));
                if scope.few {
                    whole.push(successor.key(None));
                }
                queue.push_back((to, successor));
            } else if scope.few && !others.get(&to).is_some_and(|(differs, _)| *differs) {
                let differs = successor.key(None) != whole[to as usize];
                if differs || !others.contains_key(&to) {
                    others.insert(to, (differs, successor));
                }
            }
        });
        debug_assert_eq!(graph.states.len(), id as usize, "breadth first");
        graph.states.push(next);
        if stop && !coverage.violations.is_empty() {
            break;
        }
    }
    let judges_cycles = scope.only.is_none_or(|only| only == Clause::Spins);
    if coverage.violations.is_empty() && judges_cycles && graph.spins() {
        coverage.violations.push(Violation { clause: Clause::Spins, trace: Vec::new() });
    }
    coverage.states = graph.len();
    coverage.sequences = graph.sequences(16);
    Found { graph, coverage, others }
}

fn trace(came_from: &[Option<(u32, String)>], mut id: u32) -> Vec<String> {
    let mut trace = Vec::new();
    while let Some((from, event)) = &came_from[id as usize] {
        trace.push(event.clone());
        id = *from;
    }
    trace.reverse();
    trace
}
