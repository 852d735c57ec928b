//! `/_sandbox/claims`: what a client believes became of an order.

use std::time::SystemTime;

use capture_core::OrderId;
use capture_core::wire::{Response, json_reply};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Refusal, full, ok, read, refuse};
use crate::Claimed;
use crate::sandbox::Sandbox;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimBody {
    order: OrderId,
    outcome: Claimed,
    by: Option<String>,
}

impl Sandbox {
    pub(super) fn control_claims(&self, now: SystemTime) -> Response {
        let findings = self.judge(now).findings;
        let claims = findings.iter().filter_map(|finding| {
            let outcome = finding.claimed?;
            Some(json!({ "order": finding.order, "outcome": outcome, "by": finding.by }))
        });
        let claims: Vec<_> = claims.collect();
        ok(&json!({ "claims": claims }))
    }

    pub(super) fn control_claim(
        &mut self,
        body: &[u8],
        now: SystemTime,
    ) -> Result<Response, Refusal> {
        let ClaimBody { order, outcome, by } = read(body)?;
        if self.is_full(now) {
            return Err(full());
        }
        if self.orders.get(order).is_none() {
            return Err(refuse(StatusCode::NOT_FOUND, &format!("there is no order {order}")));
        }
        self.claims.record(order, outcome, by.as_deref(), now);
        Ok(json_reply(StatusCode::CREATED, &json!({})))
    }
}
