//! What is searched: which server, which policy, how many restarts, which broken client.

use std::time::Duration;

use capture_core::{Policy, Resend};

use super::server::{Assumptions, Semantics};
use crate::subject::Mutant;

/// How long a check lets a capture try: long enough that only a chosen jump passes it, and so short
/// that a key stays young over two restarts, unless a day is chosen to pass.
pub const DEADLINE: Duration = Duration::from_secs(6 * 60 * 60);

/// What to search.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// What is assumed of the server.
    pub assumptions: Assumptions,
    /// How hard the client tries.
    pub policy: Policy,
    /// How often the process may die, or an unknown outcome be resumed.
    pub restarts: u32,
    /// How the client is broken, if it is.
    pub mutant: Option<Mutant>,
}

/// Every server, with and without its state guard, under both policies.
#[must_use]
pub fn scopes(policy: Policy, restarts: u32) -> Vec<Scope> {
    let mut scopes = Vec::new();
    for state_guard in [true, false] {
        for semantics in Semantics::ALL {
            for resend in [Resend::Keyed, Resend::Never] {
                let assumptions = Assumptions { semantics, state_guard };
                let policy = policy.with_resend(resend);
                scopes.push(Scope { assumptions, policy, restarts, mutant: None });
            }
        }
    }
    scopes
}

/// Whether even a correct client can capture twice: it sends again, and the server neither keeps every
/// answer under its key nor guards the order's state.
#[must_use]
pub fn may_capture_twice(scope: &Scope) -> bool {
    let Assumptions { semantics, state_guard } = scope.assumptions;
    let forgets = matches!(semantics, Semantics::OnlySuccess | Semantics::Ignored);
    forgets && !state_guard && scope.policy.resend() == Resend::Keyed
}

/// The scope in which the search looks for a broken client's mistake: the most forgiving server.
#[must_use]
pub fn against(mutant: Mutant, policy: Policy) -> Scope {
    let never = mutant == Mutant::ResendsUnderNever;
    let policy = policy.with_resend(if never { Resend::Never } else { Resend::Keyed });
    let semantics = Semantics::Frozen;
    let assumptions = Assumptions { semantics, state_guard: true };
    Scope { assumptions, policy, restarts: 1, mutant: Some(mutant) }
}
