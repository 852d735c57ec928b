//! `/_sandbox/`: the JSON surface, the page, the OpenAPI document, claims and their audit.

mod answer;
mod audit;
mod claims;
mod orders;
mod page;
mod reply;
mod settings;
mod summary;

pub(crate) use answer::answer;
pub use audit::{Audit, Comparison, Standing};
pub use summary::Summary;
