//! Whole files: checked, approved, worked off, and told line by line.

pub(crate) mod args;
mod confirm;
pub(crate) mod due;
mod guards;
pub(crate) mod plan;
mod preflight;
mod prepared;
mod progress;
pub(crate) mod report;
mod results;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod work;
