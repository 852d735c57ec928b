//! Chance without state: every decision is a hash of the seed and of what it is about.
//!
//! So a decision does not depend on how many were made before it, and removing one fault changes no
//! other.

use std::time::Duration;

/// The decisions of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, about `topic` and `n`.
    pub(crate) fn below(self, bound: u64, topic: &str, n: u64) -> u64 {
        let mut hash = self.0 ^ n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in topic.bytes() {
            hash = mix(hash ^ u64::from(byte));
        }
        mix(hash) % bound
    }

    /// True once in `times`.
    pub(crate) fn once_in(self, times: u64, topic: &str, n: u64) -> bool {
        self.below(times, topic, n) == 0
    }

    /// A time between the two, in milliseconds.
    pub(crate) fn millis(self, from: u64, to: u64, topic: &str, n: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from, topic, n))
    }
}

/// The finalizer of splitmix64.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
