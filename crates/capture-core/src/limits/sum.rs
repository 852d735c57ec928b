//! A sum of money, which may be more than one capture holds, and how a flag writes it.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::values::{Currency, Invalid, Money, decimal, minor_digits};

/// An amount of a currency, of any size: a total, or a limit for one.
///
/// A flag writes it as `USD=12345.00`, by the rules of [`Money`] but without its ends: it may be zero.
///
/// ```
/// use capture_core::limits::Sum;
/// let limit: Sum = "USD=50000000.00".parse()?; // more than one capture can have
/// assert_eq!((limit.minor_units(), limit.to_string().as_str()), (5_000_000_000, "50000000.00 USD"));
/// assert!("USD=500,00".parse::<Sum>().is_err());
/// # Ok::<(), capture_core::Invalid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sum {
    minor_units: u128,
    currency: Currency,
}

impl Sum {
    /// A sum in minor units; it may be zero.
    #[must_use]
    pub fn new(minor_units: u128, currency: Currency) -> Self {
        Self { minor_units, currency }
    }

    /// The sum in minor units (cents for USD, yen for JPY).
    #[must_use]
    pub fn minor_units(&self) -> u128 {
        self.minor_units
    }

    /// The currency.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The sum as a decimal without its currency, such as `12345.00`.
    #[must_use]
    pub fn decimal(&self) -> String {
        decimal(self.minor_units, self.currency)
    }

    /// As a flag takes it, such as `USD=12345.00`.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("{}={}", self.currency, self.decimal())
    }

    /// For people: `12,345.00 USD`.
    pub(crate) fn grouped(&self) -> String {
        let decimal = self.decimal();
        let (whole, fraction) = decimal.split_at(decimal.find('.').unwrap_or(decimal.len()));
        format!("{}{fraction} {}", grouped(whole), self.currency)
    }
}

/// Digits in groups of three.
pub(crate) fn grouped(digits: &str) -> String {
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

impl From<Money> for Sum {
    fn from(money: Money) -> Self {
        Self::new(money.minor_units().into(), money.currency())
    }
}

impl FromStr for Sum {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let Some((code, amount)) = text.split_once('=') else {
            let rule = "must be a currency and an amount, such as USD=500.00";
            return Err(Invalid::new("limit", text, rule));
        };
        let currency: Currency = code.parse()?;
        let minor_units = minor_digits(amount, currency)?
            .try_fold(0_u128, |units, digit| units.checked_mul(10)?.checked_add(digit.into()));
        match minor_units {
            Some(minor_units) => Ok(Self::new(minor_units, currency)),
            None => Err(Invalid::new("amount", amount, "has too many digits")),
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sum({self})")
    }
}

impl Serialize for Sum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.flag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_read_and_written() {
        for (flag, minor_units, shown) in [
            ("USD=500.00", 50_000, "500.00 USD"),
            ("USD=999.99", 99_999, "999.99 USD"),
            ("USD=12345.00", 1_234_500, "12,345.00 USD"),
            ("USD=21474836.48", 2_147_483_648, "21,474,836.48 USD"), // one more than `Money` has
            ("USD=0.00", 0, "0.00 USD"),                             // none of this currency
            ("JPY=1000000", 1_000_000, "1,000,000 JPY"),
            ("KWD=0.001", 1, "0.001 KWD"),
            (
                "JPY=340282366920938463463374607431768211455",
                u128::MAX,
                "340,282,366,920,938,463,463,374,607,431,768,211,455 JPY",
            ),
        ] {
            let sum: Sum = flag.parse().unwrap();
            assert_eq!((sum.minor_units(), sum.flag().as_str()), (minor_units, flag));
            assert_eq!(sum.grouped(), shown);
            assert_eq!(serde_json::to_value(sum).unwrap(), flag);
        }
        assert_eq!("USD=500".parse::<Sum>().unwrap().flag(), "USD=500.00");
    }

    #[test]
    fn refusals_say_what_to_write() {
        for (flag, message) in [
            ("500.00", r#"limit "500.00": must be a currency and an amount, such as USD=500.00"#),
            ("usd=5", r#"currency "usd": must be upper case; write USD"#),
            ("USD=", r#"amount "": is empty; write it like 100.00"#),
            ("USD=1.234", r#"amount "1.234": USD has 2 decimals, not 3"#),
            ("JPY=1.00", r#"amount "1.00": JPY has no decimals; write it like 1"#),
            (
                "USD=1,000.00",
                r#"amount "1,000.00": no thousands separators and no decimal comma; write it like 1000.00"#,
            ),
            (
                "JPY=340282366920938463463374607431768211456",
                r#"amount "340282366920938463463374607431768211456": has too many digits"#,
            ),
        ] {
            assert_eq!(flag.parse::<Sum>().unwrap_err().to_string(), message);
        }
    }
}
