//! The client over a transport of strings: what it shares, what a call changes, what it tells.

mod events;
mod settings;
mod stop;
mod stub;
