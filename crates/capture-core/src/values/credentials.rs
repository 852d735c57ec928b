//! What must never be shown: the bearer token, and the key and secret that obtain one.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

use super::invalid::Invalid;

/// The access token that `/oauth2/token` returned, ready for the `Authorization` header.
///
/// Its `Debug` shows nothing, the header value is marked sensitive, and the memory is wiped when
/// the last copy is dropped.
///
/// ```
/// let token = capture_core::BearerToken::new("eyJhbGciOi.J9")?;
/// assert_eq!(format!("{token:?}"), "BearerToken(hidden)");
/// # Ok::<(), capture_core::Invalid>(())
/// ```
#[derive(Clone)]
pub struct BearerToken(HeaderValue);

const SCHEME: &str = "Bearer ";

/// The gateway in front of the API refuses more than 10,240 bytes of request line and headers.
const LONGEST_TOKEN: usize = 8 * 1024;

impl BearerToken {
    /// Takes a token as the API returned it, without the word `Bearer`.
    ///
    /// # Errors
    /// RFC 6750 section 2.1 allows letters, digits and `-._~+/`, with `=` at the end; at most
    /// 8 KiB, so that the gateway's header limit holds. The error never shows the token.
    pub fn new(token: &str) -> Result<Self, Invalid> {
        let refuse = |rule: &'static str| Err(Invalid::hidden("bearer token", rule));
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
        let body = token.trim_end_matches('=');
        if token.trim().is_empty() {
            return refuse("is empty");
        }
        if token.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME)) {
            return refuse("must be given without the word Bearer");
        }
        if token.len() > LONGEST_TOKEN {
            return refuse("must not be longer than 8192 bytes");
        }
        if let Some(rule) = left_over(token) {
            return refuse(rule);
        }
        if body.is_empty() || !body.bytes().all(allowed) {
            return refuse(
                "may hold only letters, digits and -._~+/ and = at its end; no spaces, no line breaks",
            );
        }
        let header = Zeroizing::new([SCHEME.as_bytes(), token.as_bytes()].concat());
        let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(header))
            .expect("the allowed characters are legal in a header");
        header.set_sensitive(true);
        Ok(Self(header))
    }

    /// The token without its scheme: **a secret**, for the one place that must show it.
    #[must_use]
    pub fn expose(&self) -> &str {
        let header = self.0.to_str().expect("the allowed characters are ASCII");
        &header[SCHEME.len()..]
    }

    /// The same, without looking at each byte again.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0.as_bytes()[SCHEME.len()..]
    }

    /// The whole `Authorization` value, marked sensitive.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl PartialEq for BearerToken {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for BearerToken {}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(hidden)")
    }
}

/// The merchant's API key and secret, which `/oauth2/token` turns into a bearer token.
///
/// ```
/// let credentials = capture_core::Credentials::new("key", "secret")?;
/// assert_eq!(format!("{credentials:?}"), "Credentials(hidden)");
/// # Ok::<(), capture_core::Invalid>(())
/// ```
#[derive(Clone)]
pub struct Credentials {
    app_key: Zeroizing<String>,
    app_secret: Zeroizing<String>,
}

impl Credentials {
    /// Takes `AppKey` and `AppSecret` as the portal shows them.
    ///
    /// # Errors
    /// Neither may be empty, longer than 4096 bytes, in quotation marks, or hold spaces, line breaks
    /// or control characters. The error never shows the value.
    pub fn new(app_key: impl Into<String>, app_secret: impl Into<String>) -> Result<Self, Invalid> {
        let app_key = Zeroizing::new(app_key.into());
        let app_secret = Zeroizing::new(app_secret.into());
        check("app key", &app_key)?;
        check("app secret", &app_secret)?;
        Ok(Self { app_key, app_secret })
    }

    pub(crate) fn app_key(&self) -> &str {
        &self.app_key
    }

    pub(crate) fn app_secret(&self) -> &str {
        &self.app_secret
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(hidden)")
    }
}

fn check(field: &'static str, text: &str) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::hidden(field, "is empty"));
    }
    if text.len() > 4096 {
        return Err(Invalid::hidden(field, "must not be longer than 4096 bytes"));
    }
    if let Some(rule) = left_over(text) {
        return Err(Invalid::hidden(field, rule));
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let rule = "must not hold spaces, line breaks or control characters";
        return Err(Invalid::hidden(field, rule));
    }
    Ok(())
}

/// What a file or a shell left around a secret: keys, secrets and tokens neither begin nor end so.
fn left_over(text: &str) -> Option<&'static str> {
    let quotes = ['"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];
    let around = |found: fn(char) -> bool| text.starts_with(found) || text.ends_with(found);
    if text.starts_with('\u{feff}') {
        Some("begins with a byte order mark; save its file without one")
    } else if text.ends_with(['\n', '\r']) {
        Some("ends with a line break; remove it")
    } else if around(char::is_whitespace) {
        Some("begins or ends with a space; remove it")
    } else if text.starts_with(quotes) || text.ends_with(quotes) {
        Some("is in quotation marks, as in a dotenv file; they are not part of it: remove them")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_could_break_a_header_are_refused_and_not_shown() {
        for (token, rule) in [
            ("", "is empty"),
            (" ", "is empty"),
            ("Bearer canary", "without the word"),
            ("bearer canary", "without the word"),
            ("canary\r\nx: y", "no line breaks"),
            ("can ary", "no spaces"),
            ("canary ", "ends with a space"),
            ("canary\n", "ends with a line break"),
            ("canary\r\n", "ends with a line break"),
            ("\"canary\"", "is in quotation marks"),
            ("'canary'", "is in quotation marks"),
            ("\u{201c}canary\u{201d}", "is in quotation marks"),
            ("\u{feff}canary", "byte order mark"),
            ("canary\u{7f}", "may hold only"),
            ("canary\u{e9}", "may hold only"),
            ("=canary", "may hold only"),
            ("===", "may hold only"),
            (&"canary".repeat(2000), "8192"),
        ] {
            let error = BearerToken::new(token).unwrap_err();
            assert!(error.rule().contains(rule), "{error}");
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
        let token = BearerToken::new("aZ0-._~+/==").unwrap();
        assert_eq!(token.expose(), "aZ0-._~+/==");
        assert!(token.header().is_sensitive());
    }

    #[test]
    fn credentials_are_checked_and_hidden() {
        let long = "c".repeat(5000);
        for (bad, rule) in [
            ("", "is empty"),
            (" ", "is empty"),
            ("can ary", "must not hold spaces"),
            ("canary\0", "control characters"),
            ("canary\n", "ends with a line break"),
            (" canary", "begins or ends with a space"),
            ("\"canary\"", "is in quotation marks"),
            ("'canary'", "is in quotation marks"),
            ("canary'", "is in quotation marks"),
            ("\u{feff}canary", "byte order mark"),
            (long.as_str(), "4096"),
        ] {
            let key = Credentials::new(bad, "good").unwrap_err();
            let secret = Credentials::new("good", bad).unwrap_err();
            assert_eq!((key.field(), secret.field()), ("app key", "app secret"));
            assert!(key.rule().contains(rule) && secret.rule().contains(rule), "{key}");
            assert!(!format!("{key} {secret} {key:?}").contains("canary"));
        }
        let credentials = Credentials::new("a/b+c=", "canary").unwrap();
        assert_eq!(format!("{credentials:?}"), "Credentials(hidden)");
    }
}
