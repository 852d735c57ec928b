//! The state of a sandbox as a whole. It knows no request, no fault and no socket.

use std::time::{Duration, SystemTime};

use capture_core::OrderId;

use crate::world::claims::Claims;
use crate::world::clock;
use crate::world::draw::Draw;
use crate::world::keys::Keys;
use crate::world::ledger::Ledger;
use crate::world::orders::{NewOrder, Orders};
use crate::world::settings::Settings;
use crate::world::tokens::Tokens;
use crate::world::transcript::Transcript;

/// No test means to create many more than this many orders, keys, captures, tokens or claims.
const MOST: usize = 2_000_000;
/// Nor that the answers under its keys take more than this.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// Everything that a sandbox remembers, apart from the faults that wait.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) draw: Draw,
    pub(crate) orders: Orders,
    pub(crate) keys: Keys,
    pub(crate) tokens: Tokens,
    pub(crate) ledger: Ledger,
    pub(crate) claims: Claims,
    pub(crate) transcript: Transcript,
    /// How far the sandbox's clock is ahead of its caller's.
    ahead: Duration,
}

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            draw: Draw::new(settings.seed),
            settings,
            orders: Orders::default(),
            keys: Keys::default(),
            tokens: Tokens::default(),
            ledger: Ledger::default(),
            claims: Claims::default(),
            transcript: Transcript::default(),
            ahead: Duration::ZERO,
        }
    }

    /// The sandbox's time when its caller's is `now`. All other methods in this folder take the
    /// sandbox's.
    pub(crate) fn time(&self, now: SystemTime) -> SystemTime {
        clock::later(clock::clamp(now), self.ahead)
    }

    /// Moves the sandbox's clock ahead.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.ahead = self.ahead.saturating_add(by);
    }

    pub(crate) fn create_order(&mut self, new: NewOrder, now: SystemTime) -> OrderId {
        let id = self.draw.order_id();
        self.orders.add(id, new, self.settings.window, now);
        id
    }

    /// Whether the world holds as much as a sandbox is willing to. Keys that have expired are
    /// forgotten first.
    pub(crate) fn is_full(&mut self, now: SystemTime) -> bool {
        let has_many_keys = |keys: &Keys| keys.len() >= MOST || keys.bytes() >= MOST_BYTES;
        if has_many_keys(&self.keys) {
            self.keys.forget_expired(now);
        }
        let sizes =
            [self.orders.len(), self.ledger.entries().len(), self.tokens.len(), self.claims.len()];
        has_many_keys(&self.keys) || sizes.into_iter().any(|size| size >= MOST)
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use bytes::Bytes;
    use capture_core::IdempotencyKey;

    use super::*;
    use crate::world::{Idempotency, Kept, Operation};

    #[test]
    fn equal_answers_are_kept_once() {
        let mut world = World::new(Settings::default());
        let (body, now) = (Bytes::from(vec![b'x'; 1024 * 1024]), UNIX_EPOCH);
        let keep = |world: &mut World, number: u16, name: &'static str| {
            let mut bytes = [1; 16];
            bytes[..2].copy_from_slice(&number.to_be_bytes());
            let key = IdempotencyKey::from_bytes(bytes).unwrap();
            let mut answer = http::Response::new(body.clone());
            answer.headers_mut().insert(name, http::HeaderValue::from_static("1"));
            let kept = Kept::new(Idempotency::Frozen, &Bytes::new(), answer, now, now);
            world.keys.keep(Operation::Capture, key, kept);
        };
        for number in 0..300 {
            keep(&mut world, number, if number % 2 == 0 { "x-one" } else { "x-two" });
        }
        assert_eq!((world.keys.len(), world.keys.bytes()), (300, 2 * 1024 * 1024));
        // An answer that is in no key any more is not counted for long.
        keep(&mut world, 1, "x-three");
        world.keys.forget_expired(now);
        assert_eq!(world.keys.bytes(), 3 * 1024 * 1024);
        for number in 0..300 {
            keep(&mut world, number, "x-three");
        }
        world.keys.forget_expired(now);
        assert!(world.keys.bytes() <= 2 * 1024 * 1024, "{}", world.keys.bytes());
    }

    #[test]
    fn answers_under_keys_are_bounded_by_their_size() {
        let mut world = World::new(Settings::default());
        // All of them share one allocation.
        let body = Bytes::from(vec![b'x'; 8 * 1024 * 1024]);
        let keep = |world: &mut World, number: u8, body: &Bytes| {
            let key = IdempotencyKey::from_bytes([number; 16]).unwrap();
            let mut answer = http::Response::new(body.clone());
            // Equal answers are kept once.
            *answer.status_mut() = http::StatusCode::from_u16(200 + u16::from(number)).unwrap();
            let now = UNIX_EPOCH;
            let kept = Kept::new(Idempotency::Frozen, &Bytes::new(), answer, now, now);
            world.keys.keep(Operation::Capture, key, kept);
        };
        for number in 1..=31 {
            // The second one replaces the first.
            keep(&mut world, number, &body);
            keep(&mut world, number, &body);
            assert!(!world.is_full(UNIX_EPOCH), "{number}");
        }
        keep(&mut world, 32, &body);
        assert!(world.is_full(UNIX_EPOCH));
        keep(&mut world, 32, &Bytes::new());
        assert!(!world.is_full(UNIX_EPOCH));
        keep(&mut world, 33, &body);
        let tomorrow = UNIX_EPOCH + Duration::from_secs(24 * 60 * 60);
        assert!(world.is_full(UNIX_EPOCH) && !world.is_full(tomorrow), "what expired is forgotten");
    }
}
