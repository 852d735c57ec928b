//! The journal of captures in one SQLite file.
//!
//! ```
//! use capture_journal::Journal as _;
//! use capture_sqlite::Sqlite;
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("captures.journal");
//! let mut journal = Sqlite::open(&path, &"sandbox".parse()?)?; // made if there is none
//! let order = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
//! assert!(journal.stories(order)?.is_empty());
//! assert_eq!(journal.verify(None)?.broken_at, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Durable`](capture_journal::Durable) is the client over it.

mod body;
mod holder;
mod keep;
mod open;
mod open_now;
mod open_to_read;
mod place;
mod plan;
mod read;
mod runs;
mod staged;
mod turn;
mod verify;
mod want;

pub use open::{OpenError, Sqlite};
pub use verify::Verified;
