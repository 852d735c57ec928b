//! The journal of captures in PostgreSQL, for many machines.
//!
//! ```no_run
//! use capture_journal::Journal as _;
//! use capture_postgres::{Config, Postgres};
//!
//! let config: Config = "host=/run/postgresql user=capture dbname=shop".parse()?;
//! let mut journal = Postgres::open(&config, &"sandbox".parse()?)?; // its tables are made if there are none
//! let order = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
//! assert!(journal.stories(order)?.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Durable`](capture_journal::Durable) is the client over it. [`enqueue`] writes a capture down in a
//! transaction of the merchant's own. What a person needs to know is in `docs/fleet.md`.

mod clock;
mod connect;
mod desk;
mod fault;
mod holder;
mod inbox;
mod keep;
mod open;
mod outbox;
mod plan;
mod prune;
mod read;
mod runs;
mod schema;
mod session;
mod sql;
mod staged;
mod turn;
mod verify;
mod want;

pub use open::{OpenError, Options, Postgres};
pub use outbox::{EnqueueError, Enqueued, enqueue};
pub use tokio_postgres::Config;
pub use tokio_postgres::config::Host;
pub use verify::{Head, Verified};
