//! What a driver of the machine needs, and a merchant does not: steps, tokens, time, transport errors.
//!
//! The crates `capture-client`, `capture-reqwest`, `capture-ureq` and `capture-hyper` are drivers.

pub use crate::listing::ListQuery;
pub use crate::machine::{InFlight, NeedsToken, Progress, Step, Waiting};
pub use crate::query::{Query, QueryStep};
pub use crate::shared::{RetryBudget, Shared, TokenRequest};
pub use crate::status::StatusQuery;
pub use crate::time::Now;
pub use crate::tokens::{Login, TokenAction, Tokens};
pub use crate::transport::{
    CONNECT_TIMEOUT, Delivery, MAX_BODY, MAX_HEADERS, PING_INTERVAL, PING_TIMEOUT, TransportError,
    check_framing,
};
pub use crate::verdict::{Evidence, Verdict};
pub use crate::wire::Api;
