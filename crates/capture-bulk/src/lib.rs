//! Captures from a file: every row is checked before the first is sent.
//!
//! [`read`] takes a CSV or JSON lines file of any length, hands its rows on one by one, and says at
//! the end either what the file holds or everything that is wrong with it.
//!
//! ```
//! use capture_bulk::{Options, ReadError, read};
//!
//! let file = "order_id,amount,currency\n\
//!             5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81,100.00,USD\n\
//!             9b2f0d44-1c5e-4c53-8f0e-2f6f1f0c7a11,13.75,USD\n";
//! let mut staged = Vec::new();
//! let table = read(file.as_bytes(), &Options::default(), |row| {
//!     staged.push((row.line, row.capture));
//!     Ok(())
//! })?;
//! assert_eq!((table.rows, staged.len()), (2, 2));
//! assert_eq!(table.totals[0].to_string(), "113.75 USD");
//!
//! let file = file.replace("13.75", "\"13,75\"");
//! let Err(ReadError::Faults(faults)) = read(file.as_bytes(), &Options::default(), |_| Ok(())) else {
//!     panic!("a decimal comma is refused");
//! };
//! assert_eq!(
//!     faults.named("orders.csv").to_string(),
//!     "orders.csv:3:38: amount \"13,75\": has a decimal comma; \
//!      USD is written with a point and two decimals, such as 13.75"
//! );
//! # Ok::<(), ReadError>(())
//! ```
//!
//! [`Report`] tells what became of a list, as one HTML file.
//!
//! In scope: which column is which, what a spreadsheet has done to a value, an order that is in the
//! file twice, totals. Out of scope: files by name, the network, the journal, and whether a deadline
//! has passed, for which this crate would have to read a clock.

mod plan;
mod report;
mod rows;

pub use plan::{PlanId, Planner};
pub use report::{Head, Report};
pub use rows::{
    Columns, Fault, Faults, Field, Format, Options, ReadError, Repeat, Row, Separator, Table,
    Total, read,
};
