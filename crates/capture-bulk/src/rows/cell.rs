//! From the cells of one row to a capture: each cell against its rule.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use capture_core::{Capture, Currency, IdempotencyKey, Invalid, Money, OrderId, printable};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::column::Field;
use super::damage;
use super::fault::{Fault, Faults};
use super::lines::column;

/// One value of a row, and where in its line it begins.
#[derive(Debug)]
pub(crate) struct Cell<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) at: usize,
    /// Why it is no text that a rule could read.
    pub(crate) unreadable: Option<String>,
}

/// The values of a row, by field.
pub(crate) type Cells<'a> = [Option<Cell<'a>>; Field::ALL.len()];

/// A line and its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) number: u32,
    pub(crate) text: &'a str,
}

impl Place<'_> {
    pub(crate) fn column(&self, at: usize) -> u32 {
        column(self.text, at)
    }

    pub(crate) fn fault(&self, at: usize, why: impl Into<String>) -> Fault {
        Fault::of_line(self.number, why).at(self.column(at))
    }
}

/// A row that keeps to every rule.
#[derive(Debug)]
pub(crate) struct Checked<'c> {
    pub(crate) capture: Capture,
    /// The index of its currency.
    pub(crate) currency: u16,
    pub(crate) has_key: bool,
    pub(crate) reference: Option<&'c str>,
    pub(crate) capture_before: Option<SystemTime>,
}

/// Checks all cells; `None` if any was refused.
pub(crate) fn check<'c>(
    place: Place<'_>,
    cells: &'c Cells<'_>,
    currencies: &mut Vec<Currency>,
    faults: &mut Faults,
) -> Option<Checked<'c>> {
    let mut row = Checking { place, cells, faults, is_good: true };
    let order = row.required(Field::OrderId, order_id);
    let currency = row.required(Field::Currency, |text| number_of(text, currencies));
    let unit = match (row.cell(Field::Amount), row.cell(Field::AmountMinor)) {
        (None, Some(_)) => Field::AmountMinor,
        (Some(_), Some(minor)) => {
            let why = "is given beside amount; give one of them, because they have different units";
            row.refuse(Field::AmountMinor, minor, why.into());
            Field::Amount
        }
        (_, None) => Field::Amount,
    };
    let money = match currency {
        Some(index) => {
            let currency = currencies[usize::from(index)];
            row.money(unit, currency)
        }
        None => {
            // Without its currency an amount can only be missing or damaged.
            row.required(unit, |text| match damage::of_amount(text) {
                Some(why) => Err(why),
                None => Ok(()),
            });
            None
        }
    };
    let key = row.optional(Field::Key, key);
    let reference = row.optional(Field::Reference, reference).flatten();
    let capture_before = row.optional(Field::CaptureBefore, moment).flatten();
    if !row.is_good {
        return None;
    }
    let (order, currency, money) = (order?, currency?, money?);
    let has_key = key.is_some();
    let key = key.unwrap_or_else(|| IdempotencyKey::for_order(order));
    let capture = Capture::new(order, money, key);
    Some(Checked { capture, currency, has_key, reference, capture_before })
}

struct Checking<'c, 'a, 'f> {
    place: Place<'f>,
    cells: &'c Cells<'a>,
    faults: &'f mut Faults,
    is_good: bool,
}

impl<'c, 'a> Checking<'c, 'a, '_> {
    fn cell(&self, field: Field) -> Option<&'c Cell<'a>> {
        self.cells[field as usize].as_ref()
    }

    fn refuse(&mut self, field: Field, cell: &Cell<'_>, why: String) {
        self.is_good = false;
        self.faults.add(self.place.fault(cell.at, why).of(field.name()).showing(&cell.text));
    }

    /// `None` if it is absent or refused.
    fn optional<T>(
        &mut self,
        field: Field,
        read: impl FnOnce(&'c str) -> Result<T, String>,
    ) -> Option<T> {
        let cell = self.cell(field)?;
        let read = match &cell.unreadable {
            Some(why) => Err(why.clone()),
            None => read(&cell.text),
        };
        match read {
            Ok(value) => Some(value),
            Err(why) => {
                self.refuse(field, cell, why);
                None
            }
        }
    }

    fn required<T>(
        &mut self,
        field: Field,
        read: impl FnOnce(&'c str) -> Result<T, String>,
    ) -> Option<T> {
        if self.cell(field).is_none() {
            self.is_good = false;
            let fault = Fault::of_line(self.place.number, "is missing; every row needs it");
            self.faults.add(fault.of(field.name()));
        }
        self.optional(field, read)
    }

    /// The amount, which is also what was expected.
    fn money(&mut self, unit: Field, currency: Currency) -> Option<Money> {
        let read = |text: &str| match unit {
            Field::AmountMinor => minor_units(text, currency),
            _ => decimal(text, currency),
        };
        let money = self.required(unit, read);
        let expected = self.optional(Field::ExpectedAmount, read);
        if let (Some(money), Some(expected)) = (money, expected) {
            if money != expected {
                let cell = self.cell(Field::ExpectedAmount)?;
                let is = self.cell(unit).map_or("", |cell| &cell.text);
                self.refuse(
                    Field::ExpectedAmount,
                    cell,
                    format!("is not the {unit}, {is}; find out which of them is right"),
                );
            }
        }
        money
    }
}

fn order_id(text: &str) -> Result<OrderId, String> {
    match text.parse() {
        Ok(order) if !damage::is_rounded(text) => Ok(order),
        Ok(_) => Err(damage::ROUNDED.into()),
        Err(error) => Err(damage::of_id(text).unwrap_or_else(|| rule(&error, text))),
    }
}

fn key(text: &str) -> Result<IdempotencyKey, String> {
    match text.parse() {
        Ok(key) if !damage::is_rounded(text) => Ok(key),
        Ok(_) => Err(damage::ROUNDED.into()),
        // A derived key in its place would be another promise than the one that the file makes.
        Err(_) if text.is_empty() => Err("is empty; in a file with keys every row has one".into()),
        Err(error) => Err(damage::of_id(text).unwrap_or_else(|| rule(&error, text))),
    }
}

/// The index of the currency among those of the file.
fn number_of(text: &str, currencies: &mut Vec<Currency>) -> Result<u16, String> {
    let position = currencies.iter().position(|known| known.code() == text);
    let position = match position {
        Some(position) => position,
        None => {
            let currency = text.parse::<Currency>();
            let refusal = |error| damage::of_text(text).unwrap_or_else(|| rule(&error, text));
            currencies.push(currency.map_err(refusal)?);
            currencies.len() - 1
        }
    };
    Ok(u16::try_from(position).expect("there are fewer than 200 currencies"))
}

fn decimal(text: &str, currency: Currency) -> Result<Money, String> {
    let money = Money::from_decimal(text, currency);
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    match money {
        Ok(money) if decimals == usize::from(currency.exponent()) => Ok(money),
        Ok(_) => Err(match decimals {
            0 => format!(
                "{}; if it is in minor units, name the column amount_minor",
                damage::spelling(currency, None)
            ),
            _ => damage::spelling(currency, None),
        }),
        Err(error) => Err(damage::of_amount(text)
            .or_else(|| damage::of_marks(text, currency))
            .unwrap_or_else(|| rule(&error, text))),
    }
}

fn minor_units(text: &str, currency: Currency) -> Result<Money, String> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // What does not fit is too much in any currency, and the core says so.
        let units = text.parse().unwrap_or(u32::MAX);
        return Money::from_minor(units, currency).map_err(|error| error.rule().to_owned());
    }
    if text.trim().is_empty() {
        return Err("is empty; write the amount as an integer of minor units, such as 1375".into());
    }
    Err(damage::of_amount(text).unwrap_or_else(|| {
        "is not an integer of minor units, such as 1375; a decimal is a column amount".into()
    }))
}

fn reference(text: &str) -> Result<Option<&str>, String> {
    const LONGEST: usize = 128;
    if let Some(why) = damage::of_reference(text) {
        return Err(why);
    }
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        let code = u32::from(control);
        return Err(format!("holds the control character U+{code:04X}; remove it"));
    }
    let length = text.chars().count();
    if length > LONGEST {
        return Err(format!("has {length} characters; the most is {LONGEST}"));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A moment, by RFC 3339. Databases write a space for the `T` and only the hours of an offset, and
/// neither leaves any doubt.
fn moment(text: &str) -> Result<Option<SystemTime>, String> {
    const SPELLING: &str = "is not a time with an offset; write it like 2026-11-30T18:00:00Z";
    if text.is_empty() {
        return Ok(None);
    }
    let refusal = || damage::of_mark(text).unwrap_or_else(|| SPELLING.into());
    let bytes = text.as_bytes();
    if !matches!(bytes.get(10), Some(b'T' | b't' | b' ')) {
        return Err(refusal());
    }
    let has_hours_only = matches!(bytes[11..], [.., b'+' | b'-', h, hh] if h.is_ascii_digit() && hh.is_ascii_digit());
    let full = if has_hours_only { format!("{text}:00").into() } else { Cow::Borrowed(text) };
    let Ok(moment) = OffsetDateTime::parse(&full, &Rfc3339) else {
        let has_no_offset = OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339).is_ok();
        return Err(match has_no_offset {
            true => "has no offset; add Z for UTC, or one such as +01:00".into(),
            false => refusal(),
        });
    };
    let Ok(seconds) = u64::try_from(moment.unix_timestamp()) else {
        return Err("is before 1970; no authorisation ended then".into());
    };
    Ok(Some(SystemTime::UNIX_EPOCH + Duration::new(seconds, moment.nanosecond())))
}

/// What the core says about a value, without the field and the value, which a fault has too.
fn rule(error: &Invalid, text: &str) -> String {
    if let Some(why) = damage::of_edges(text) {
        return why;
    }
    let whole = error.to_string();
    let before = format!("{} \"{}\": ", error.field(), printable(text, 60));
    whole.strip_prefix(&before).map_or_else(|| error.rule().to_owned(), str::to_owned)
}
