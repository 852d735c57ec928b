//! Idempotency keys: which answer is kept under each, and for how long.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capture_core::IdempotencyKey;
use capture_core::wire::Response;
use serde::{Deserialize, Serialize};

use crate::world::clock;
use crate::world::operation::Operation;

/// What the sandbox remembers under an idempotency key. Nobody outside has seen what the live
/// service stores, so a client should be correct under each of these.
///
/// Under the first two, a key that comes with another payload is refused with 409, and so is a
/// repetition before the first request has been answered. Requests that are refused before they
/// are executed (no token, invalid fields) leave no trace under any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Idempotency {
    /// For 24 hours the same key gets the first answer again, byte for byte, errors included.
    #[default]
    Frozen,
    /// For 24 hours the same key gets the first answer again if that was a 2xx (which includes
    /// FAILED in a 200). After any other answer the request is executed again.
    OnlySuccess,
    /// Keys mean nothing: every request is executed.
    Ignored,
}

/// How long an answer is kept under its key (the service's page about cancelling says so).
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The answers that are kept, by operation and key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    kept: BTreeMap<(Operation, IdempotencyKey), Kept>,
    /// The size of all answers, and of those that were replaced since they were last counted.
    bytes: usize,
    /// The last different answers. Most captures get the same one, which is kept once.
    recent: VecDeque<Arc<Response>>,
}

/// So many different answers are compared with a new one.
const RECENT: usize = 8;

/// An answer that is kept.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// A hash: a million payloads are more than all else that is kept of their captures.
    payload: u64,
    response: Arc<Response>,
    /// Until then, as far as its client can see, the first request is still running.
    running_until: SystemTime,
    forgotten_at: SystemTime,
}

impl Kept {
    /// The answer to a request that was executed `now` and is answered at `done`.
    pub(crate) fn new(
        idempotency: Idempotency,
        payload: &Bytes,
        response: Response,
        now: SystemTime,
        done: SystemTime,
    ) -> Self {
        let is_kept = idempotency == Idempotency::Frozen || response.status().is_success();
        // Even an answer that is not kept is in the way while its request runs.
        let forgotten_at = if is_kept { clock::later(now, KEPT) } else { done };
        let (payload, response) = (hash(payload), Arc::new(response));
        Self { payload, response, running_until: done, forgotten_at }
    }
}

/// The same for the same bytes, in every run.
fn hash(payload: &Bytes) -> u64 {
    let mut hasher = DefaultHasher::new();
    payload.hash(&mut hasher);
    hasher.finish()
}

/// What is known of a key when a request brings it.
#[derive(Debug)]
pub(crate) enum Known {
    Nothing,
    /// It came with another payload before.
    OtherPayload,
    /// Its first request is still running.
    Running,
    /// Its first request got this answer.
    Answered(Response),
}

impl Keys {
    pub(crate) fn look_up(
        &self,
        operation: Operation,
        key: IdempotencyKey,
        payload: &Bytes,
        now: SystemTime,
    ) -> Known {
        match self.kept.get(&(operation, key)) {
            Some(kept) if now < kept.forgotten_at && kept.payload != hash(payload) => {
                Known::OtherPayload
            }
            Some(kept) if now < kept.running_until => Known::Running,
            Some(kept) if now < kept.forgotten_at => Known::Answered((*kept.response).clone()),
            _ => Known::Nothing,
        }
    }

    pub(crate) fn keep(&mut self, operation: Operation, key: IdempotencyKey, mut kept: Kept) {
        match self.recent.iter().find(|recent| is_same(recent, &kept.response)) {
            Some(recent) => kept.response = Arc::clone(recent),
            None => {
                self.bytes += kept.response.body().len();
                self.recent.truncate(RECENT - 1);
                self.recent.push_front(Arc::clone(&kept.response));
            }
        }
        self.kept.insert((operation, key), kept);
    }

    /// Forgets what has expired, and counts the rest anew.
    pub(crate) fn forget_expired(&mut self, now: SystemTime) {
        self.kept.retain(|_, kept| now < kept.forgotten_at);
        self.recent.clear();
        let mut answers: Vec<_> = self.kept.values().map(|kept| &kept.response).collect();
        answers.sort_unstable_by_key(|answer| Arc::as_ptr(answer));
        answers.dedup_by_key(|answer| Arc::as_ptr(answer));
        self.bytes = answers.iter().map(|answer| answer.body().len()).sum();
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Apart from what only the sandbox reads, such as the mark of a repetition.
fn is_same(one: &Response, other: &Response) -> bool {
    one.status() == other.status() && one.headers() == other.headers() && one.body() == other.body()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn only_the_last_different_answers_are_compared() {
        let mut keys = Keys::default();
        for number in 1..=200 {
            let key = IdempotencyKey::from_bytes([number; 16]).unwrap();
            let answer = http::Response::new(Bytes::from(vec![number]));
            let payload = Bytes::new();
            let kept = Kept::new(Idempotency::Frozen, &payload, answer, UNIX_EPOCH, UNIX_EPOCH);
            keys.keep(Operation::Capture, key, kept);
            assert!(keys.recent.len() <= RECENT && keys.recent[0].body()[..] == [number]);
        }
    }
}
