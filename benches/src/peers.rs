//! The same work by other code: what anybody would write, and two crates of the trade.

pub mod hand;
pub mod oauth2;
pub mod serde;
#[cfg(feature = "peers")]
pub mod stripe;
pub mod value;
