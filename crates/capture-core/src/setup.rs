//! What every client is made from, whatever its transport.

use std::num::NonZeroU32;

use crate::policy::Policy;
use crate::shared::Shared;
use crate::tokens::Tokens;
use crate::values::{BearerToken, Credentials, Environment};
use crate::wire::{Api, ContentType};

/// Where to capture, with whose token, and how hard to try. Each adapter's `Client::new` takes one.
///
/// ```
/// use capture_core::{Credentials, Environment, Setup};
/// let credentials = Credentials::new("app-key", "app-secret")?;
/// let setup = Setup::new(&Environment::Sandbox, credentials);
/// # Ok::<(), capture_core::Invalid>(())
/// ```
///
/// It has no `Clone`: two clients from one setup would each have a token and a retry budget of their
/// own. Clone the client instead; its clones share both.
///
/// ```compile_fail,E0599
/// # use capture_core::{BearerToken, Environment, Setup};
/// # let setup = Setup::new(&Environment::Sandbox, BearerToken::new("token").unwrap());
/// let second = setup.clone();
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Setup {
    /// The operations of one environment.
    pub api: Api,
    /// What all captures of the client share.
    pub shared: Shared,
    /// How hard to try.
    pub policy: Policy,
    /// How many captures are sent at a time.
    pub max_in_flight: NonZeroU32,
}

/// An HTTP/2 server should allow as many requests on one connection (RFC 9113 section 6.5.2).
const MAX_IN_FLIGHT: NonZeroU32 = NonZeroU32::new(100).expect("100 is not 0");

impl Setup {
    /// The environment, and either [`Credentials`] to log in with or a [`BearerToken`] of your own.
    #[must_use]
    pub fn new(environment: &Environment, auth: impl Into<Tokens>) -> Self {
        Self {
            api: Api::new(environment),
            shared: Shared::new(auth),
            policy: Policy::default(),
            max_in_flight: MAX_IN_FLIGHT,
        }
    }

    /// Replaces the default policy.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// How many captures the client and its clones send at a time; 100 unless set. Any number may be
    /// under way: the others wait before anything of theirs is sent, and that wait counts against their
    /// deadlines, not against the time of an attempt. More than the server takes on one HTTP/2
    /// connection would wait inside of it, where a timeout means *maybe sent*.
    #[must_use]
    pub fn with_max_in_flight(self, max_in_flight: NonZeroU32) -> Self {
        Self { max_in_flight, ..self }
    }

    /// Replaces the contract's literal content type for `/capture`.
    #[must_use]
    pub fn with_content_type(self, content_type: ContentType) -> Self {
        Self { api: self.api.with_content_type(content_type), ..self }
    }
}

impl From<Credentials> for Tokens {
    fn from(credentials: Credentials) -> Self {
        Self::login(credentials)
    }
}

impl From<BearerToken> for Tokens {
    fn from(token: BearerToken) -> Self {
        Self::own(token)
    }
}
