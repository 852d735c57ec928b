//! `POST /v1/oauth2/token`: turns the merchant's key and secret into a bearer token.
//!
//! JSON, not an RFC 6749 form; wrong credentials come back as 400. There is no refresh call: every
//! known client posts its key and secret again.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use zeroize::Zeroizing;

use super::api::Api;
use super::json::{self, Names, Scalar, Unreadable};
use super::message::{Empty, Request, Response, json_reply};
use crate::values::{BearerToken, Credentials};

/// How long a token lives, counted from its request (official page; recorded tokens agree).
pub const LIFETIME: Duration = Duration::from_secs(600);

/// The login request. Its body holds the secret: never log it.
#[must_use]
pub fn request(api: &Api, credentials: &Credentials) -> Request {
    api.login(Bytes::from_owner(body(credentials)))
}

fn body(credentials: &Credentials) -> Zeroizing<Vec<u8>> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body<'a> {
        app_key: &'a str,
        app_secret: &'a str,
    }
    let mut body = Zeroizing::new(Vec::with_capacity(room(credentials)));
    let fields = Body { app_key: credentials.app_key(), app_secret: credentials.app_secret() };
    serde_json::to_writer(&mut *body, &fields).expect("a Vec takes every write");
    body
}

/// Escaping can turn one byte into six. With enough capacity the buffer never grows, which would copy
/// the secret.
fn room(credentials: &Credentials) -> usize {
    6 * (credentials.app_key().len() + credentials.app_secret().len()) + 64
}

/// Reads a login request's key and secret, as a server does.
///
/// # Errors
/// A body that is not an object with the two strings `AppKey` and `AppSecret`, in any case.
pub fn read_request(body: &[u8]) -> Result<(String, String), Unreadable> {
    let [key, secret] = json::members(body, const { &Names::new(["AppKey", "AppSecret"]) })?;
    let text = |name, raw| match Scalar::read(name, raw)? {
        Scalar::Text(text) => Ok(text.into_owned()),
        _ => Err(Unreadable::Type(name)),
    };
    Ok((text("AppKey", key)?, text("AppSecret", secret)?))
}

/// A token, and how long it may be used from the moment it was requested.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The token.
    pub token: BearerToken,
    /// At most [`LIFETIME`]; shorter if the reply's `expires` says so.
    pub lifetime: Duration,
}

/// Reads the reply to a login; `None` where a 200 holds no token that could be used.
#[must_use]
pub fn read_reply(response: &Response) -> Option<Grant> {
    if response.status() != StatusCode::OK {
        return None;
    }
    let names = const { &Names::new(["accessToken", "expires"]) };
    let [token, expires] = json::members(response.body(), names).ok()?;
    let token = Scalar::read("accessToken", token).ok()?;
    let token = BearerToken::new(token.text()?).ok()?;
    let expires = match Scalar::read("expires", expires).ok()? {
        Scalar::Number(Some(millis)) => u64::try_from(millis).ok(),
        Scalar::Text(text) => text.parse().ok(),
        _ => None,
    };
    let lifetime = expires.and_then(|millis| remaining(millis, response.headers()));
    Some(Grant { token, lifetime: lifetime.map_or(LIFETIME, |left| left.min(LIFETIME)) })
}

/// `expires` (Unix milliseconds) less the reply's own `Date`: the server's clock against itself, so
/// that a wrong clock here does no harm. The past and other nonsense are ignored.
fn remaining(expires: u64, headers: &HeaderMap) -> Option<Duration> {
    let date = httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()?;
    let expires = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(expires))?;
    expires.duration_since(date).ok().filter(|left| !left.is_zero())
}

/// The recorded reply that grants a token, for servers.
///
/// `expires` is in Unix milliseconds.
#[must_use]
pub fn granted(token: &BearerToken, refresh_token: &str, expires: u64, id: &str) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        access_token: &'a str,
        refresh_token: &'a str,
        expires: u64,
        id: &'a str,
        session: (),
        #[serde(rename = "daysToEnforceMFA")]
        days_to_enforce_mfa: (),
        skip_available: (),
        success: bool,
        result: (),
        status: (),
        status_code: (),
        errors: [(); 0],
        custom_properties: Empty,
    }
    let body = Body {
        access_token: token.expose(),
        refresh_token,
        expires,
        id,
        session: (),
        days_to_enforce_mfa: (),
        skip_available: (),
        success: true,
        result: (),
        status: (),
        status_code: (),
        errors: [],
        custom_properties: Empty {},
    };
    let mut response = json_reply(StatusCode::OK, &body);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::values::Environment;

    #[test]
    fn the_request_is_the_documented_one() {
        let api = Api::new(&Environment::Sandbox);
        let credentials = Credentials::new("k/+=", "s\"\\").unwrap();
        let request = request(&api, &credentials);
        assert_eq!(request.uri(), "https://api-sandbox.flex-charge.com/v1/oauth2/token");
        assert_eq!(request.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(&request.body()[..], br#"{"AppKey":"k/+=","AppSecret":"s\"\\"}"#);
        let read = read_request(request.body()).unwrap();
        assert_eq!(read, ("k/+=".into(), "s\"\\".into()));
    }

    /// The longest credentials, of characters that are escaped, and the shortest.
    #[test]
    fn the_secret_is_never_copied_by_a_buffer_that_grows() {
        for text in ["\\".repeat(4096), "k".into()] {
            let credentials = Credentials::new(&*text, &*text).unwrap();
            let (body, room) = (body(&credentials), room(&credentials));
            assert!(body.len() <= room && room <= 64 * 1024, "{} of {room}", body.len());
            assert_eq!(body.capacity(), room);
        }
    }

    #[test]
    fn expires_may_shorten_and_never_lengthen() {
        let date = 1_712_237_348_u64;
        for (expires, lifetime) in [
            (json!((date + 600) * 1000), 600),
            (json!((date + 90) * 1000), 90),
            (json!(((date + 90) * 1000).to_string()), 90),
            (json!((date + 90_000) * 1000), 600),
            (json!(date + 600), 600), // seconds instead of milliseconds: long past
            (json!((date - 5) * 1000), 600), // past: nonsense in a fresh grant
            (json!(u64::MAX), 600),
            (json!(-1), 600),
            (json!(null), 600),
            (json!([1]), 600),
        ] {
            let body = json!({ "accessToken": "t", "expires": expires });
            let mut response = json_reply(StatusCode::OK, &body);
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(date);
            let now = httpdate::fmt_http_date(now).parse().unwrap();
            assert_eq!(read_reply(&response).unwrap().lifetime, LIFETIME, "without a Date");
            response.headers_mut().insert(header::DATE, now);
            let grant = read_reply(&response).unwrap();
            assert_eq!(grant.lifetime, Duration::from_secs(lifetime), "{expires}");
        }
    }

    #[test]
    fn a_reply_without_a_usable_token_grants_nothing() {
        for body in [
            json!({}),
            json!({ "accessToken": null }),
            json!({ "accessToken": "" }),
            json!({ "accessToken": "a\r\nb: c" }),
            json!({ "accessToken": "a b" }),
            json!({ "accessToken": "a".repeat(1 << 20) }),
        ] {
            assert!(read_reply(&json_reply(StatusCode::OK, &body)).is_none());
        }
        let good = json!({ "accessToken": "t" });
        assert!(read_reply(&json_reply(StatusCode::BAD_REQUEST, &good)).is_none());
    }
}
