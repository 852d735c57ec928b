//! What happens on the wire in answer to a request.

use std::time::Duration;

use bytes::Bytes;

use crate::faults::raw::Raw;

/// What happens on the wire in answer to a request, and when.
#[derive(Debug, Clone)]
#[must_use]
pub struct Reply {
    /// How long to wait first.
    pub delay: Duration,
    /// What happens then.
    pub action: Action,
}

/// What happens on the wire in answer to a request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Action {
    /// This reply is sent.
    Respond(http::Response<Bytes>),
    /// The connection is closed, and nothing is sent.
    Close,
    /// These bytes are sent and the connection ends: a part of a reply, or no valid HTTP at all.
    Raw(Raw),
}

impl Reply {
    /// The reply, if a whole one is sent as HTTP wants it.
    #[must_use]
    pub fn response(&self) -> Option<&http::Response<Bytes>> {
        match &self.action {
            Action::Respond(response) => Some(response),
            Action::Close | Action::Raw(_) => None,
        }
    }
}
