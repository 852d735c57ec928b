//! The random simulation: the real machine against the real sandbox, in virtual time.
//!
//! One seed is one run: a few orders, a few processes, a network that loses, delays and repeats, a
//! server that goes down, orders that are cancelled or whose window ends, processes that die and may
//! be away for more than a day, that stand still, or that lose their journal amid a COMMIT, wall clocks that are
//! off and that jump, holders with locks or with leases. What outlives a process is its
//! journal, alone; processes share one, or each has its own. Where both happen, the server
//! guards each order's state: a slow clock makes a key look younger than it is, and R7 needs a clock.
//! After a while the faults stop, and every order must settle. The same seed gives the same trace, byte for byte.

mod chance;
mod clause;
mod fault;
mod judge;
mod memory;
mod plan;
mod process;
mod run;
mod trouble;

pub(crate) use chance::Chance;
pub use clause::Clause;
pub use plan::{Plan, Summary, Violation};
pub use trouble::Trouble;

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
    let clause = summary.violation.as_ref().map(|violation| violation.clause);
    // Latest first: what came after the mistake goes away at once.
    for fault in summary.faults.clone().into_iter().rev() {
        let mut fewer = best.clone();
        fewer.without.insert(fault);
        let shorter = play(&fewer);
        if shorter.violation.as_ref().map(|violation| violation.clause) == clause {
            (best, summary) = (fewer, shorter);
        }
    }
    (best, summary)
}
