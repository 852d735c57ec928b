//! The built `capture` command, as a person or a script runs it.

mod causes;
mod command;
mod credentials;
mod demo;
mod input;
mod interrupt;
mod order;
mod proxy;
mod sandbox;
mod status;
mod terminal;
mod ticket;
