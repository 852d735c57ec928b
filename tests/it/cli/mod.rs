//! The built `capture` command, as a person or a script runs it.

#[cfg(unix)]
mod batch;
mod causes;
pub(crate) mod command;
mod crash;
mod credentials;
mod demo;
mod explain;
#[cfg(unix)]
mod fleet;
mod input;
mod interrupt;
mod journal;
mod keep;
mod kept;
mod order;
mod output;
#[cfg(unix)]
mod preflight;
mod proxy;
#[cfg(unix)]
mod report;
mod sandbox;
mod scenario;
mod status;
mod terminal;
#[cfg(unix)]
mod work;
