//! The API: the route table, one file for each operation, and the replies that they share.

mod answer;
mod call;
mod cancel;
mod capture;
mod evaluate;
mod headers;
mod once;
mod order;
mod orders;
pub(crate) mod replies;
pub(crate) mod routes;
mod token;

pub(crate) use answer::answer;
pub(crate) use call::Call;
pub(crate) use headers::prefers_html;
pub(crate) use once::{At, Instead, Replayed};
pub use order::PERSONAL_DATA;
