//! The environment, the credentials and the policy, from flags, variables and a file.

use std::env;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use capture_core::driver::Tokens;
use capture_core::{BearerToken, Credentials, Environment, Invalid, Policy};
use serde::Deserialize;

use crate::file;
use crate::output;

/// Input that is refused before anything is sent: which field, and a sentence to act on.
pub(crate) struct BadInput {
    pub(crate) field: &'static str,
    pub(crate) sentence: String,
}

impl BadInput {
    pub(crate) fn new(field: &'static str, sentence: impl Into<String>) -> Self {
        Self { field, sentence: sentence.into() }
    }

    /// The same, and where the value came from.
    fn from_source(source: &str, invalid: &Invalid) -> Self {
        Self::new(invalid.field(), format!("{source}: {invalid}"))
    }
}

impl From<Invalid> for BadInput {
    fn from(invalid: Invalid) -> Self {
        Self::new(invalid.field(), invalid.to_string())
    }
}

/// The environment by flag, else by variable. There is no default.
pub(crate) fn environment(flag: Option<&str>) -> Result<Environment, BadInput> {
    const VARIABLE: &str = "CAPTURE_ENVIRONMENT";
    if let Some(text) = flag {
        return Ok(text.parse()?);
    }
    let Some(text) = variable(VARIABLE, "environment")? else {
        let sentence = "no environment is given and there is no default; set --environment or \
                        CAPTURE_ENVIRONMENT to sandbox, production or a URL";
        return Err(BadInput::new("environment", sentence));
    };
    text.parse().map_err(|invalid| BadInput::from_source(VARIABLE, &invalid))
}

/// A token, or the key and secret that obtain one, from exactly one source.
pub(crate) fn tokens(file: Option<&Path>) -> Result<Tokens, BadInput> {
    const TOKEN: &str = "CAPTURE_TOKEN";
    const KEY: &str = "CAPTURE_APP_KEY";
    const SECRET: &str = "CAPTURE_APP_SECRET";
    const FILE: &str = "--credentials";
    let token = variable(TOKEN, "credentials")?;
    let key = variable(KEY, "credentials")?;
    let secret = variable(SECRET, "credentials")?;
    let refuse = |sentence: String| Err(BadInput::new("credentials", sentence));

    let pair = if key.is_some() { KEY } else { SECRET };
    let sources = [
        file.map(|_| FILE),
        token.as_ref().map(|_| TOKEN),
        key.as_ref().or(secret.as_ref()).map(|_| pair),
    ];
    let given: Vec<&str> = sources.into_iter().flatten().collect();
    if let [first, second, ..] = given[..] {
        return refuse(format!("{first} and {second} are both given; use one of them"));
    }
    match (file, token, key, secret) {
        (Some(path), ..) => from_file(path),
        (_, Some(token), ..) => BearerToken::new(&token)
            .map(Tokens::own)
            .map_err(|invalid| BadInput::from_source(TOKEN, &invalid)),
        (.., Some(key), Some(secret)) => {
            Credentials::new(key, secret).map(Tokens::login).map_err(|invalid| {
                let source = if invalid.field() == "app key" { KEY } else { SECRET };
                BadInput::from_source(source, &invalid)
            })
        }
        (.., Some(_), None) => refuse(format!("{SECRET} is missing; it belongs to {KEY}")),
        (.., None, Some(_)) => refuse(format!("{KEY} is missing; it belongs to {SECRET}")),
        _ => refuse(format!(
            "no credentials are given; set {TOKEN}, or {KEY} and {SECRET}, or use {FILE} FILE"
        )),
    }
}

/// The policy, where a flag differs from its default.
pub(crate) fn policy(
    attempt_timeout: Option<&str>,
    deadline: Option<&str>,
    max_sends: Option<&str>,
) -> Result<Policy, Invalid> {
    let mut policy = Policy::default();
    if let Some(text) = attempt_timeout {
        policy = policy.with_attempt_timeout(seconds("attempt timeout", text)?);
    }
    if let Some(text) = deadline {
        policy = policy.with_deadline(seconds("deadline", text)?);
    }
    if let Some(text) = max_sends {
        policy = policy.with_max_sends(count("max sends", text)?);
    }
    Ok(policy)
}

/// A whole number from 1 to 100.
pub(crate) fn count(field: &'static str, text: &str) -> Result<NonZeroU32, Invalid> {
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|number: &NonZeroU32| plain && number.get() <= 100);
    number.ok_or_else(|| Invalid::new(field, text, "must be a whole number from 1 to 100"))
}

/// A variable's text. Set but empty is more likely an accident than intended.
pub(crate) fn variable(
    name: &'static str,
    field: &'static str,
) -> Result<Option<String>, BadInput> {
    match env::var(name) {
        Err(env::VarError::NotPresent) => Ok(None),
        Ok(text) if text.is_empty() => Err(BadInput::new(
            field,
            format!("{name} is set but empty; give it a value or unset it"),
        )),
        Ok(text) => Ok(Some(text)),
        Err(env::VarError::NotUnicode(_)) => {
            Err(BadInput::new(field, format!("{name} is not valid UTF-8")))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    app_key: Option<String>,
    app_secret: Option<String>,
    token: Option<String>,
}

fn from_file(path: &Path) -> Result<Tokens, BadInput> {
    let name = path.display();
    let refuse =
        |why: String| BadInput::new("credentials", format!("credentials file {name}: {why}"));
    let text = file::read(path, 64 * 1024).map_err(|error| refuse(error.to_string()))?;
    warn_if_others_can_read(path);
    // serde's own message could quote the secret.
    let form = r#"must be {"app_key": "...", "app_secret": "..."} or {"token": "..."}"#;
    let stored: Stored = serde_json::from_slice(&text).map_err(|error| {
        refuse(format!("{form}; see line {}, column {}", error.line(), error.column()))
    })?;
    let checked = match stored {
        Stored { app_key: Some(key), app_secret: Some(secret), token: None } => {
            Credentials::new(key, secret).map(Tokens::login)
        }
        Stored { app_key: None, app_secret: None, token: Some(token) } => {
            BearerToken::new(&token).map(Tokens::own)
        }
        Stored { app_key: Some(_), app_secret: None, token: None } => {
            return Err(refuse("app_secret is missing; it belongs to app_key".into()));
        }
        Stored { app_key: None, app_secret: Some(_), token: None } => {
            return Err(refuse("app_key is missing; it belongs to app_secret".into()));
        }
        Stored { token: Some(_), .. } => {
            return Err(refuse("token and app_key are both given; keep one of them".into()));
        }
        Stored { .. } => return Err(refuse(form.into())),
    };
    checked.map_err(|invalid| {
        BadInput::new(invalid.field(), format!("credentials file {name}: {invalid}"))
    })
}

#[cfg(unix)]
fn warn_if_others_can_read(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    // A service manager hands out a copy that one user can read, by a list that the mode does not show.
    if env::var_os("CREDENTIALS_DIRECTORY").is_some_and(|handed| path.starts_with(handed)) {
        return;
    }
    let others = |file: std::fs::Metadata| file.is_file() && file.permissions().mode() & 0o077 != 0;
    if path.metadata().is_ok_and(others) {
        let name = path.display();
        output::note(&format!("warning: others can read {name}; run: chmod 600 {name}"));
    }
}

#[cfg(not(unix))]
fn warn_if_others_can_read(_: &Path) {}

/// Seconds with at most three decimals; no float, so no NaN, no infinity and no exponent.
fn seconds(field: &'static str, text: &str) -> Result<Duration, Invalid> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let millis = (digits(whole) && digits(fraction) && fraction.len() <= 3)
        .then(|| format!("{whole}{fraction:0<3}").parse::<u64>().ok())
        .flatten()
        .filter(|millis| (1..=3_600_000).contains(millis));
    let rule = "must be seconds such as 35 or 0.5, more than 0 and at most 3600";
    millis.map(Duration::from_millis).ok_or_else(|| Invalid::new(field, text, rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_plain_decimals_within_an_hour() {
        for (text, millis) in [
            ("35", Some(35_000)),
            ("0.5", Some(500)),
            ("0.001", Some(1)),
            ("007.25", Some(7_250)),
            ("3600", Some(3_600_000)),
            ("3600.001", None),
            ("0", None),
            ("0.000", None),
            ("0.0001", None),
            ("-1", None),
            ("+1", None),
            ("1e3", None),
            ("nan", None),
            ("inf", None),
            ("", None),
            (" 1", None),
            (".5", None),
            ("5.", None),
            ("1.2.3", None),
            ("1,5", None),
            ("\u{ff11}", None),
            ("99999999999999999999", None),
        ] {
            let parsed = seconds("deadline", text).ok();
            assert_eq!(parsed, millis.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn counts_are_one_to_a_hundred() {
        for (text, number) in [("1", Some(1)), ("100", Some(100)), ("101", None), ("0", None)] {
            assert_eq!(count("max sends", text).ok().map(NonZeroU32::get), number, "{text}");
        }
        for text in ["", "-1", "+1", "1.0", "1e1", " 1", "\u{661}", "4294967297"] {
            assert!(count("max sends", text).is_err(), "{text}");
        }
    }
}
