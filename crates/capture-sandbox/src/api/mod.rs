//! The API: one file for each operation, the replies that they share, the routes.

pub(crate) mod call;
mod cancel;
mod capture;
mod evaluate;
pub(crate) mod headers;
pub(crate) mod order;
mod orders;
mod query;
pub(crate) mod replies;
mod token;
