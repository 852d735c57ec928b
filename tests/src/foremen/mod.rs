//! Foremen in virtual time: several on one journal, that die at any moment, beside an API that throttles,
//! loses replies and goes out of order. Fleets have leases instead of locks, clocks that are off and that jump,
//! hosts that stand still or are cut off, and answers to COMMIT that are lost.

mod judge;
mod misuse;
mod order;
mod plays;
mod trouble;
mod world;

pub use misuse::Misuse;
pub use order::Rule;
pub use plays::{against, calm, hosts, play, serve, share};
pub use trouble::Trouble;
pub use world::Report;
