//! `/_sandbox/settings`: how a running sandbox behaves.

use std::time::Duration;

use capture_core::wire::Response;
use serde::{Deserialize, Serialize};

use crate::control::reply::{Refusal, ok, read};
use crate::world::{Idempotency, Settings};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    idempotency: Option<Idempotency>,
    guard: Option<bool>,
    window_seconds: Option<u64>,
    token_lifetime_seconds: Option<u64>,
}

/// Everything except the credentials.
#[derive(Serialize)]
struct Shown {
    idempotency: Idempotency,
    guard: bool,
    window_seconds: u64,
    token_lifetime_seconds: u64,
    seed: u64,
}

pub(super) fn show(settings: &Settings) -> Response {
    ok(&Shown {
        idempotency: settings.idempotency,
        guard: settings.guard,
        window_seconds: settings.window.as_secs(),
        token_lifetime_seconds: settings.token_lifetime.as_secs(),
        seed: settings.seed,
    })
}

pub(super) fn change(settings: &mut Settings, body: &[u8]) -> Result<Response, Refusal> {
    let wanted: Wanted = read(body)?;
    settings.idempotency = wanted.idempotency.unwrap_or(settings.idempotency);
    settings.guard = wanted.guard.unwrap_or(settings.guard);
    settings.window = wanted.window_seconds.map_or(settings.window, Duration::from_secs);
    let lifetime = wanted.token_lifetime_seconds.map(Duration::from_secs);
    settings.token_lifetime = lifetime.unwrap_or(settings.token_lifetime);
    Ok(show(settings))
}
