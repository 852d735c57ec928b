//! `POST /v1/oauth2/token`: grants tokens that expire.

use std::time::SystemTime;

use capture_core::BearerToken;
use capture_core::wire::error::ApiError;
use capture_core::wire::{self, Response, Unreadable};
use http::StatusCode;

use crate::api::replies as reply;
use crate::sandbox::Sandbox;
use crate::world::clock;

/// The id of the one merchant.
pub(crate) const MERCHANT: &str = "6d1f7f0e-51a5-4a52-9d6b-3a1c1f0b7e11";

impl Sandbox {
    /// The reply to a login. Wrong credentials are a 400, as the live service was seen to answer.
    pub(crate) fn token(&mut self, body: &[u8], now: SystemTime) -> Response {
        let (key, secret) = match wire::token::read_request(body) {
            Ok(credentials) => credentials,
            Err(Unreadable::Type(field)) => {
                let message = format!("The {field} field is required.");
                return reply::invalid(self, &[ApiError::field(field, &message)]);
            }
            Err(error) => return reply::invalid(self, &[ApiError::field("$", &error.to_string())]),
        };
        if key != self.settings.app_key || secret != self.settings.app_secret {
            return reply::problem(self, StatusCode::BAD_REQUEST, "Invalid API key or secret");
        }
        // Now and then is enough, and costs nothing on average.
        if self.tokens.len().is_power_of_two() {
            self.tokens.retain(|_, expires| now < *expires);
        }
        let text = self.draw.token();
        let token = BearerToken::new(&text).expect("letters, digits and dots");
        let expires = clock::later(now, self.settings.token_lifetime);
        self.tokens.insert(text, expires);
        self.logins += 1;
        let refresh_token = self.draw.refresh_token();
        wire::token::granted(&token, &refresh_token, clock::millis(expires), MERCHANT)
    }

    /// Whether the sandbox granted this token and it is still alive.
    pub(crate) fn knows_token(&self, token: &str, now: SystemTime) -> bool {
        self.tokens.get(token).is_some_and(|expires| now < *expires)
    }
}
