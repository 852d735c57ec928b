//! What is true: orders, keys, tokens, the clock, the ledger, the transcript, claims.

pub(crate) mod clock;
pub(crate) mod draw;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod operation;
pub(crate) mod orders;
pub(crate) mod transcript;
