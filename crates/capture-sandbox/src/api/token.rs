//! `POST /v1/oauth2/token`: grants tokens that expire.

use std::time::SystemTime;

use capture_core::BearerToken;
use capture_core::wire::error::ApiError;
use capture_core::wire::{self, Response, Unreadable};
use http::StatusCode;

use crate::api::replies;
use crate::world::{World, clock};

/// The id of the one merchant.
pub(crate) const MERCHANT: &str = "6d1f7f0e-51a5-4a52-9d6b-3a1c1f0b7e11";

/// The reply to a login. Wrong credentials get a 400, as seen at the live service.
pub(super) fn answer(world: &mut World, body: &[u8], now: SystemTime) -> Response {
    let (key, secret) = match wire::token::read_request(body) {
        Ok(credentials) => credentials,
        Err(error) => {
            let error = match error {
                Unreadable::Type(field) => {
                    ApiError::field(field, &format!("The {field} field is required."))
                }
                error => ApiError::field("$", &error.to_string()),
            };
            return replies::invalid(&mut world.draw, &[error]);
        }
    };
    if key != world.settings.app_key || secret != world.settings.app_secret {
        let title = "Invalid API key or secret";
        return replies::problem(&mut world.draw, StatusCode::BAD_REQUEST, title);
    }
    let text = world.draw.token();
    let token = BearerToken::new(&text).expect("letters, digits and dots");
    let expires = clock::later(now, world.settings.token_lifetime);
    world.tokens.grant(text, expires, now);
    let refresh_token = world.draw.refresh_token();
    wire::token::granted(&token, &refresh_token, clock::millis(expires), MERCHANT)
}
