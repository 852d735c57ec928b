//! Everything that is tested from outside, one module for each suite.

mod circles;
mod cli;
mod clients;
mod conformance;
mod exhaustive;
mod faults;
mod simulation;
mod tidy;
mod vectors;
mod words;
