//! A durable journal under every capture: the promise outlives the process.
//!
//! A capture is written down before its first byte leaves, and what became of it before anybody is told.
//! [`Durable`] is the client over a journal, and [`blocking::Durable`] the same for code that blocks.
//! `capture-sqlite` keeps the journal in a file, `capture-postgres` in a database; [`Memory`] is the model, for tests.
//!
//! ```
//! use capture_journal::{Disk, blocking::Durable};
//! use capture_ureq::{Capture, Client, IdempotencyKey, Money, Outcome, Setup};
//!
//! let sandbox = capture_sandbox::Sandbox::start();
//! let money = Money::parse("100.00", "USD")?;
//! let order = sandbox.create_order(money);
//! let client = Client::new(Setup::new(&sandbox.environment(), sandbox.credentials()))?;
//! let client = Durable::new(client, Disk::default().open()); // in production: a file, or a database
//! let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
//!
//! let first = client.capture(&capture)?;
//! assert!(matches!(first.outcome, Outcome::Captured(_)));
//! // Asked again, by whomever: the outcome is recorded, and nothing is sent.
//! let again = client.capture(&capture)?;
//! assert_eq!(again.outcome, first.outcome);
//! assert!(again.before.is_some());
//! # assert_eq!(sandbox.ledger().captures(order), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A store of your own implements [`Journal`]; [`decide`], [`due`] and [`merge`] are all the rules there
//! are. What a person needs to know is in `docs/journal.md`.

mod begin;
pub mod blocking;
mod breaker;
mod bundle;
mod chain;
mod decide;
mod drive;
mod durable;
mod explain;
mod exported;
mod foreman;
mod journal;
mod lists;
mod memory;
mod pace;
mod rate;
mod run;
mod story;
mod text;
mod utc;
mod wake;
mod words;
mod writer;

pub use begin::{DurableError, Recorded};
pub use bundle::Bundle;
pub use chain::{Hash, Link};
pub use decide::{Decision, decide, due, later};
pub use drive::{News, Round, RunError};
pub use durable::Durable;
pub use explain::{Asked, Chain, Event, Explanation, decisive, explain};
pub use exported::{Exported, KeepError};
pub use foreman::{Brake, End, Ended, Foreman, Move};
pub use journal::{
    Answer, Ask, Busy, ClaimId, Fence, HELD_ELSEWHERE, Held, Holder, How, IntentId, Journal, Lost,
    Other, Turn, Turned, Want, Work, environment_name,
};
pub use lists::{Deadlines, KnownLine, Latest, Lists, OpenNow, Staging};
pub use memory::{Disk, Memory};
pub use pace::Pace;
pub use run::{Line, Run, RunId, Stands, Sum, Tally};
pub use story::{Claim, Entry, Merged, Standing, Story, contradictions, merge};
pub use utc::{day, moment, unix_ms, utc};
pub use wake::Wake;
