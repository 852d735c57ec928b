//! The currency code that an order shows, whether or not we know the currency.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Invalid;

/// Three letters, as an order shows them; not necessarily a code that [`Currency`](crate::Currency)
/// lists.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CurrencyCode([u8; 3]);

impl CurrencyCode {
    /// The code in this text, which may be in lower case or between spaces; `None` unless it is three
    /// letters. Mixed case stays: `GBp` is not `GBP`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut letters = <[u8; 3]>::try_from(text.trim_ascii().as_bytes()).ok()?;
        if letters.iter().all(u8::is_ascii_lowercase) {
            letters.make_ascii_uppercase();
        }
        letters.iter().all(u8::is_ascii_alphabetic).then_some(Self(letters))
    }

    /// The code, such as `USD`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("three ASCII letters, by construction")
    }
}

impl TryFrom<String> for CurrencyCode {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        let refusal =
            || Invalid::new("currency", &text, "must be three letters A to Z, such as USD");
        Self::read(&text).ok_or_else(refusal)
    }
}

impl From<CurrencyCode> for String {
    fn from(code: CurrencyCode) -> Self {
        code.as_str().to_owned()
    }
}

impl fmt::Display for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CurrencyCode({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_letters_and_nothing_else() {
        for (text, code) in [
            ("USD", Some("USD")),
            ("usd", Some("USD")),
            (" EUR ", Some("EUR")),
            ("QQQ", Some("QQQ")),
            ("GBp", Some("GBp")),
            ("", None),
            ("$", None),
            ("840", None),
            ("US", None),
            ("USDT", None),
            ("\u{e9}A", None),
        ] {
            assert_eq!(CurrencyCode::read(text).map(String::from).as_deref(), code, "{text}");
        }
    }
}
