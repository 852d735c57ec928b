//! Bearer tokens: which were granted, and when each expires.

use std::collections::BTreeMap;
use std::time::SystemTime;

/// The tokens that were granted.
// No `Debug`: a token is a secret.
#[derive(Clone, Default)]
pub(crate) struct Tokens {
    expiries: BTreeMap<String, SystemTime>,
    granted: usize,
}

impl Tokens {
    pub(crate) fn grant(&mut self, token: String, expires: SystemTime, now: SystemTime) {
        // Cleaning up at powers of two is often enough, and costs nothing on average.
        if self.expiries.len().is_power_of_two() {
            self.expiries.retain(|_, expires| now < *expires);
        }
        self.expiries.insert(token, expires);
        self.granted += 1;
    }

    /// Whether this token was granted and has not expired.
    pub(crate) fn is_valid(&self, token: &str, now: SystemTime) -> bool {
        self.expiries.get(token).is_some_and(|expires| now < *expires)
    }

    /// How many were ever granted.
    pub(crate) fn granted(&self) -> usize {
        self.granted
    }

    /// How many are kept.
    pub(crate) fn len(&self) -> usize {
        self.expiries.len()
    }
}
