//! What a call may change: the policy, further headers, who watches, and when to stop.

use std::fmt;
use std::sync::Arc;

use capture_core::Policy;
use capture_core::http::HeaderMap;
use capture_core::wire::Request;

use crate::event::{Event, Observer};
use crate::stop::Stop;

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) policy: Policy,
    pub(crate) headers: HeaderMap,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
    pub(crate) stop: Option<Stop>,
}

impl Settings {
    pub(crate) fn new(policy: Policy) -> Self {
        Self { policy, headers: HeaderMap::new(), observers: Vec::new(), stop: None }
    }

    /// Adds the caller's headers, where the request has none of that name.
    pub(crate) fn add_headers(&self, request: &mut Request) {
        for (name, value) in &self.headers {
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }

    /// Whether anything watches.
    pub(crate) fn is_watched(&self) -> bool {
        cfg!(feature = "tracing") || cfg!(feature = "metrics") || !self.observers.is_empty()
    }

    /// Tells those who watch.
    pub(crate) fn emit(&self, event: &Event<'_>) {
        #[cfg(feature = "tracing")]
        crate::tracing::emit(event);
        #[cfg(feature = "metrics")]
        crate::metrics::emit(event);
        self.observers.iter().for_each(|observer| observer.observe(event));
    }
}

/// A caller's header may hold a secret.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("policy", &self.policy)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("is_watched", &self.is_watched())
            .finish_non_exhaustive()
    }
}
