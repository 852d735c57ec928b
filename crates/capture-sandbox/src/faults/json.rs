//! Scripts read from JSON: rules of their own, a preset, or both.

use capture_core::{Invalid, printable};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::faults::handshake::HandshakeRule;
use crate::faults::script::{Rule, Script};

impl Script {
    /// Reads a script from JSON, with or without a byte order mark.
    ///
    /// # Errors
    /// When the text breaks a rule of the format; the error names the place, the value and the rule.
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut json = serde_json::Deserializer::from_str(text);
        let script: Self = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let (path, rule) = (error.path().to_string(), error.inner().to_string());
            // A text that ends too early has no path.
            Invalid::new("script", &path.replace('?', "."), printable(&rule, 400))
        })?;
        let rest = json.end();
        rest.map_err(|error| Invalid::new("script", ".", printable(&error.to_string(), 400)))?;
        Ok(script)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    preset: Option<String>,
    seed: Option<u64>,
    rules: Option<Vec<Rule>>,
    handshakes: Option<Vec<HandshakeRule>>,
}

impl<'de> Deserialize<'de> for Script {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { preset, seed, rules, handshakes } = Written::deserialize(deserializer)?;
        if preset.is_none() && rules.is_none() && handshakes.is_none() {
            return Err(D::Error::custom("missing field `rules`, `handshakes` or `preset`"));
        }
        let preset = preset.as_deref().map(Self::preset).transpose().map_err(D::Error::custom)?;
        let (rules, handshakes) = (rules.unwrap_or_default(), handshakes.unwrap_or_default());
        let own = Self { seed, rules, handshakes };
        Ok(Self { seed, ..preset.unwrap_or_default().then(own) })
    }
}
