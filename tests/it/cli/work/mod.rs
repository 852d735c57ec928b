//! `capture work`, the built command as a service: what it drains, says and survives.

mod drains;
mod health;
mod notify;
pub(super) mod service;
mod unit;
