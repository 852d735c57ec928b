//! An exact amount of a currency, in the minor unit that the contract asks for.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Currency, Invalid};

/// An amount to capture: 1 to 2 147 483 647 minor units (the contract's `int`) of a currency.
///
/// Decimals are read exactly, by the currency's own exponent; no float is involved anywhere.
///
/// ```
/// use capture_core::Money;
/// assert_eq!(Money::parse("100.00", "USD")?.minor_units(), 10_000);
/// assert_eq!(Money::parse("100", "JPY")?.minor_units(), 100);
/// assert_eq!(Money::parse("1.5", "KWD")?.to_string(), "1.500 KWD");
/// let error = Money::parse("100.00", "JPY").unwrap_err();
/// assert_eq!(error.to_string(), r#"amount "100.00": JPY has no decimals; write it like 100"#);
/// # Ok::<(), capture_core::Invalid>(())
/// ```
///
/// Sources: the contract ("amount: int, in cents"); the official introduction ("smallest currency
/// unit").
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Money {
    minor_units: u32,
    currency: Currency,
}

impl Money {
    /// The most that the contract's `int` holds.
    pub const MAX_MINOR_UNITS: u32 = i32::MAX as u32;

    /// Reads a decimal amount such as `100.00` and an ISO 4217 code such as `USD`.
    ///
    /// # Errors
    /// See [`Money::from_decimal`] and [`Currency`].
    pub fn parse(amount: &str, currency: &str) -> Result<Self, Invalid> {
        Self::from_decimal(amount, currency.parse()?)
    }

    /// Reads a decimal amount of a currency: ASCII digits, and a point followed by at most as many
    /// digits as the currency has decimals.
    ///
    /// # Errors
    /// Signs, exponents, spaces, thousands separators, decimal commas, digits of other scripts, too
    /// many decimals, zero, and more than [`Money::MAX_MINOR_UNITS`].
    pub fn from_decimal(amount: &str, currency: Currency) -> Result<Self, Invalid> {
        let refuse = |rule: String| Err(Invalid::new("amount", amount, rule));
        let minor_units = minor_digits(amount, currency)?
            .try_fold(0_u32, |units, digit| units.checked_mul(10)?.checked_add(digit.into()));
        match minor_units {
            Some(0) => refuse("must be more than zero".into()),
            Some(units) if units <= Self::MAX_MINOR_UNITS => Self::from_minor(units, currency),
            _ => refuse(format!("is too much; the most is {}", Self::max(currency))),
        }
    }

    /// Takes a decimal number of a currency, as a `numeric(19,4)` column holds it: `100.0000` is
    /// 100.00 USD. Zeros beyond the currency's decimals are ignored; other digits are refused.
    ///
    /// ```
    /// use capture_core::Money;
    /// let column = rust_decimal::Decimal::new(1_000_000, 4); // 100.0000
    /// assert_eq!(Money::from_rust_decimal(column, "USD".parse()?)?, Money::parse("100.00", "USD")?);
    /// # Ok::<(), capture_core::Invalid>(())
    /// ```
    ///
    /// # Errors
    /// As [`Money::from_decimal`].
    #[cfg(feature = "rust_decimal")]
    pub fn from_rust_decimal(
        amount: rust_decimal::Decimal,
        currency: Currency,
    ) -> Result<Self, Invalid> {
        Self::from_decimal(&amount.normalize().to_string(), currency)
    }

    /// An amount that is already in minor units.
    ///
    /// # Errors
    /// Zero, and more than [`Money::MAX_MINOR_UNITS`].
    pub fn from_minor(minor_units: u32, currency: Currency) -> Result<Self, Invalid> {
        let refuse = |rule: String| Err(Invalid::new("amount", &minor_units.to_string(), rule));
        match minor_units {
            0 => refuse("must be more than zero".into()),
            1..=Self::MAX_MINOR_UNITS => Ok(Self { minor_units, currency }),
            _ => refuse(format!("is too much; the most is {}", Self::max(currency))),
        }
    }

    /// The amount in minor units (cents for USD, yen for JPY).
    #[must_use]
    pub fn minor_units(&self) -> u32 {
        self.minor_units
    }

    /// The currency.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The amount as a decimal without its currency, such as `100.00`.
    #[must_use]
    pub fn decimal(&self) -> String {
        decimal(self.minor_units, self.currency)
    }

    fn max(currency: Currency) -> Self {
        Self { minor_units: Self::MAX_MINOR_UNITS, currency }
    }
}

/// Minor units of any size as a decimal.
pub(crate) fn decimal(minor_units: impl fmt::Display, currency: Currency) -> String {
    let decimals = usize::from(currency.exponent());
    let digits = format!("{minor_units:0width$}", width = decimals + 1);
    match digits.split_at(digits.len() - decimals) {
        (whole, "") => whole.to_owned(),
        (whole, fraction) => format!("{whole}.{fraction}"),
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Money({self})")
    }
}

/// The digits of a decimal amount, in minor units of its currency.
pub(crate) fn minor_digits(
    amount: &str,
    currency: Currency,
) -> Result<impl Iterator<Item = u8>, Invalid> {
    let refuse = |rule: String| Err(Invalid::new("amount", amount, rule));
    if let Some(rule) = misspelling(amount) {
        return refuse(rule.into());
    }
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let decimals = usize::from(currency.exponent());
    if fraction.len() > decimals {
        let code = currency.code();
        return refuse(match decimals {
            0 => format!("{code} has no decimals; write it like {whole}"),
            _ => format!("{code} has {decimals} decimals, not {}", fraction.len()),
        });
    }
    let padding = std::iter::repeat_n(b'0', decimals - fraction.len());
    Ok(whole.bytes().chain(fraction.bytes()).chain(padding).map(|digit| digit - b'0'))
}

/// What is wrong with the spelling, before any arithmetic.
fn misspelling(amount: &str) -> Option<&'static str> {
    let has = |wanted: &[char]| amount.contains(wanted);
    if amount.trim().is_empty() {
        Some("is empty; write it like 100.00")
    } else if amount.contains(char::is_whitespace) {
        Some("must not hold spaces; write it like 100.00")
    } else if amount.starts_with(['+', '-', '\u{2212}']) {
        Some("must not have a sign; a capture is always positive")
    } else if has(&[',', '_', '\'']) {
        Some("no thousands separators and no decimal comma; write it like 1000.00")
    } else if has(&['e', 'E']) {
        Some("must not have an exponent; write all digits")
    } else if !amount.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        Some("only the digits 0 to 9 and one point; write it like 100.00")
    } else if amount.starts_with('.') || amount.ends_with('.') {
        Some("needs digits on both sides of the point; write it like 0.50")
    } else if amount.matches('.').count() > 1 {
        Some("must have one point at most; write it like 1000.00")
    } else {
        None
    }
}

/// How money is stored in a ticket or a capture. The exponent is stored too, so that an unlisted
/// currency can be read back and a change in a listed one is noticed.
#[derive(Serialize, Deserialize)]
struct Stored {
    amount: u32,
    currency: String,
    exponent: u8,
}

impl From<Money> for Stored {
    fn from(money: Money) -> Self {
        let Money { minor_units, currency } = money;
        let exponent = currency.exponent();
        Self { amount: minor_units, currency: currency.code().to_owned(), exponent }
    }
}

impl TryFrom<Stored> for Money {
    type Error = Invalid;
    fn try_from(stored: Stored) -> Result<Self, Invalid> {
        let currency = Currency::stored(&stored.currency, stored.exponent)?;
        Self::from_minor(stored.amount, currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "rust_decimal")]
    #[test]
    fn decimals_of_a_column() {
        use rust_decimal::Decimal;
        for (units, scale, currency, expected) in [
            (1_000_000, 4, "USD", Ok(10_000)),
            (1_001_200, 4, "USD", Ok(10_012)),
            (1_000_001, 4, "USD", Err("USD has 2 decimals, not 4")),
            (1_000_000, 4, "JPY", Ok(100)),
            (1_005_000, 4, "JPY", Err("JPY has no decimals; write it like 100")),
            (1_000, 0, "KWD", Ok(1_000_000)),
            (0, 4, "USD", Err("must be more than zero")),
            (-1_000_000, 4, "USD", Err("must not have a sign; a capture is always positive")),
        ] {
            let money =
                Money::from_rust_decimal(Decimal::new(units, scale), currency.parse().unwrap());
            let read = money.as_ref().map(Money::minor_units).map_err(Invalid::rule);
            assert_eq!(read, expected, "{units} e-{scale} {currency}");
        }
    }

    #[test]
    fn reads_and_shows_by_exponent() {
        for (amount, currency, minor, shown) in [
            ("100.00", "USD", 10_000, "100.00 USD"),
            ("100", "USD", 10_000, "100.00 USD"),
            ("0.01", "USD", 1, "0.01 USD"),
            ("0100.5", "USD", 10_050, "100.50 USD"),
            ("21474836.47", "USD", Money::MAX_MINOR_UNITS, "21474836.47 USD"),
            ("1", "JPY", 1, "1 JPY"),
            ("1.234", "KWD", 1_234, "1.234 KWD"),
            ("0.0001", "CLF", 1, "0.0001 CLF"),
        ] {
            let money = Money::parse(amount, currency).unwrap();
            assert_eq!((money.minor_units(), money.to_string().as_str()), (minor, shown));
            assert_eq!(Money::parse(&money.decimal(), currency).unwrap(), money);
        }
    }

    #[test]
    fn refusals_say_what_to_write() {
        for (amount, currency, rule) in [
            ("", "USD", "is empty"),
            ("   ", "USD", "is empty"),
            (" 10", "USD", "spaces"),
            ("1 000", "USD", "spaces"),
            ("1\u{a0}000", "USD", "spaces"),
            ("-1", "USD", "sign"),
            ("+1", "USD", "sign"),
            ("1,000.00", "USD", "thousands"),
            ("100,00", "USD", "decimal comma"),
            ("1'000", "USD", "thousands"),
            ("1_000", "USD", "thousands"),
            ("1e2", "USD", "exponent"),
            ("0x10", "USD", "only the digits"),
            ("$1", "USD", "only the digits"),
            ("NaN", "USD", "only the digits"),
            ("\u{0661}", "USD", "only the digits"),
            ("\u{ff11}", "USD", "only the digits"),
            ("l00", "USD", "only the digits"),
            (".50", "USD", "both sides"),
            ("5.", "USD", "both sides"),
            (".", "USD", "both sides"),
            ("1.0.0", "USD", "one point"),
            ("1.234", "USD", "USD has 2 decimals, not 3"),
            ("100.00", "JPY", "JPY has no decimals; write it like 100"),
            ("0", "USD", "more than zero"),
            ("0.00", "USD", "more than zero"),
            ("21474836.48", "USD", "the most is 21474836.47 USD"),
            ("99999999999999999999999", "USD", "the most is 21474836.47 USD"),
            ("2147483648", "JPY", "the most is 2147483647 JPY"),
        ] {
            let error = Money::parse(amount, currency).unwrap_err();
            let shown = if amount.is_ascii() { amount } else { "" };
            let start = format!("amount \"{shown}");
            assert!(error.to_string().starts_with(&start), "{amount}: {error}");
            assert!(error.rule().contains(rule), "{amount}: {error}");
        }
    }

    #[test]
    fn stored_money_is_checked_again() {
        let read = |json| serde_json::from_str::<Money>(json);
        let money = Money::parse("1.00", "USD").unwrap();
        let json = r#"{"amount":100,"currency":"USD","exponent":2}"#;
        assert_eq!(serde_json::to_string(&money).unwrap(), json);
        assert_eq!(read(json).unwrap(), money);
        assert!(read(r#"{"amount":0,"currency":"USD","exponent":2}"#).is_err());
        assert!(read(r#"{"amount":100,"currency":"USD","exponent":0}"#).is_err());
        assert!(read(r#"{"amount":-1,"currency":"USD","exponent":2}"#).is_err());
    }
}
