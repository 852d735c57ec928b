//! Captures on the durable-execution engine Restate: one virtual object for each order, which any
//! language asks over the engine's HTTP ingress. The README beside it says what it promises.

mod asked;
mod order;
mod pauses;
mod state;
mod told;

pub use asked::{asked, label};
pub use order::Order;
pub use pauses::Pauses;
pub use state::{Next, State, decide};
pub use told::Told;
