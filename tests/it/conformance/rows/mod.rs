//! Rows: what the network does, and what must come of it; how a row is run, checked and compared.

mod aside;
mod before;
mod bodies;
mod during;
mod echoes;
mod framing;
mod lookups;
mod report;
mod row;
mod run;
mod statuses;
mod tokens;

use std::sync::Arc;

use super::drivers::Driver;
use super::parallel::run_rows;
pub(crate) use report::{Reports, check, compare, count};
use row::{Row, Target};
use run::{Ran, run};

/// Every row there is.
pub(crate) fn all() -> Vec<Row> {
    let sections: [fn() -> Vec<Row>; 8] = [
        before::rows,
        during::rows,
        framing::rows,
        statuses::rows,
        bodies::rows,
        tokens::rows,
        lookups::rows,
        echoes::rows,
    ];
    sections.into_iter().flat_map(|rows| rows()).collect()
}

/// Runs every row through this adapter, many at a time: a row is mostly waiting, and each has a
/// server of its own.
pub(crate) fn run_all<D: Driver>() -> Vec<Ran> {
    // The longest first, so that it does not run alone at the end.
    let mut rows = all();
    rows.sort_by_key(|row| row.target != Target::Full);
    let rows: Arc<[Row]> = rows.into();
    let ran = run_rows(&rows, 24, |row| row.name.clone(), run::<D>);
    ran.into_iter().zip(&*rows).map(|(ran, row)| ran.unwrap_or_else(|_| Ran::hung(row))).collect()
}
