//! The path that a rule is about: one path, or all that begin the same.

use serde::{Deserialize, Serialize};

use crate::api::routes::is_control;

/// `/v1/tokenize`, or `/v1/sites/*` for every path that begins with `/v1/sites/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct PathPattern(String);

impl PathPattern {
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let shown = capture_core::printable(pattern, 200);
        let begins = pattern.strip_suffix('*').unwrap_or(pattern);
        if !begins.starts_with('/') {
            return Err(format!("`path` {shown:?} must begin with /"));
        }
        if begins.contains(['*', '?', '#']) || !begins.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!(
                "`path` {shown:?} must be a path without query; `*` may only be its last character"
            ));
        }
        if is_control(begins) {
            return Err(format!("`path` {shown:?} is the control surface's, which has no faults"));
        }
        Ok(Self(pattern.to_owned()))
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(begins) => path.starts_with(begins),
            None => path == self.0,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PathPattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<Self, String> {
        Self::new(&pattern)
    }
}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        pattern.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, path, expect) in [
            ("/v1/tokenize", "/v1/tokenize", true),
            ("/v1/tokenize", "/v1/tokenize/", false),
            ("/v1/tokenize", "/v1/Tokenize", false),
            ("/v1/sites/*", "/v1/sites/7", true),
            ("/v1/sites/*", "/v1/sites/7/users", true),
            ("/v1/sites/*", "/v1/sites", false),
            ("/*", "/", true),
        ] {
            assert_eq!(
                PathPattern::new(pattern).unwrap().matches(path),
                expect,
                "{pattern} {path}"
            );
        }
        for (pattern, why) in [
            ("", "must begin with /"),
            ("*", "must begin with /"),
            ("v1/tokenize", "must begin with /"),
            ("/v1/*/users", "without query"),
            ("/v1/tokenize?x=1", "without query"),
            ("/v1/token ize", "without query"),
            ("/_sandbox", "the control surface's"),
            ("/_sandbox/orders", "the control surface's"),
            ("/_sandbox/*", "the control surface's"),
        ] {
            let error = PathPattern::new(pattern).unwrap_err();
            assert!(error.contains(why), "{pattern}: {error}");
        }
    }
}
