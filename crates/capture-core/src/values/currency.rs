//! ISO 4217 currencies: the code on the wire, and the exponent that turns decimals into minor units.

use std::fmt;
use std::str::FromStr;

use super::Invalid;
use super::retired::retired;

/// An active ISO 4217 currency with a minor unit.
///
/// The list is that of the `iso_currency` crate (List One of 2026-01-01). Retired codes are refused
/// with their successor, codes without a minor unit (`XAU`, `XXX`) are refused, and so are lower
/// case and the codes that price feeds use for minor units (`GBp`, `ZAC`): the contract asks for the
/// ISO code.
///
/// ```
/// use capture_core::Currency;
/// let yen: Currency = "JPY".parse()?;
/// assert_eq!((yen.code(), yen.numeric(), yen.exponent()), ("JPY", Some(392), 0));
/// let error = "SLL".parse::<Currency>().unwrap_err();
/// assert_eq!(
///     error.rule(),
///     "was retired; its successor is SLE, and the amount changes: 1000 SLL became 1 SLE"
/// );
/// # Ok::<(), capture_core::Invalid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency {
    code: [u8; 3],
    numeric: Option<u16>,
    exponent: u8,
}

/// Codes that `iso_currency` calls superseded although List One still has them: the bolívar has two.
const STILL_ACTIVE: [&str; 1] = ["VES"];

/// Retired codes that were listed here once and that `iso_currency` no longer knows, with the decimals
/// that they had.
const DROPPED: [(&str, u8); 1] = [("ANG", 2)];

/// What exchanges and price feeds call a minor unit, in capitals, and the currency that it is part of.
const MINOR_UNITS: [(&str, &str); 6] = [
    ("GBX", "GBP"),
    ("ILA", "ILS"),
    ("KWF", "KWD"),
    ("USC", "USD"),
    ("USX", "USD"),
    ("ZAC", "ZAR"),
];

impl Currency {
    /// A code that the built-in list does not have yet, with its number of decimals (0 to 4).
    ///
    /// ```
    /// let new = capture_core::Currency::unlisted("QQQ", 2)?;
    /// assert_eq!(new.numeric(), None);
    /// # Ok::<(), capture_core::Invalid>(())
    /// ```
    ///
    /// # Errors
    /// The code must be three upper-case ASCII letters that the list does not have (a listed code
    /// with its own exponent is returned as it is), and neither a retired code nor a minor unit; the
    /// exponent must be at most 4.
    pub fn unlisted(code: &str, exponent: u8) -> Result<Self, Invalid> {
        if exponent > 4 {
            return Err(Invalid::new("exponent", &exponent.to_string(), "must be 0 to 4"));
        }
        let letters = letters(code)?;
        match listed(code) {
            Ok(known) if known.exponent == exponent => Ok(known),
            Ok(known) => Err(other_decimals(code, known.exponent, exponent)),
            Err(Some(refusal)) => Err(refusal),
            Err(None) => Ok(Self { code: letters, numeric: None, exponent }),
        }
    }

    /// A currency that was valid when it was stored, with its decimals. It may have been retired since.
    ///
    /// # Errors
    /// When it was never a currency, or has, or had when it was listed, other decimals.
    pub fn stored(code: &str, exponent: u8) -> Result<Self, Invalid> {
        let Err(Some(refusal)) = listed(code) else { return Self::unlisted(code, exponent) };
        let dropped = DROPPED.iter().find(|(dropped, _)| *dropped == code);
        let had = match iso_currency::Currency::from_code(code) {
            // A code without a minor unit was never valid.
            Some(known) => Some(decimals(known).ok_or(refusal)?),
            None => dropped.map(|(_, exponent)| *exponent),
        };
        match had {
            Some(had) if had != exponent => Err(other_decimals(code, had, exponent)),
            // Never listed here: the caller said how many decimals it has.
            None if exponent > 4 => Self::unlisted(code, exponent),
            _ => Ok(Self { code: letters(code)?, numeric: None, exponent }),
        }
    }

    /// The alphabetic code, such as `USD`.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).expect("three ASCII letters, by construction")
    }

    /// The ISO numeric code, such as 840; `None` for an unlisted currency.
    #[must_use]
    pub fn numeric(&self) -> Option<u16> {
        self.numeric
    }

    /// How many decimals the minor unit has: 2 for USD, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn exponent(&self) -> u8 {
        self.exponent
    }
}

impl FromStr for Currency {
    type Err = Invalid;

    fn from_str(code: &str) -> Result<Self, Invalid> {
        letters(code)?;
        listed(code).map_err(|refusal| {
            refusal.unwrap_or_else(|| {
                Invalid::new("currency", code, "is not an active ISO 4217 code, such as USD")
            })
        })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({})", self.code())
    }
}

/// The currency from the list; `Err(None)` where the list does not know the code at all.
fn listed(code: &str) -> Result<Currency, Option<Invalid>> {
    let refuse = |rule: String| Some(Invalid::new("currency", code, rule));
    let Some(known) = iso_currency::Currency::from_code(code) else {
        return Err(retired(code).or_else(|| minor_unit(code)).and_then(refuse));
    };
    if let Some(successor) = known.is_superseded() {
        if !STILL_ACTIVE.contains(&code) {
            return Err(refuse(retired(code).unwrap_or_else(|| {
                format!("was retired; its successor is {}: convert the amount", successor.code())
            })));
        }
    }
    let Some(exponent) = decimals(known) else {
        return Err(refuse("has no minor unit, so no amount of it can be captured".into()));
    };
    let code = letters(code).map_err(Some)?;
    Ok(Currency { code, numeric: Some(known.numeric()), exponent })
}

fn decimals(known: iso_currency::Currency) -> Option<u8> {
    known.exponent().and_then(|exponent| u8::try_from(exponent).ok())
}

fn other_decimals(code: &str, has: u8, given: u8) -> Invalid {
    let rule = format!("is listed by ISO 4217 with {has} decimals, not {given}");
    Invalid::new("currency", code, rule)
}

/// The rule that a minor unit breaks, `GBX` as well as `GBp`: it must not become the currency with the
/// same number, which is a hundred times the money.
fn minor_unit(code: &str) -> Option<String> {
    let upper = code.to_ascii_uppercase();
    let named = MINOR_UNITS.iter().find(|(minor, _)| *minor == upper).map(|(_, major)| *major);
    // Two capitals and a small letter mean a minor unit by convention.
    let letters: Vec<bool> = code.bytes().map(|b| b.is_ascii_lowercase()).collect();
    let written = (letters == [false, false, true]).then_some(&*upper);
    let major = listed(named.or(written)?).ok()?;
    let (major, units) = (major.code(), 10_u32.pow(major.exponent.into()));
    (units > 1).then(|| {
        format!(
            "can mean 1/{units} of {major}; write {major}, and the amount in {major}: \
             {units} {code} are 1 {major}"
        )
    })
}

fn letters(code: &str) -> Result<[u8; 3], Invalid> {
    let refuse = |rule: String| Err(Invalid::new("currency", code, rule));
    if code.trim().is_empty() {
        return refuse("is empty; give an ISO 4217 code such as USD".into());
    }
    match <[u8; 3]>::try_from(code.as_bytes()) {
        Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(letters),
        Ok(letters) if letters.iter().all(u8::is_ascii_alphabetic) => {
            let upper = code.to_ascii_uppercase();
            refuse(minor_unit(code).unwrap_or_else(|| format!("must be upper case; write {upper}")))
        }
        _ => refuse("must be three letters A to Z, such as USD".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_list_one_code_by_code() {
        let mut seen = 0;
        for a in b'A'..=b'Z' {
            for b in b'A'..=b'Z' {
                for c in b'A'..=b'Z' {
                    let code = String::from_utf8(vec![a, b, c]).unwrap();
                    let oracle = iso4217_static::Currency::try_from(code.as_str());
                    let ours = code.parse::<Currency>().ok();
                    let theirs = oracle.ok().and_then(|currency| currency.minor_unit());
                    assert_eq!(ours.map(|currency| currency.exponent), theirs, "{code}");
                    let Some(ours) = ours else { continue };
                    let numbered = iso4217_static::Currency::try_from(ours.numeric().unwrap());
                    assert_eq!(numbered.unwrap().as_ref(), code);
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, 165, "178 codes of List One, less 13 without a minor unit");
    }

    #[test]
    fn refusals_say_what_to_write() {
        for (code, rule) in [
            ("", "is empty"),
            ("usd", "write USD"),
            ("Usd", "write USD"),
            ("US D", "three letters"),
            ("US", "three letters"),
            ("USDT", "three letters"),
            ("840", "three letters"),
            ("\u{3a5}SD", "three letters"), // a Greek letter that looks like a Y
            ("U\u{405}D", "three letters"), // a Cyrillic letter that looks like an S
            ("QQQ", "not an active ISO 4217 code"),
            ("HRK", "its successor is EUR, and the amount changes: 7.53450 HRK became 1 EUR"),
            ("ANG", "its successor is XCG, at the same amount"),
            ("ZWL", "its successor is ZWG, and the amount changes: 2498.7242 ZWL became 1 ZWG"),
            ("MRO", "its successor is MRU, and the amount changes: 10 MRO became 1 MRU"),
            ("BYR", "its successor is BYN, and the amount changes: 10000 BYR became 1 BYN"),
            ("CUC", "its successor is CUP, and the amount changes: 1 CUC became 24 CUP"),
            ("GBp", "can mean 1/100 of GBP; write GBP, and the amount in GBP: 100 GBp are 1 GBP"),
            ("GBX", "100 GBX are 1 GBP"),
            ("GBx", "100 GBx are 1 GBP"),
            ("gbx", "100 gbx are 1 GBP"),
            ("ILA", "100 ILA are 1 ILS"),
            ("ILs", "100 ILs are 1 ILS"),
            ("ZAc", "100 ZAc are 1 ZAR"),
            ("ZAC", "100 ZAC are 1 ZAR"),
            ("ZAr", "100 ZAr are 1 ZAR"),
            ("KWf", "1000 KWf are 1 KWD"),
            ("USd", "100 USd are 1 USD"),
            ("USx", "100 USx are 1 USD"),
            ("JPy", "must be upper case; write JPY"), // it has no minor unit
            ("QQq", "write QQQ"),
            ("XAU", "no minor unit"),
            ("XXX", "no minor unit"),
            ("XTS", "no minor unit"),
        ] {
            let error = code.parse::<Currency>().unwrap_err();
            assert!(error.rule().contains(rule), "{code}: {error}");
        }
    }

    #[test]
    fn unlisted_codes_never_shadow_the_list() {
        assert_eq!(Currency::unlisted("USD", 2).unwrap(), "USD".parse().unwrap());
        assert!(Currency::unlisted("USD", 0).is_err());
        assert!(Currency::unlisted("HRK", 2).is_err());
        assert!(Currency::unlisted("MRO", 2).is_err());
        assert!(Currency::unlisted("GBX", 0).is_err());
        assert!(Currency::unlisted("QQQ", 5).is_err());
        assert!(Currency::unlisted("qqq", 2).is_err());
    }
}
