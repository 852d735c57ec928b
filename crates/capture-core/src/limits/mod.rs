//! Guards of a plan of many captures: what it must have, what it may not exceed, and whether its
//! amounts look multiplied.
//!
//! Nothing here sends, waits or reads; the machine uses none of it. Hand the rows of a plan to a
//! [`Check`] one by one, and it says which guards trip. `docs/guards.md` says what each asks.
//!
//! ```
//! use capture_core::Money;
//! use capture_core::limits::{Check, Guard, History, Limits};
//!
//! let limits = Limits::default()
//!     .expect_count(3)
//!     .expect_total("USD=1019.98".parse()?)
//!     .max_amount("USD=500.00".parse()?);
//! let history = History::default();
//! let mut check = Check::new(&limits, &history);
//! for (line, amount) in [(2, "9.99"), (3, "9.99"), (4, "1000.00")] {
//!     check.add(line, Money::parse(amount, "USD")?);
//! }
//! let tripped = check.finish();
//! assert_eq!(tripped.len(), 1);
//! assert_eq!(tripped[0].guard(), Guard::MaxAmount);
//! assert_eq!(
//!     tripped[0].to_string(),
//!     "line 4: 1,000.00 USD is more than --max-amount USD=500.00; if it is right, pass --max-amount \
//!      USD=1000.00"
//! );
//! # Ok::<(), capture_core::Invalid>(())
//! ```

mod check;
mod detector;
mod extremes;
mod findings;
mod history;
mod lines;
mod settings;
mod sketch;
mod sum;
mod tripped;

pub use check::Check;
pub use history::History;
pub use settings::Limits;
pub use sum::Sum;
pub use tripped::{Guard, Tripped};
