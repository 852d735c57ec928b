//! Whether merging loses anything: sequences that are walked without it, beside the merged graph.

use std::num::NonZeroU32;

use capture_core::Policy;

use super::clause::{Broken, Clause};
use super::events::Catalogue;
use super::graph::{Graph, State};
use super::node::Node;
use super::scope::{Scope, policy, scopes};
use super::server::{Assumptions, Semantics};
use super::trace::Event;
use super::{Found, explore, invariants};
use crate::misuse::Misuse;
use crate::simulation::Chance;
use crate::subject::Mutant;

/// The names of everything that the states' key is made of.
#[must_use]
pub fn key_parts() -> Vec<&'static str> {
    Node::start(scopes(policy(1), 0)[0]).parts().map(|(name, _)| name).to_vec()
}

/// A scope in which a state without this part is merged with others that continue, or are judged, in
/// another way. The real client decides by most parts; some are there to catch broken clients.
#[must_use]
pub fn where_it_decides(part: &str, policy: Policy) -> Scope {
    let (broken, only) = match part {
        "sends" | "sends_seen" => (Some(Mutant::TakesSilenceForConflict.into()), None),
        "key_age" => (Some(Misuse::ForgetsTheFirstClaim.into()), None),
        "old" => (Some(Misuse::SendsBeforeItClaims.into()), Some(Clause::AgainWithOldKey)),
        "first" => (Some(Mutant::RebuildsTheCapture.into()), Some(Clause::UnlikeTheFirst)),
        "doubt" => (Some(Mutant::ForgetsDoubtOnResume.into()), Some(Clause::DoubtOverruled)),
        "life" => (Some(Misuse::TellsBeforeItIsDurable.into()), Some(Clause::MoneyMoved)),
        "promised" => (Some(Misuse::TellsBeforeItIsDurable.into()), Some(Clause::ToldOverruled)),
        "record_before" => (Some(Misuse::StartsAfresh.into()), None),
        _ => (None, None),
    };
    let (mutant, misuse) = Broken::parts(broken);
    let (sends, restarts) = match part {
        "sends" | "sends_seen" | "failed_logins" => (2, 0),
        "wants"
        | "looks"
        | "refused_token"
        | "reason_unless_doubt"
        | "seen_waiting"
        | "unauthorized"
        | "echo"
        | "order" => (1, 0),
        "old" => (2, 1),
        _ => (1, 1),
    };
    let late = part == "late";
    // Without lookups it takes fewer steps to send again.
    let policy = policy.with_lookup(part != "old");
    let echo = (part == "echo").then_some(1);
    // With the simplest server that still shows it.
    let semantics = if part == "stored" { Semantics::Frozen } else { Semantics::Ignored };
    let assumptions = Assumptions { semantics, state_guard: true };
    let policy = policy.with_max_sends(NonZeroU32::new(sends).expect("not 0"));
    let scope = Scope { assumptions, policy, restarts, echo, late, ..scopes(policy, 1)[0] };
    Scope { mutant, misuse, only, few: true, ..scope }
}

/// What merging loses in this scope, if it is seen to lose something.
///
/// Compared with the merged graph are: another node for each state into which nodes were merged; all
/// plain sequences up to two events; and long ones at random, as many as there are `walks`, half of
/// which begin where the search did not go on: at one of those other nodes. Each node must allow what
/// the merged state allows: as many events into the same states, and as many that break a clause.
#[must_use]
pub fn merging_loses(scope: Scope, walks: u64) -> Option<String> {
    let catalogue = if scope.few { Catalogue::few() } else { Catalogue::new() };
    let Found { graph, others, .. } = explore(scope, false);
    let compare = Compare { scope, graph, catalogue };
    let mut others: Vec<_> = others.into_iter().collect();
    others.sort_unstable_by_key(|(id, _)| *id);
    let plain = || {
        let first = compare.at(&Node::start(scope))?;
        first.iter().try_for_each(|(_, node)| compare.at(node).map(drop))?;
        others.iter().try_for_each(|(_, (_, node))| compare.at(node).map(drop))?;
        // The most telling ones are those that differ in what is forgotten.
        let differ: Vec<_> = others.iter().filter(|(_, (differs, _))| *differs).collect();
        let from: Vec<_> = if differ.is_empty() { others.iter().collect() } else { differ };
        (0..walks).try_for_each(|seed| {
            let chance = Chance::new(seed);
            let other = chance.below(from.len().max(1) as u64, "from", 0);
            let other = from.get(usize::try_from(other).unwrap_or(0)).filter(|_| seed % 2 == 1);
            let node = other.map_or_else(|| Node::start(scope), |(_, (_, node))| node.clone());
            compare.walk(node, chance)
        })
    };
    plain().err()
}

/// A walk longer than this has nearly always come to its end.
const LONGEST: u64 = 60;

struct Compare {
    scope: Scope,
    graph: Graph,
    catalogue: Catalogue,
}

impl Compare {
    /// One sequence at random: each state that can follow is as likely as the others.
    fn walk(&self, mut node: Node, chance: Chance) -> Result<(), String> {
        for step in 0..LONGEST {
            let mut successors = self.at(&node)?;
            successors.sort_by_key(|(id, _)| *id);
            successors.dedup_by_key(|(id, _)| *id);
            // Most ways lead to an end at once; these are seen when they are passed by.
            let over = successors.iter().filter(|(_, node)| node.is_over());
            over.into_iter().try_for_each(|(_, node)| self.at(node).map(drop))?;
            if successors.iter().any(|(_, node)| !node.is_over()) {
                successors.retain(|(_, node)| !node.is_over());
            }
            if successors.is_empty() {
                break;
            }
            let chosen = chance.below(successors.len() as u64, "walk", step);
            node = successors.swap_remove(usize::try_from(chosen).unwrap_or(0)).1;
        }
        Ok(())
    }

    /// What can follow here, or how that differs from what follows the merged state.
    fn at(&self, node: &Node) -> Result<Vec<(u32, Node)>, String> {
        let key = |node: &Node| node.key(self.scope.forgotten);
        let known = self.graph.known(&key(node)).expect("whatever follows a known state is known");
        let (mut plain, mut successors, mut lost) = (State::default(), Vec::new(), None);
        node.successors(&self.catalogue, &mut |event: Event<'_>, successor| {
            if let Some(clause) = invariants::broken(node, &successor) {
                *plain.broken.entry(clause).or_default() += 1;
                return;
            }
            match self.graph.known(&key(&successor)) {
                Some(id) => {
                    plain.add(id, &event);
                    successors.push((id, successor));
                }
                None => lost = Some(format!("a state that was never found, after: {event}")),
            }
        });
        let merged = &self.graph.states[known as usize];
        match lost {
            Some(lost) => Err(lost),
            None if plain != *merged => {
                Err(format!("{:?}\nallows {plain:?}\nnot {merged:?}", node.parts()))
            }
            None => Ok(successors),
        }
    }
}
