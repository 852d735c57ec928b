//! The exhaustive check: every sequence of events, against every server, with a crash at every step.
//!
//! The real machine is driven by every kind of answer in every state, while the model server does
//! everything that the answer allows: the request never arrived, arrives later, was executed, was
//! executed and answered with an error. Any process may die at any step, and another one resumes its capture.
//!
//! Two arguments keep the search finite:
//!
//! - **Merging.** Two captures with the same [`capture_core::driver::Progress`], the same server and the
//!   same history bits below continue in the same way, because nothing else in the machine decides anything; the
//!   record of attempts only grows. A test compares the merged search with the plain tree of all
//!   sequences up to a depth.
//! - **Time is chosen, not counted.** The deadline is far away, and passing it is an event that may
//!   happen at any step, as is a day between two processes. So every real timing is covered, and
//!   some that no clock can produce.

pub mod events;
mod invariants;
mod node;
mod scope;
pub mod server;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;

use events::Catalogue;
use node::{Event, Key, Node};
pub use scope::{DEADLINE, Scope, against, may_capture_twice, scopes};

/// A broken invariant, and the shortest way to it.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Its name, such as `I3`.
    pub invariant: &'static str,
    /// What was seen.
    pub what: String,
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
    pub ends: HashMap<&'static str, u64>,
    /// Sequences of events from the start, by their length (from 1).
    pub sequences: Vec<f64>,
    /// The first violation of each invariant.
    pub violations: Vec<Violation>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)?;
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
    let catalogue = Catalogue::new();
    let mut coverage = Coverage::default();
    let mut known: HashMap<Key, u32> = HashMap::new();
    let mut came_from: Vec<Option<(u32, String)>> = Vec::new();
    let mut successors: Vec<Vec<(u32, Edges)>> = Vec::new();
    let start = Node::start(scope);
    let mut queue = VecDeque::from([(0_u32, start.clone())]);
    known.insert(start.key(), 0);
    came_from.push(None);

    while let Some((id, node)) = queue.pop_front() {
        if let Some(end) = node.end() {
            *coverage.ends.entry(end).or_default() += 1;
        }
        let mut next: HashMap<u32, Edges> = HashMap::new();
        node.successors(&catalogue, &mut |event, successor| {
            coverage.transitions += 1;
            if matches!(event, Event::Token(_) | Event::Answer(..) | Event::Waited(_)) {
                coverage.edges.insert((node.name(), successor.name()));
            }
            if let Some((invariant, what)) = invariants::check(&node, &successor) {
                if !coverage.violations.iter().any(|known| known.invariant == invariant) {
                    let mut trace = trace(&came_from, id);
                    trace.push(event.to_string());
                    coverage.violations.push(Violation { invariant, what, trace });
                }
                return;
            }
            let fresh = u32::try_from(known.len()).expect("fewer states than that");
            let to = *known.entry(successor.key()).or_insert(fresh);
            if to == fresh {
                came_from.push(Some((id, event.to_string())));
                queue.push_back((fresh, successor));
            }
            let edges = next.entry(to).or_default();
            edges.events += 1;
            edges.without_waiting |= !matches!(event, Event::Waited(_));
        });
        debug_assert_eq!(successors.len(), id as usize, "breadth first");
        successors.push(next.into_iter().collect());
        if stop && !coverage.violations.is_empty() {
            break;
        }
    }
    if coverage.violations.is_empty() && spins(&successors) {
        let what = "events can follow each other for ever without waiting".to_owned();
        coverage.violations.push(Violation { invariant: "I19", what, trace: Vec::new() });
    }
    coverage.states = known.len();
    coverage.sequences = sequences(&successors, 16);
    coverage
}

/// How many distinct states lie after exactly 1, 2, 3... events: found by walking every sequence one
/// by one, and found by merging equal states after each event. The two must agree.
#[must_use]
pub fn plain_and_merged(scope: Scope, depth: usize) -> (Vec<usize>, Vec<usize>) {
    let catalogue = Catalogue::new();
    let walk = |merging: bool| {
        let mut nodes = vec![Node::start(scope)];
        let mut counts = Vec::new();
        for _ in 0..depth {
            let mut next = Vec::new();
            let mut seen = HashSet::new();
            for node in &nodes {
                node.successors(&catalogue, &mut |_, successor| {
                    if seen.insert(successor.key()) || !merging {
                        next.push(successor);
                    }
                });
            }
            counts.push(seen.len());
            nodes = next;
        }
        counts
    };
    (walk(false), walk(true))
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

/// The events that lead from one state to another.
#[derive(Debug, Clone, Copy, Default)]
struct Edges {
    events: u32,
    /// Whether one of them takes no waiting.
    without_waiting: bool,
}

/// Whether a cycle needs no waiting: then only luck would end it. (Every wait takes at least
/// half a second off the deadline, so cycles that wait do end.)
fn spins(successors: &[Vec<(u32, Edges)>]) -> bool {
    let eager = |edges: &[(u32, Edges)]| {
        edges
            .iter()
            .filter(|(_, edge)| edge.without_waiting)
            .map(|(to, _)| *to as usize)
            .collect::<Vec<_>>()
    };
    // States that nothing leads to are removed, again and again: what remains lies on a cycle.
    let mut incoming = vec![0_u32; successors.len()];
    successors.iter().flat_map(|edges| eager(edges)).for_each(|to| incoming[to] += 1);
    let mut free: Vec<usize> = (0..incoming.len()).filter(|state| incoming[*state] == 0).collect();
    let mut taken = 0;
    while let Some(state) = free.pop() {
        taken += 1;
        for to in eager(&successors[state]) {
            incoming[to] -= 1;
            if incoming[to] == 0 {
                free.push(to);
            }
        }
    }
    taken < successors.len()
}

/// How many sequences of 1, 2, 3... events there are, by counting paths instead of walking them.
fn sequences(successors: &[Vec<(u32, Edges)>], longest: usize) -> Vec<f64> {
    let mut ways = vec![0.0; successors.len()];
    let mut counts = Vec::new();
    if let Some(first) = ways.first_mut() {
        *first = 1.0;
    }
    for _ in 0..longest {
        let mut next = vec![0.0; successors.len()];
        for (from, edges) in successors.iter().enumerate() {
            for (to, edge) in edges {
                if let Some(count) = next.get_mut(*to as usize) {
                    *count += ways[from] * f64::from(edge.events);
                }
            }
        }
        counts.push(next.iter().sum());
        ways = next;
    }
    counts
}
