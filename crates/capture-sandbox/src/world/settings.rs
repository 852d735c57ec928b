//! The settings of a sandbox.

use std::fmt;
use std::time::Duration;

use capture_core::wire;

use crate::world::keys::Idempotency;

/// How a sandbox behaves. Every field has a default:
///
/// ```
/// use capture_sandbox::{Idempotency, Settings};
/// let settings = Settings { idempotency: Idempotency::OnlySuccess, ..Settings::default() };
/// # let _ = settings;
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// The merchant's `AppKey`.
    pub app_key: String,
    /// The merchant's `AppSecret`.
    pub app_secret: String,
    /// How long a token is valid: 10 minutes, as at the live service.
    pub token_lifetime: Duration,
    /// How long an order waits for its capture before it is voided: 7 days, the longest window that
    /// the service can be configured with.
    pub window: Duration,
    /// What the sandbox remembers under an idempotency key.
    pub idempotency: Idempotency,
    /// Whether an order can be captured only once, and only in *capturerequired*. When this is off,
    /// every request that is executed takes the money again, so that only the client's own care
    /// prevents a double charge.
    pub guard: bool,
    /// The seed of all ids and tokens: the same seed and the same requests give the same replies.
    pub seed: u64,
    /// Whether other machines may use the sandbox. If so, it may listen on any address, and it
    /// answers under any host name. Anyone who can reach it can then do everything to
    /// it, including web pages open in a browser on its network.
    pub remote: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            app_key: "sandbox/app+key=".into(),
            app_secret: "sandbox/app+secret=".into(),
            token_lifetime: wire::token::LIFETIME,
            window: Duration::from_secs(7 * 24 * 60 * 60),
            idempotency: Idempotency::default(),
            guard: true,
            seed: 0,
            remote: false,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("token_lifetime", &self.token_lifetime)
            .field("window", &self.window)
            .field("idempotency", &self.idempotency)
            .field("guard", &self.guard)
            .field("seed", &self.seed)
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}
