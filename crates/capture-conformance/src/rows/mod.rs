//! Rows: what the network does, and what must come of it; how a row is run, checked and compared.

mod aside;
mod before;
mod bodies;
mod during;
mod echoes;
mod framing;
mod lookups;
mod row;
mod run;
mod stale;
mod statuses;
mod tokens;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use capture_core::{Capture, Outcome, Setup};

use crate::parallel::run_rows;
use row::Target;

pub use row::{Expect, Row};
pub use run::{Ran, letter};

/// Every row there is.
pub fn all() -> Vec<Row> {
    let sections: [fn() -> Vec<Row>; 9] = [
        before::rows,
        during::rows,
        stale::rows,
        framing::rows,
        statuses::rows,
        bodies::rows,
        tokens::rows,
        lookups::rows,
        echoes::rows,
    ];
    sections.into_iter().flat_map(|rows| rows()).collect()
}

/// Runs these rows through the client that `make` makes, many at a time: a row is mostly waiting, and
/// each has a server of its own.
pub fn run<F>(mut rows: Vec<Row>, make: impl Fn(Setup) -> F + Send + Sync + 'static) -> Vec<Ran>
where
    F: FnMut(&Capture) -> Outcome,
{
    // The longest first, so that it does not run alone at the end.
    rows.sort_by_key(|row| row.target != Target::Full);
    let rows: Arc<[Row]> = rows.into();
    let act = move |row: &Row| {
        catch_unwind(AssertUnwindSafe(|| run::run(row, &make)))
            .unwrap_or_else(|_| Ran::unfinished(row, "panicked"))
    };
    let ran = run_rows(&rows, 24, |row| row.name.clone(), act);
    let finished =
        |(ran, row): (Result<Ran, _>, &Row)| ran.unwrap_or_else(|_| Ran::unfinished(row, "hung"));
    ran.into_iter().zip(&*rows).map(finished).collect()
}
