//! One row: what the network does, and what must come of it, in the notation that
//! `docs/architecture.md` explains (Testing).

use std::num::NonZeroU32;
use std::time::Duration;

use capture_core::Policy;

use crate::replies::{order, waiting};
use crate::wire::{Act, Dialogue, on_capture};

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    /// The number of the fault, and what happens.
    pub name: String,
    pub dialogue: Dialogue,
    pub policy: Policy,
    /// Where the client is sent instead of to the server.
    pub target: Target,
    /// A token of the user's own instead of a login.
    pub own_token: bool,
    /// A key of the user's own instead of the one that is derived from the order.
    pub own_key: bool,
    /// How often the capture is made through the one client; the last outcome counts.
    pub captures: usize,
    pub expect: Expect,
}

/// Where a client is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Server,
    /// A name that resolves to nothing.
    NoName,
    /// A port on which nobody listens.
    Nobody,
    /// A listener that accepts no further connection.
    Full,
}

/// What must come of a row: the same for every adapter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expect {
    /// The outcome and its reason, such as `unknown no_reply`.
    pub outcome: String,
    /// The attempts: `C` a capture, `L` a lookup; `!` not sent, `?` maybe sent, the status, and `~`
    /// after the status of a reply that was cut.
    pub attempts: String,
    /// The requests that came in: `T` a login, `C`, `L`, `X` anything else.
    pub wire: String,
}

impl Row {
    /// A capture that meets this dialogue and must end like this.
    pub fn new(name: &str, dialogue: Dialogue, outcome: &str, attempts: &str, wire: &str) -> Self {
        let expect =
            Expect { outcome: outcome.into(), attempts: attempts.into(), wire: wire.into() };
        Self {
            name: name.into(),
            dialogue,
            policy: Policy::default().with_attempt_timeout(Duration::from_secs(20)),
            target: Target::Server,
            own_token: false,
            own_key: false,
            captures: 1,
            expect,
        }
    }

    /// A hang is the point: the client's own attempt timeout ends it.
    pub fn hangs(mut self) -> Self {
        self.policy = self.policy.with_attempt_timeout(Duration::from_millis(1500));
        self
    }

    pub fn own_token(self) -> Self {
        Self { own_token: true, ..self }
    }

    pub fn own_key(self) -> Self {
        Self { own_key: true, ..self }
    }

    pub fn to(self, target: Target) -> Self {
        Self { target, ..self }
    }

    pub fn captures(self, captures: usize) -> Self {
        Self { captures, ..self }
    }

    pub fn policy(mut self, change: impl FnOnce(Policy) -> Policy) -> Self {
        self.policy = change(self.policy);
        self
    }

    pub fn sends(self, most: u32) -> Self {
        self.policy(|policy| policy.with_max_sends(NonZeroU32::new(most).expect("not 0")))
    }
}

/// Two rows for an answer that proves nothing, which the record calls `attempt`. In one the lookup
/// says "come back tomorrow": the outcome is unknown, for this reason. In the other it still waits:
/// the same bytes are sent again.
pub(super) fn unclear(name: &str, act: Act, doubt: &str, attempt: &str) -> Vec<Row> {
    let waits = then_shown(act.clone(), waiting());
    vec![
        Row::new(
            name,
            on_capture([act]),
            &format!("unknown {doubt}"),
            &format!("{attempt} L503"),
            "T C L",
        ),
        Row::new(
            &format!("{name}, and the order still waits"),
            waits,
            "captured reply",
            &format!("{attempt} L200 C200"),
            "T C L C",
        ),
    ]
}

/// Two rows for a refusal, which the record calls `attempt`: one where the order cannot be looked up,
/// and one where it still waits and is asked once.
pub(super) fn refusal(name: &str, act: Act, reason: &str, attempt: &str) -> Vec<Row> {
    let waits = then_shown(act.clone(), waiting());
    let confirmed = Row::new(
        &format!("{name}, and the order still waits"),
        waits,
        &format!("not_captured {reason}"),
        &format!("{attempt} L200"),
        "T C L",
    );
    let unconfirmed = Row::new(
        name,
        on_capture([act]),
        "unknown unconfirmed_refusal",
        &format!("{attempt} L503"),
        "T C L",
    );
    vec![unconfirmed, confirmed.policy(|policy| policy.with_confirmations(NonZeroU32::MIN))]
}

/// One row for an answer that proves nothing, where the order then says that it was captured.
pub(super) fn proven(name: &str, act: Act, attempt: &str) -> Row {
    let dialogue = then_shown(act, order(7));
    let name = format!("{name}, and the order is completed");
    Row::new(&name, dialogue, "captured order_status", &format!("{attempt} L200"), "T C L")
}

/// This answer to the capture, and then this order.
fn then_shown(act: Act, order: Vec<u8>) -> Dialogue {
    Dialogue { capture: vec![act], lookup: vec![Act::say(order)], ..Dialogue::default() }
}
