//! What spreadsheets do to values, by name: an operator who reads it knows where to look.
//!
//! Nothing here decides whether a value is accepted: the rules of the core do, and this explains a
//! refusal. The one exception is [`is_rounded`], a number that still looks like an id.

use capture_core::{Currency, Money};

/// What a spreadsheet leaves of a number with more than 15 digits.
pub(crate) const ROUNDED: &str =
    "ends in zeros, as a spreadsheet rounds long numbers; export it again with the column as text";

const SCIENTIFIC: &str = "is in scientific notation: a spreadsheet made a number of it, and digits are lost; export it again with the column as text";

/// Whether it is 32 digits of which only the first 15 are left.
pub(crate) fn is_rounded(text: &str) -> bool {
    text.len() == 32 && text.ends_with("00000000000000000") && is_digits(text)
}

/// Of an order id or a key.
pub(crate) fn of_id(text: &str) -> Option<String> {
    if let Some(why) = of_text(text) {
        return Some(why);
    }
    if is_scientific(text) {
        return Some(SCIENTIFIC.into());
    }
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()));
    let lengths = [8, 4, 4, 4, 12];
    let has_short_groups = groups.len() == 5
        && groups.iter().zip(lengths).all(|(group, length)| (1..=length).contains(&group.len()));
    let is_short_number = groups.len() == 1 && (20..32).contains(&text.len());
    let missing = match text.len() {
        length if has_short_groups => 36 - length,
        length if is_short_number => 32 - length,
        _ => return None,
    };
    (is_hex && missing > 0).then(|| {
        let s = if missing == 1 { "" } else { "s" };
        format!(
            "lacks {missing} digit{s}: it was cut, or a spreadsheet dropped leading zeros; \
             export it again with the column as text"
        )
    })
}

/// Of an amount, whatever its currency.
pub(crate) fn of_amount(text: &str) -> Option<String> {
    if let Some(why) = of_text(text) {
        return Some(why);
    }
    let why = if is_scientific(text) {
        "is in scientific notation; write all digits, such as 1375.00"
    } else if text.starts_with('(') && text.ends_with(')') {
        "is in brackets, which mean a negative amount; a capture is always positive"
    } else if text.contains(is_currency_sign) {
        "has a currency sign; write digits only, the currency has its own column"
    } else if names_a_currency(text) {
        "names a currency; write digits only, the currency has its own column"
    } else {
        return None;
    };
    Some(why.into())
}

/// Of an amount with commas, or with spaces or apostrophes between its digits.
pub(crate) fn of_marks(text: &str, currency: Currency) -> Option<String> {
    let is_mark = |c: char| matches!(c, ',' | '.' | '\'' | ' ');
    if !text.chars().all(|c| c.is_ascii_digit() || is_mark(c)) || of_edges(text).is_some() {
        return None;
    }
    let marks: Vec<char> = text.chars().filter(|c| is_mark(*c)).collect();
    let (last, others) = marks.split_last()?;
    let decimals = text.len() - text.rfind(is_mark)? - 1;
    let (name, is_sure) = match (last, others) {
        (',', []) if decimals == 3 => ("has a comma, of decimals or of thousands", false),
        (',', []) => ("has a decimal comma", true),
        ('.', []) => return None,
        (',', _) if !others.contains(&',') => {
            ("has thousands separators and a decimal comma", true)
        }
        _ => ("has thousands separators", true),
    };
    let plain = match last {
        ',' | '.' if decimals == usize::from(currency.exponent()) && decimals != 3 => {
            let (whole, fraction) = text.split_at(text.len() - decimals - 1);
            format!("{}.{}", whole.replace(is_mark, ""), &fraction[1..])
        }
        _ => String::new(),
    };
    let example = Money::from_decimal(&plain, currency).ok().filter(|_| is_sure);
    Some(format!("{name}; {}", spelling(currency, example)))
}

/// How an amount of the currency is written.
pub(crate) fn spelling(currency: Currency, example: Option<Money>) -> String {
    let code = currency.code();
    let decimals = match currency.exponent() {
        0 => return format!("{code} is written without decimals, such as 100"),
        2 => "two decimals".into(),
        3 => "three decimals".into(),
        more => format!("{more} decimals"),
    };
    let units = 1375 * 10_u32.pow(u32::from(currency.exponent())) / 100;
    let example = example.or_else(|| Money::from_minor(units, currency).ok());
    let example =
        example.map_or_else(String::new, |money| format!(", such as {}", money.decimal()));
    format!("{code} is written with a point and {decimals}{example}")
}

/// Of an id, an amount or a currency, which a spreadsheet may have taken for something else.
pub(crate) fn of_text(text: &str) -> Option<String> {
    let date = "is a date, which a spreadsheet may have made of it; export it again with the column as text";
    of_mark(text).or_else(|| is_date(text).then(|| date.into()))
}

/// Of any value but a reference.
pub(crate) fn of_mark(text: &str) -> Option<String> {
    if let Some(why) = of_error(text) {
        return Some(why);
    }
    if let Some(space) = text.chars().find(|c| matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}')) {
        let code = u32::from(space);
        return Some(format!("has a non-breaking space (U+{code:04X}); remove it"));
    }
    let why = if text.starts_with(['\'', '\u{2019}']) {
        "begins with an apostrophe, which marks text in a spreadsheet; remove it"
    } else if text.starts_with('=') {
        "is a formula; export its value"
    } else {
        return None;
    };
    Some(why.into())
}

/// Of the merchant's own number, which may be nearly anything.
pub(crate) fn of_reference(text: &str) -> Option<String> {
    // As a spreadsheet spells it; `12E4` may be a number of the merchant's.
    let is_damaged = text.contains("E+") && is_scientific(text);
    of_error(text).or_else(|| is_damaged.then(|| SCIENTIFIC.into()))
}

fn of_error(text: &str) -> Option<String> {
    const ERRORS: [&str; 9] =
        ["#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"];
    if ERRORS.contains(&text) {
        return Some(
            "is a spreadsheet's error, not a value; correct the sheet, export it again".into(),
        );
    }
    let is_narrow = text.len() > 1 && text.bytes().all(|b| b == b'#');
    is_narrow
        .then(|| "is what a spreadsheet shows in a narrow column; widen it, export it again".into())
}

/// Of a value that would be good without the spaces around it.
pub(crate) fn of_edges(text: &str) -> Option<String> {
    let trimmed = text.trim();
    (trimmed.len() < text.len() && !trimmed.is_empty())
        .then(|| "has a space at its beginning or end; remove it".into())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `1.23E+25`, `1,23E+25`, `1e2`.
fn is_scientific(text: &str) -> bool {
    let Some((number, exponent)) = text.split_once(['e', 'E']) else { return false };
    let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, "0"));
    let whole = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    // A part of an id may look so by chance; an id has more digits than an exponent.
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    is_digits(whole) && is_digits(fraction) && is_digits(exponent) && exponent.len() <= 3
}

fn is_currency_sign(c: char) -> bool {
    matches!(c, '$' | '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20cf}')
}

/// `USD 100.00`, `100.00 EUR`, `12 Kč`: digits, and letters before or after them.
fn names_a_currency(text: &str) -> bool {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ' ');
    let number = text.trim_matches(|c: char| c.is_alphabetic() || c == ' ');
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    (2..=3).contains(&letters)
        && number.chars().all(is_number)
        && number.contains(|c: char| c.is_ascii_digit())
}

/// `2026-11-30`, `30.11.2026`, `11/30/26 18:00`, `1-Mar`, `Mar-01`, `03. Mai`.
fn is_date(text: &str) -> bool {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split(['-', '/', '.']).collect();
    let is_part = |part: &&str| is_digits(part) && matches!(part.len(), 1 | 2 | 4);
    if parts.len() == 3 && parts.iter().all(is_part) {
        return true;
    }
    has_month(text)
}

/// One or two numbers, and a month between or beside them.
fn has_month(text: &str) -> bool {
    // In English, German, French and Spanish.
    const MONTHS: [&str; 24] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mrz",
        "mär", "mai", "okt", "dez", "fév", "avr", "aoû", "déc", "ene", "abr", "dic",
    ];
    let parts = text.split(['-', '/', '.', ' ']).filter(|part| !part.is_empty());
    let (numbers, words): (Vec<&str>, Vec<&str>) = parts.partition(|part| is_digits(part));
    let [word] = words[..] else { return false };
    let word = word.to_lowercase();
    (1..=2).contains(&numbers.len())
        && numbers.iter().all(|number| number.len() <= 4)
        && MONTHS.contains(&&*word)
}
