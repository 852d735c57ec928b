//! HTTP/1.1: requests out of bytes, and the connection around them.

mod body;
mod decoder;
mod head;
mod serve;

pub(super) use body::MAX_BODY;
pub(super) use head::MAX_HEAD;
pub(super) use serve::serve;
