//! Everything that is tested from outside, one module for each suite.

mod circles;
mod cli;
mod conformance;
mod exhaustive;
mod simulation;
mod tidy;
mod vectors;
