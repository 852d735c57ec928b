//! The page at `/_sandbox/`: orders, requests, and where a client's claim disagrees with the truth.
//!
//! It is written as a whole: no script, nothing to load, nothing unescaped.

mod document;
mod html;
mod orders;
mod parts;
mod requests;
mod summary;
mod waiting;

pub(super) use document::reply;
