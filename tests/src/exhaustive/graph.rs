//! The graph that the search draws: merged states, and the events between them.

use std::collections::{BTreeMap, HashMap};

use super::clause::Clause;
use super::key::Key;
use super::trace::Event;

/// Every state that was found, numbered in the order of its discovery.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    ids: HashMap<Key, u32>,
    pub(crate) states: Vec<State>,
}

/// What can happen in one state.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// The states that can follow.
    pub(crate) next: BTreeMap<u32, Edges>,
    /// How many events break a clause.
    pub(crate) broken: BTreeMap<Clause, u32>,
}

/// The events that lead from one state to another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Edges {
    events: u32,
    /// Whether one of them takes no waiting.
    without_waiting: bool,
}

impl State {
    pub(crate) fn add(&mut self, to: u32, event: &Event<'_>) {
        let edges = self.next.entry(to).or_default();
        edges.events += 1;
        edges.without_waiting |= !matches!(event, Event::Waited(_));
    }
}

impl Graph {
    /// The number of the state with this key, and whether it is new.
    pub(crate) fn id(&mut self, key: Key) -> (u32, bool) {
        let fresh = u32::try_from(self.ids.len()).expect("fewer states than that");
        let id = *self.ids.entry(key).or_insert(fresh);
        (id, id == fresh)
    }

    /// The number of a state that was found.
    pub(crate) fn known(&self, key: &Key) -> Option<u32> {
        self.ids.get(key).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether a cycle needs no waiting: then only luck would end it. (Every wait takes at least
    /// half a second off the deadline, so cycles that wait do end.)
    pub(crate) fn spins(&self) -> bool {
        let eager = |state: &State| {
            let edges = state.next.iter().filter(|(_, edges)| edges.without_waiting);
            edges.map(|(to, _)| *to as usize).collect::<Vec<_>>()
        };
        // States that nothing leads to are removed, again and again: what remains lies on a cycle.
        let mut incoming = vec![0_u32; self.states.len()];
        self.states.iter().flat_map(eager).for_each(|to| incoming[to] += 1);
        let mut free: Vec<usize> =
            (0..incoming.len()).filter(|state| incoming[*state] == 0).collect();
        let mut taken = 0;
        while let Some(state) = free.pop() {
            taken += 1;
            for to in eager(&self.states[state]) {
                incoming[to] -= 1;
                if incoming[to] == 0 {
                    free.push(to);
                }
            }
        }
        taken < self.states.len()
    }

    /// How many sequences of 1, 2, 3... events there are, by counting paths instead of walking them.
    pub(crate) fn sequences(&self, longest: usize) -> Vec<f64> {
        let mut ways = vec![0.0; self.states.len()];
        let mut counts = Vec::new();
        if let Some(first) = ways.first_mut() {
            *first = 1.0;
        }
        for _ in 0..longest {
            let mut next = vec![0.0; self.states.len()];
            for (from, state) in self.states.iter().enumerate() {
                for (to, edges) in &state.next {
                    if let Some(count) = next.get_mut(*to as usize) {
                        *count += ways[from] * f64::from(edges.events);
                    }
                }
            }
            counts.push(next.iter().sum());
            ways = next;
        }
        counts
    }
}
