//! The client over a stub transport: what it shares, what a call changes, what it reports.

mod events;
mod places;
mod settings;
mod stop;
mod stub;
