//! Orders and keys that are in a file twice, found in 32 bytes a row.

use capture_core::{Capture, Currency, IdempotencyKey, Money, OrderId};

use super::fault::{Fault, Faults};

/// A row that asks for what an earlier one asks for: the same order, money and key. Both are one
/// capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Repeat {
    /// The line of this row.
    pub line: u32,
    /// The first line with the same order.
    pub first_line: u32,
}

/// What a file asks for in one currency; a repeated row counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Total {
    /// The currency.
    pub currency: Currency,
    /// How many captures.
    pub captures: u64,
    /// Their sum.
    pub minor_units: u128,
}

impl std::fmt::Display for Total {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decimals = usize::from(self.currency.exponent());
        let digits = format!("{:0width$}", self.minor_units, width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{whole}{point}{fraction} {}", self.currency)
    }
}

/// Every row, in short.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    rows: Vec<Entry>,
    /// Only of rows with a key of their own.
    keys: Vec<OwnKey>,
    totals: Vec<(u64, u128)>,
}

/// 32 bytes; a million of them are most of the memory that a file takes.
#[derive(Debug, Clone, Copy)]
struct Entry {
    order: u128,
    line: u32,
    minor_units: u32,
    /// Two keys of one order differ here, but for one pair in four thousand million.
    key: u32,
    column: u16,
    currency: u16,
}

#[derive(Debug, Clone, Copy)]
struct OwnKey {
    key: [u8; 16],
    order: u32,
    line: u32,
    column: u16,
}

/// Where the values of a row are: the line, the column of the order and the one of the key, if it has
/// one of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) line: u32,
    pub(crate) order: u32,
    pub(crate) key: Option<u32>,
}

impl Orders {
    pub(crate) fn add(&mut self, at: At, capture: &Capture, currency: u16) {
        let (order, key) = (capture.order_id(), capture.idempotency_key());
        let minor_units = capture.money().minor_units();
        let number = u128::from_be_bytes(*order.as_bytes());
        self.rows.push(Entry {
            order: number,
            line: at.line,
            minor_units,
            key: short(*key.as_bytes()),
            column: clipped(at.order),
            currency,
        });
        if let Some(column) = at.key {
            let (key, order) = (*key.as_bytes(), short(*order.as_bytes()));
            self.keys.push(OwnKey { key, order, line: at.line, column: clipped(column) });
        }
        let index = usize::from(currency);
        if self.totals.len() <= index {
            self.totals.resize(index + 1, (0, 0));
        }
        let (captures, sum) = &mut self.totals[index];
        *captures += 1;
        *sum += u128::from(minor_units);
    }

    pub(crate) fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Finds what is there twice: the repeats by line, and the totals without them.
    pub(crate) fn finish(
        mut self,
        currencies: &[Currency],
        faults: &mut Faults,
    ) -> (Vec<Repeat>, Vec<Total>) {
        let mut repeats = Vec::new();
        self.rows.sort_unstable_by_key(|row| (row.order, row.line));
        for same in self.rows.chunk_by(|one, other| one.order == other.order) {
            let (first, others) = same.split_first().expect("a chunk has a row");
            for row in others {
                if let Some(why) = contradiction(first, row, currencies) {
                    let order = OrderId::from_bytes(row.order.to_be_bytes()).expect("read as one");
                    let fault = Fault::of_line(row.line, why).at(row.column.into());
                    faults.add(fault.of("order_id").showing(&order.to_string()));
                    continue;
                }
                repeats.push(Repeat { line: row.line, first_line: first.line });
                let (captures, sum) = &mut self.totals[usize::from(row.currency)];
                *captures -= 1;
                *sum -= u128::from(row.minor_units);
            }
        }
        drop(self.rows);
        repeats.sort_unstable();
        shared_keys(self.keys, faults);
        let totals = currencies.iter().zip(self.totals);
        let mut totals: Vec<_> = totals
            .map(|(&currency, (captures, minor_units))| Total { currency, captures, minor_units })
            .collect();
        totals.sort_by_key(|total| total.currency.code().to_owned());
        (repeats, totals)
    }
}

fn contradiction(first: &Entry, row: &Entry, currencies: &[Currency]) -> Option<String> {
    let money = |entry: &Entry| {
        Money::from_minor(entry.minor_units, currencies[usize::from(entry.currency)])
            .expect("read as money")
    };
    let line = first.line;
    if (first.minor_units, first.currency) != (row.minor_units, row.currency) {
        let (was, is) = (money(first), money(row));
        return Some(format!("is in line {line} with {was}, and here with {is}; keep one of them"));
    }
    (first.key != row.key).then(|| {
        format!("is in line {line} under another key; an order is captured once, under one key")
    })
}

/// One key for two orders: the API would answer for the first of them.
fn shared_keys(mut keys: Vec<OwnKey>, faults: &mut Faults) {
    keys.sort_unstable_by_key(|key| (key.key, key.line));
    for same in keys.chunk_by(|one, other| one.key == other.key) {
        for key in same.iter().filter(|key| key.order != same[0].order) {
            let why = format!(
                "is in line {} for another order; a key belongs to one order",
                same[0].line
            );
            let shown = IdempotencyKey::from_bytes(key.key).expect("read as one").to_string();
            let fault = Fault::of_line(key.line, why).at(key.column.into());
            faults.add(fault.of("key").showing(&shown));
        }
    }
}

/// 32 bits of all 128, whatever pattern they have.
fn short(bytes: [u8; 16]) -> u32 {
    const SCATTER: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    let mixed = u128::from_be_bytes(bytes).wrapping_mul(SCATTER);
    (mixed >> 96) as u32
}

/// A line is shorter than this in characters, or nearly.
fn clipped(column: u32) -> u16 {
    u16::try_from(column).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_32_bytes_and_its_own_key_28() {
        assert_eq!((size_of::<Entry>(), size_of::<OwnKey>()), (32, 28));
    }

    #[test]
    fn totals_have_the_decimals_of_their_currency() {
        for (code, minor_units, shown) in [
            ("USD", 5, "0.05 USD"),
            ("JPY", 5, "5 JPY"),
            ("KWD", 1_234_567, "1234.567 KWD"),
            ("USD", u128::from(u64::MAX) * 100, "18446744073709551615.00 USD"),
        ] {
            let total = Total { currency: code.parse().unwrap(), captures: 1, minor_units };
            assert_eq!(total.to_string(), shown);
        }
    }
}
