//! What needs more than one crate: the checks of Capture as a whole.

pub mod exhaustive;
mod fixture;
pub mod foremen;
mod leases;
pub mod misuse;
pub mod simulation;
pub mod subject;
pub mod vectors;

/// The README's code, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The code of the journal's page, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/journal.md")]
struct Journal;

/// The code of the page on many machines, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/fleet.md")]
struct Fleet;

/// The service of the documentation, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/service.md")]
struct Service;
