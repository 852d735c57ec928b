//! Foremen in virtual time: several on one journal, that die at any moment, beside an API that throttles,
//! loses replies and goes out of order.

mod misuse;
mod order;
mod world;

pub use misuse::Misuse;
pub use order::Rule;
pub use world::{Report, calm, play, serve};
