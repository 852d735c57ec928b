//! Idempotency keys: what is remembered of a request, for how long, and what its repetition gets.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capture_core::IdempotencyKey;
use capture_core::wire::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Operation;
use crate::api::replies::{self as reply, Replayed};
use crate::sandbox::{At, Sandbox};
use crate::world::clock;

/// How the sandbox treats idempotency keys. Nobody has seen what the live service stores, so a
/// client should be right under each of them.
///
/// In the first two the same key with another payload is refused with 409, and so is a repetition
/// while its first request has not been answered yet. Requests that never reached execution (no
/// token, invalid fields) leave no trace in any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Idempotency {
    /// For 24 hours the same key gets the first answer again, byte for byte, also an error.
    #[default]
    Frozen,
    /// For 24 hours the same key gets the first answer again if it was a 2xx (FAILED in a 200 is
    /// one); after any other answer the request is executed anew.
    OnlySuccess,
    /// Keys mean nothing: each request is executed.
    Ignored,
}

/// How long an answer is kept under its key (official cancel page).
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The answers that are kept, by operation and key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys(BTreeMap<(Operation, IdempotencyKey), Kept>);

#[derive(Debug, Clone)]
struct Kept {
    payload: Bytes,
    response: Response,
    /// Until then the first request is still running, as far as its client can see.
    running_until: SystemTime,
    forgotten_at: SystemTime,
}

impl Keys {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn forget_expired(&mut self, now: SystemTime) {
        self.0.retain(|_, kept| now < kept.forgotten_at);
    }
}

impl Sandbox {
    /// Executes `run`, or says again what was said to the same key, as the settings have it.
    pub(crate) fn once(
        &mut self,
        at: At<'_>,
        operation: Operation,
        key: IdempotencyKey,
        payload: &Bytes,
        run: impl FnOnce(&mut Self) -> Response,
    ) -> Response {
        let semantics = self.settings.idempotency;
        if semantics == Idempotency::Ignored {
            return self.carry_out(at, run);
        }
        match self.keys.0.get(&(operation, key)) {
            Some(kept) if at.now < kept.forgotten_at && kept.payload != *payload => {
                let title = "The idempotency key was used with another payload";
                return reply::problem(self, StatusCode::CONFLICT, title);
            }
            Some(kept) if at.now < kept.running_until => {
                let title = "A request with this idempotency key is in progress";
                return reply::problem(self, StatusCode::CONFLICT, title);
            }
            Some(kept) if at.now < kept.forgotten_at => {
                let mut response = kept.response.clone();
                response.extensions_mut().insert(Replayed);
                return response;
            }
            _ => {}
        }
        let response = self.carry_out(at, run);
        let is_kept = semantics == Idempotency::Frozen || response.status().is_success();
        let kept = Kept {
            payload: payload.clone(),
            response: response.clone(),
            running_until: at.done,
            // One that is not kept is still in the way while it runs.
            forgotten_at: if is_kept { clock::later(at.now, KEPT) } else { at.done },
        };
        self.keys.0.insert((operation, key), kept);
        response
    }
    /// Executes `run`, or gives the answer that a script wants to be kept in its place.
    pub(crate) fn carry_out(
        &mut self,
        at: At<'_>,
        run: impl FnOnce(&mut Self) -> Response,
    ) -> Response {
        let Some(instead) = at.instead else {
            return run(self);
        };
        if instead.effect {
            let _truth = run(self);
        }
        instead.answer.clone()
    }
}
