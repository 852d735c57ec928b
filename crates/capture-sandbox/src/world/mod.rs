//! What is true: orders, keys, tokens, the clock, the ledger, the transcript, claims.

mod batch;
mod claims;
pub(crate) mod clock;
mod draw;
mod keys;
mod ledger;
mod operation;
mod orders;
mod settings;
mod state;
mod tokens;
mod transcript;

pub use batch::DrawnOrder;
pub use claims::Claimed;
pub(crate) use draw::Draw;
pub use keys::Idempotency;
pub(crate) use keys::{Kept, Known};
pub use ledger::{Entry, Ledger};
pub use operation::Operation;
pub use orders::NewOrder;
pub(crate) use orders::Order;
pub use settings::Settings;
pub(crate) use state::World;
pub(crate) use transcript::Transcript;
pub use transcript::{Exchange, Sent};
