//! The one error of all values: which field, which text, which rule.

use std::borrow::Cow;
use std::fmt;

use crate::text::printable;

/// A value that was refused before anything was sent.
///
/// The message names the field, shows the text (cut and escaped; never a secret) and says the rule:
///
/// ```
/// let error = capture_core::Money::parse("1,000.00", "USD").unwrap_err();
/// assert_eq!(error.field(), "amount");
/// assert_eq!(
///     error.to_string(),
///     r#"amount "1,000.00": no thousands separators and no decimal comma; write it like 1000.00"#
/// );
/// ```
///
/// All values are ASCII, so a character that only looks like one is named by its code point:
///
/// ```
/// let error = "5f1a3c5e\u{2011}7c1d".parse::<capture_core::OrderId>().unwrap_err();
/// assert!(error.to_string().ends_with("; it has U+2011, which is not ASCII"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    field: &'static str,
    shown: Option<String>,
    foreign: Option<char>,
    rule: Cow<'static, str>,
}

impl Invalid {
    /// A refused value that may be shown.
    pub fn new(field: &'static str, value: &str, rule: impl Into<Cow<'static, str>>) -> Self {
        let foreign = value.chars().find(|c| !c.is_ascii());
        Self { field, shown: Some(printable(value, 60)), foreign, rule: rule.into() }
    }

    /// A refused value that is, or may hold, a secret: it is not kept.
    pub fn hidden(field: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { field, shown: None, foreign: None, rule: rule.into() }
    }

    /// The name of the field, such as `amount`.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// The rule that the value breaks, with what to write instead.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shown {
            Some(value) => write!(f, "{} \"{value}\": {}", self.field, self.rule)?,
            None => write!(f, "{}: {} (value hidden)", self.field, self.rule)?,
        }
        match self.foreign {
            Some(c) => write!(f, "; it has U+{:04X}, which is not ASCII", u32::from(c)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Invalid {}
