//! `/_sandbox/claims`: what a client believes became of an order.

use std::time::SystemTime;

use capture_core::OrderId;
use capture_core::wire::{Response, json_reply};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::control::audit::{self, Audit};
use crate::control::reply::{Refusal, ok, read};
use crate::sandbox::Sandbox;
use crate::world::Claimed;

impl Sandbox {
    /// Records what a client believes of an order, and returns whether there is such an order. `by`
    /// is the client's name; the last claim with the same name counts.
    #[must_use]
    pub fn claim(
        &mut self,
        order: OrderId,
        outcome: Claimed,
        by: Option<&str>,
        now: SystemTime,
    ) -> bool {
        let is_known = self.world.orders.get(order).is_some();
        if is_known {
            self.world.claims.record(order, outcome, by, self.world.time(now));
        }
        is_known
    }

    /// What the clients claim, compared with what truly happened.
    #[must_use]
    pub fn audit(&self, now: SystemTime) -> Audit {
        audit::audit(&self.world, self.world.time(now))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimBody {
    order: OrderId,
    outcome: Claimed,
    by: Option<String>,
}

pub(super) fn list(sandbox: &Sandbox) -> Response {
    let claims = sandbox.world.claims.iter();
    let claims = claims
        .map(|claim| json!({ "order": claim.order, "outcome": claim.outcome, "by": claim.by }));
    ok(&json!({ "claims": claims.collect::<Vec<_>>() }))
}

pub(super) fn record(
    sandbox: &mut Sandbox,
    body: &[u8],
    now: SystemTime,
) -> Result<Response, Refusal> {
    let ClaimBody { order, outcome, by } = read(body)?;
    if sandbox.world.is_full(sandbox.world.time(now)) {
        return Err(Refusal::full());
    }
    if !sandbox.claim(order, outcome, by.as_deref(), now) {
        return Err(Refusal::no_order(order));
    }
    Ok(json_reply(StatusCode::CREATED, &json!({})))
}
