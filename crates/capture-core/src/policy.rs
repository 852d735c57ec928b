//! What you can tune, with defaults that need no change; and how long to wait.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::values::IdempotencyKey;

/// How hard to try. All waits are counted on the monotonic clock.
///
/// ```
/// use std::time::Duration;
/// use capture_core::{Policy, Resend};
/// let policy = Policy::default().with_deadline(Duration::from_secs(30)).with_resend(Resend::Never);
/// assert_eq!(policy.attempt_timeout(), Duration::from_secs(35));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    attempt_timeout: Duration,
    deadline: Duration,
    max_sends: NonZeroU32,
    resend: Resend,
    lookup: bool,
    confirmations: NonZeroU32,
}

/// Whether a capture that may have arrived is sent again, with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resend {
    /// Send again with the same key and the same bytes: the server treats both as one capture.
    #[default]
    Keyed,
    /// Never send again once a request may have been sent; only the order's status decides. For
    /// servers whose idempotency you do not trust.
    Never,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempt_timeout: Duration::from_secs(35),
            deadline: Duration::from_secs(120),
            max_sends: NonZeroU32::new(4).expect("4 is not 0"),
            resend: Resend::Keyed,
            lookup: true,
            confirmations: NonZeroU32::new(3).expect("3 is not 0"),
        }
    }
}

impl Policy {
    /// How long one attempt may take, connection and reply included; 35 s unless set.
    ///
    /// The gateway in front of the API may take up to 30 s to reply: a shorter timeout gives up
    /// before it does and creates unknown outcomes. More than 24 hours counts as 24 hours.
    #[must_use]
    pub fn with_attempt_timeout(self, attempt_timeout: Duration) -> Self {
        Self { attempt_timeout: attempt_timeout.min(LONGEST), ..self }
    }

    /// Starts no attempt and no wait after this long; 120 s unless set, at most 24 hours.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline: deadline.min(LONGEST), ..self }
    }

    /// How often the capture may be sent; 4 unless set. A 401, a 409 ("the same key is in progress")
    /// and a 425 do not count: they start nothing. The time they take counts against the deadline.
    #[must_use]
    pub fn with_max_sends(self, max_sends: NonZeroU32) -> Self {
        Self { max_sends, ..self }
    }

    /// Whether a capture that may have arrived is sent again; [`Resend::Keyed`] unless set.
    #[must_use]
    pub fn with_resend(self, resend: Resend) -> Self {
        Self { resend, ..self }
    }

    /// Whether the order's status is looked up as evidence; on unless set. Without it, only the
    /// reply to a resend can clear doubt, and a key that is not derived from the order
    /// ([`Capture::has_derived_key`](crate::Capture::has_derived_key)) ends as unknown after a SUCCESS
    /// that names no order.
    #[must_use]
    pub fn with_lookup(self, lookup: bool) -> Self {
        Self { lookup, ..self }
    }

    /// How often the order must be seen waiting before a refusal counts; 3 unless set: at once, after
    /// 1 s, and after 4 s more (each further time takes 4 s).
    ///
    /// The API also refuses an order that somebody else has just captured, and its own status may
    /// lag behind that. With 1, only the first look counts; with
    /// [`with_lookup(false)`](Self::with_lookup) a refusal counts at once.
    #[must_use]
    pub fn with_confirmations(self, confirmations: NonZeroU32) -> Self {
        Self { confirmations, ..self }
    }

    /// How long one attempt may take.
    #[must_use]
    pub fn attempt_timeout(&self) -> Duration {
        self.attempt_timeout
    }

    /// After this long, no attempt and no wait is started.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// How often the capture may be sent.
    #[must_use]
    pub fn max_sends(&self) -> NonZeroU32 {
        self.max_sends
    }

    /// Whether a capture that may have arrived is sent again.
    #[must_use]
    pub fn resend(&self) -> Resend {
        self.resend
    }

    /// Whether the order's status is looked up as evidence.
    #[must_use]
    pub fn lookup(&self) -> bool {
        self.lookup
    }

    /// How often the order must be seen waiting before a refusal counts.
    #[must_use]
    pub fn confirmations(&self) -> NonZeroU32 {
        self.confirmations
    }
}

/// No attempt and no capture takes longer than the key lives, and no clock overflows.
const LONGEST: Duration = KEY_LIFETIME;

/// The server's guarantee for one key: after this a repeat could be a second capture.
pub(crate) const KEY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How far a first send may lie ahead of this machine's clock: clocks of two hosts differ, and NTP
/// sets them back. The customary bound of Kerberos (RFC 4120).
pub(crate) const CLOCK_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// A longer wait than this is not worth a caller's time; the caller gets it back instead.
pub(crate) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// No request is in progress for longer: the gateway replies within 30 s.
pub(crate) const LONGEST_IN_PROGRESS: Duration = Duration::from_secs(35);

/// How far the clock of a token's issuer may be ahead of the API's: a fresh token that is refused is
/// tried once more after this.
pub(crate) const ISSUER_AHEAD: Duration = Duration::from_secs(2);

/// The wait after an order was seen waiting for the `n`th time (from 1) since a refusal.
pub(crate) fn until_confirmed(n: u32) -> Duration {
    Duration::from_secs(if n == 1 { 1 } else { 4 })
}

const SHORTEST_WAIT_MS: u64 = 500;
const LONGEST_WAIT_MS: u64 = 8_000;

/// The wait before try `n` (from 0): between 0.5 s and an upper bound that doubles up to 8 s.
///
/// The jitter is a hash of key and `n`: different captures spread, and the core needs no randomness.
pub(crate) fn backoff(key: IdempotencyKey, n: u32) -> Duration {
    let bound = (SHORTEST_WAIT_MS << n.saturating_add(1).min(4)).min(LONGEST_WAIT_MS);
    // FNV-1a over the key and n, then a final mix, so that neighbouring n differ in all bits.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in key.as_bytes().iter().chain(&n.to_le_bytes()) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^= hash >> 32;
    Duration::from_millis(SHORTEST_WAIT_MS + hash % (bound - SHORTEST_WAIT_MS + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_stay_in_bounds_and_differ() {
        let key: IdempotencyKey = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
        let other: IdempotencyKey = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d82".parse().unwrap();
        for n in (0..40).chain([u32::MAX]) {
            let most = Duration::from_millis(if n > 2 { 8_000 } else { 1_000 << n });
            for key in [key, other] {
                let wait = backoff(key, n);
                assert!(wait >= Duration::from_millis(500) && wait <= most, "{n}: {wait:?}");
                assert_eq!(wait, backoff(key, n));
            }
        }
        assert!((0..20).any(|n| backoff(key, n) != backoff(other, n)));
    }
}
