//! Orders and keys that are in a file twice: an order as its row comes, a key at the end.

use std::hash::{BuildHasher as _, RandomState};

use capture_core::{Capture, Currency, IdempotencyKey, Money, OrderId};
use hashbrown::HashTable;

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

/// Every order, in short.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    count: u64,
    /// The first row of each order.
    rows: Vec<Entry>,
    /// Where in `rows` an order is. One table would be twice there whenever it grows.
    places: [HashTable<u32>; TABLES],
    hasher: RandomState,
    /// Only of rows with a key of their own, by line.
    keys: Vec<OwnKey>,
    repeats: Vec<Repeat>,
    totals: Vec<(u64, u128)>,
}

const TABLES: usize = 16;

/// 25 bytes, as none of them is aligned; a million of them are most of the memory that a file takes.
#[derive(Debug, Clone, Copy)]
struct Entry {
    order: [u8; 16],
    line: [u8; 4],
    minor_units: [u8; 4],
    currency: u8,
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

impl Entry {
    fn line(self) -> u32 {
        u32::from_ne_bytes(self.line)
    }

    fn minor_units(self) -> u32 {
        u32::from_ne_bytes(self.minor_units)
    }
}

impl Orders {
    /// Takes a row, and says whether it repeats an earlier one. One that contradicts an earlier one is a fault.
    pub(crate) fn add(
        &mut self,
        at: At,
        capture: &Capture,
        currency: u16,
        currencies: &[Currency],
        faults: &mut Faults,
    ) -> bool {
        let (order, key) = (capture.order_id(), capture.idempotency_key());
        let row = Entry {
            order: *order.as_bytes(),
            line: at.line.to_ne_bytes(),
            minor_units: capture.money().minor_units().to_ne_bytes(),
            currency: u8::try_from(currency).expect("fewer currencies are in use"),
        };
        self.count += 1;
        let first = self.first(row);
        let contradiction = first.and_then(|first| {
            contradiction(&first, &row, currencies).or_else(|| {
                let differs = self.key_of(&first) != key;
                differs.then(|| {
                    let line = first.line();
                    format!("is in line {line} under another key; an order is captured once, under one key")
                })
            })
        });
        if let Some(column) = at.key {
            let (key, order) = (*key.as_bytes(), short(*order.as_bytes()));
            self.keys.push(OwnKey { key, order, line: at.line, column: clipped(column) });
        }
        match (first, contradiction) {
            (None, _) => self.total(&row),
            (Some(_), Some(why)) => {
                let fault = Fault::of_line(at.line, why).at(clipped(at.order).into());
                faults.add(fault.of("order_id").showing(&order.to_string()));
            }
            (Some(first), None) => {
                self.repeats.push(Repeat { line: at.line, first_line: first.line() });
            }
        }
        first.is_some()
    }

    /// The first row of this order, if this is not the one.
    fn first(&mut self, row: Entry) -> Option<Entry> {
        let Self { rows, places, hasher, .. } = self;
        let hash = |order: &[u8; 16]| hasher.hash_one(u128::from_ne_bytes(*order));
        let own = hash(&row.order);
        let places = &mut places[(own >> 32) as usize % TABLES];
        if let Some(at) = places.find(own, |at| rows[*at as usize].order == row.order) {
            return Some(rows[*at as usize]);
        }
        let next = u32::try_from(rows.len()).expect("a file has fewer lines");
        places.insert_unique(own, next, |at| hash(&rows[*at as usize].order));
        rows.push(row);
        None
    }

    /// The key of the first row of an order.
    fn key_of(&self, first: &Entry) -> IdempotencyKey {
        let own = self.keys.binary_search_by_key(&first.line(), |key| key.line);
        match own {
            Ok(at) => IdempotencyKey::from_bytes(self.keys[at].key).expect("read as one"),
            Err(_) => {
                let order = OrderId::from_bytes(first.order).expect("read as one");
                IdempotencyKey::for_order(order)
            }
        }
    }

    fn total(&mut self, row: &Entry) {
        let index = usize::from(row.currency);
        if self.totals.len() <= index {
            self.totals.resize(index + 1, (0, 0));
        }
        let (captures, sum) = &mut self.totals[index];
        *captures += 1;
        *sum += u128::from(row.minor_units());
    }

    pub(crate) fn len(&self) -> u64 {
        self.count
    }

    /// The repeats by line, and the totals without them. Finds what keys are shared.
    pub(crate) fn finish(
        self,
        currencies: &[Currency],
        faults: &mut Faults,
    ) -> (Vec<Repeat>, Vec<Total>) {
        drop(self.rows);
        shared_keys(self.keys, faults);
        let totals = currencies.iter().zip(self.totals);
        let mut totals: Vec<_> = totals
            .map(|(&currency, (captures, minor_units))| Total { currency, captures, minor_units })
            .collect();
        totals.sort_by_key(|total| total.currency.code().to_owned());
        (self.repeats, totals)
    }
}

fn contradiction(first: &Entry, row: &Entry, currencies: &[Currency]) -> Option<String> {
    if (first.minor_units, first.currency) == (row.minor_units, row.currency) {
        return None;
    }
    let money = |entry: &Entry| {
        Money::from_minor(entry.minor_units(), currencies[usize::from(entry.currency)])
            .expect("read as money")
    };
    let (line, was, is) = (first.line(), money(first), money(row));
    Some(format!("is in line {line} with {was}, and here with {is}; keep one of them"))
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
    fn a_row_takes_25_bytes_and_its_own_key_28() {
        assert_eq!((size_of::<Entry>(), size_of::<OwnKey>()), (25, 28));
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
