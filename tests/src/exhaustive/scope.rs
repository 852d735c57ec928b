//! What is searched: which server, which policy, how many restarts, which broken client.

use std::num::NonZeroU32;
use std::time::Duration;

use capture_core::{Policy, Resend};

use super::clause::{Broken, Clause};
use super::server::{Assumptions, Semantics};
use crate::misuse::Misuse;
use crate::subject::Mutant;

/// The policy that is searched with so many sends.
#[must_use]
pub fn policy(sends: u32) -> Policy {
    let [sends, confirmations] = [sends, 2].map(|n| NonZeroU32::new(n).expect("not 0"));
    let policy = Policy::default().with_deadline(DEADLINE).with_attempt_timeout(TIMEOUT);
    policy.with_max_sends(sends).with_confirmations(confirmations)
}

/// How long a check lets a capture try: long enough that only a chosen jump passes it, and so short
/// that a key stays young over three restarts, unless a day is chosen to pass.
const DEADLINE: Duration = Duration::from_secs(4 * 60 * 60);

/// How long it lets an attempt take: so long that no 409 ends a capture early. That takes its time by
/// the clock, and its end is unknown.
const TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// What to search.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// What is assumed of the server.
    pub assumptions: Assumptions,
    /// How hard the client tries.
    pub policy: Policy,
    /// How often a process may die, or what was told be asked for again.
    pub restarts: u32,
    /// If the API can refuse an order because somebody else has captured it: after how many waits
    /// its status shows that. Otherwise it may lag for ever, and nobody is asked to notice.
    pub echo: Option<u32>,
    /// Whether a process can lose its hold, and another one take over, before it records its outcome.
    pub late: bool,
    /// How the client is broken, if it is.
    pub mutant: Option<Mutant>,
    /// How it misuses the journal, if it does.
    pub misuse: Option<Misuse>,
    /// Whether there is only one answer for each consequence, to save time.
    pub few: bool,
    /// The only clause that is judged, if not all are.
    pub only: Option<Clause>,
    /// What is forgotten of the states' keys, to show what would go wrong.
    pub forgotten: Option<&'static str>,
}

impl Scope {
    fn new(assumptions: Assumptions, policy: Policy, restarts: u32) -> Self {
        let (echo, mutant, misuse, only, forgotten) = (None, None, None, None, None);
        let (late, few) = (false, false);
        Self { assumptions, policy, restarts, echo, late, mutant, misuse, few, only, forgotten }
    }
}

/// Every server, with and without its state guard, with and without resends, with and without lookups.
#[must_use]
pub fn scopes(policy: Policy, restarts: u32) -> Vec<Scope> {
    let mut scopes = Vec::new();
    for state_guard in [true, false] {
        for semantics in Semantics::ALL {
            for resend in [Resend::Keyed, Resend::Never] {
                for lookup in [true, false] {
                    let assumptions = Assumptions { semantics, state_guard };
                    let policy = policy.with_resend(resend).with_lookup(lookup);
                    scopes.push(Scope::new(assumptions, policy, restarts));
                }
            }
        }
    }
    scopes.extend(echoes(policy, restarts));
    scopes
}

/// Further ones, for what the journal has to get right: two servers, and one answer for each
/// consequence.
///
/// In the first two a process may lose its hold before it records its outcome. In the others the
/// capture goes through more hands. Each has its number of restarts.
#[must_use]
pub fn further(policy: Policy, restarts: [u32; 2]) -> Vec<Scope> {
    let mut scopes = Vec::new();
    for (late, restarts) in [true, false].into_iter().zip(restarts) {
        for semantics in [Semantics::Frozen, Semantics::Ignored] {
            let assumptions = Assumptions { semantics, state_guard: true };
            let scope = Scope::new(assumptions, policy, restarts);
            scopes.push(Scope { late, few: true, ..scope });
        }
    }
    scopes
}

/// The scopes in which a refusal can be the echo of somebody else's capture. The server's keys have no
/// part in it.
fn echoes(policy: Policy, restarts: u32) -> [Scope; 2] {
    let waits = policy.confirmations().get() - 1;
    [true, false].map(|state_guard| {
        let assumptions = Assumptions { semantics: Semantics::Ignored, state_guard };
        let policy = policy.with_resend(Resend::Never);
        Scope { echo: Some(waits), ..Scope::new(assumptions, policy, restarts) }
    })
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
pub fn against(broken: Broken, policy: Policy) -> Scope {
    let (mutant, misuse) = Broken::parts(Some(broken));
    let never = mutant == Some(Mutant::ResendsUnderNever);
    let policy = policy.with_resend(if never { Resend::Never } else { Resend::Keyed });
    let semantics = Semantics::Frozen;
    let assumptions = Assumptions { semantics, state_guard: true };
    let echo =
        mutant.is_some_and(Mutant::believes_an_echo).then(|| policy.confirmations().get() - 1);
    let late = misuse == Some(Misuse::LateNoWins);
    // A cycle is sought in the whole graph; the others end the search where they are broken.
    let spins = mutant == Some(Mutant::RetriesAtOnce);
    let scope = Scope::new(assumptions, policy, u32::from(!spins));
    // No kind of answer has a part in how a journal is misused.
    let few = spins || misuse.is_some();
    Scope { mutant, misuse, echo, late, few, ..scope }
}

/// The scope in which a clause is the only one that is judged, and its broken client has to break it.
#[must_use]
pub fn showing(clause: Clause, policy: Policy) -> Scope {
    let scope = against(clause.broken_client(), policy);
    // The guard would hide a second capture.
    let state_guard = clause != Clause::CapturedTwice;
    let assumptions = Assumptions { state_guard, ..scope.assumptions };
    Scope { assumptions, only: Some(clause), ..scope }
}
