//! The hash chain: each entry's hash covers the one before it, so that an edit shows.

use capture_core::Capture;
use sha2::{Digest as _, Sha256};

/// The hash of an entry, or of an empty journal: all zeros.
pub type Hash = [u8; 32];

/// What an entry's hash covers, besides the hash of the entry before it.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// Its number; the first is 1.
    pub number: i64,
    /// Where the order lives, as [`environment_name`](crate::environment_name) writes it.
    pub environment: &'a str,
    /// The capture that it is about.
    pub capture: &'a Capture,
    /// The claim.
    pub claim: i64,
    /// When it was recorded, in milliseconds since 1970.
    pub at_ms: i64,
    /// Whether it is a note.
    pub is_note: bool,
    /// The outcome, as it is stored.
    pub body: &'a [u8],
}

impl Link<'_> {
    /// SHA-256 over the hash before, then each field: texts and bytes with their length before them,
    /// numbers in eight bytes, the most significant one first.
    #[must_use]
    pub fn hash(&self, before: &Hash) -> Hash {
        let mut sha = Sha256::new();
        let money = self.capture.money();
        sha.update(before);
        let numbers = [self.number, self.claim, self.at_ms, self.is_note.into()];
        numbers.into_iter().for_each(|number| sha.update(number.to_be_bytes()));
        let (order, key) = (self.capture.order_id(), self.capture.idempotency_key());
        let texts = [
            self.environment.to_owned(),
            order.to_string(),
            key.to_string(),
            money.minor_units().to_string(),
            money.currency().to_string(),
        ];
        let texts = texts.iter().map(|text| text.as_bytes()).chain([self.body]);
        for bytes in texts {
            sha.update((bytes.len() as u64).to_be_bytes());
            sha.update(bytes);
        }
        sha.finalize().into()
    }
}
