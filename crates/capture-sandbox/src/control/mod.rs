//! `/_sandbox/`: the JSON surface, the page, the OpenAPI document, and the comparison of claims with the truth.

pub(crate) mod answer;
pub(crate) mod audit;
mod claims;
mod local;
mod orders;
mod page;
mod settings;
