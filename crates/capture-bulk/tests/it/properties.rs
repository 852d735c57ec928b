//! What holds for every file: what is accepted prints back equal, no bytes panic, and it does not matter
//! how the bytes come.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Read};

use capture_bulk::{Format, Options};
use capture_core::{Capture, IdempotencyKey, Money, OrderId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::{A, B, H, Kept, at, bad, rows};

/// A row with a key, a reference and a deadline, or without.
fn any_row() -> impl Strategy<Value = Kept> {
    let guid = || any::<[u8; 16]>().prop_filter("nil", |bytes| *bytes != [0; 16]);
    let currency = select(vec!["USD", "EUR", "JPY", "KWD", "CLF"]);
    let money = (1..=Money::MAX_MINOR_UNITS, currency)
        .prop_map(|(units, code)| Money::from_minor(units, code.parse().unwrap()).unwrap());
    let reference = proptest::option::of(
        "[^\\p{Cc}]{1,40}".prop_filter("damage", |text| !text.starts_with('#')),
    );
    let before = proptest::option::of((0..4_000_000_000_u64).prop_map(at));
    (guid(), guid(), money, reference, before).prop_map(
        |(order, key, money, reference, capture_before)| {
            let (order, key) =
                (OrderId::from_bytes(order).unwrap(), IdempotencyKey::from_bytes(key).unwrap());
            let capture = Capture::new(order, money, key);
            Kept { line: 0, capture, reference, capture_before, is_repeat: false }
        },
    )
}

fn moment(row: &Kept) -> Option<String> {
    let seconds = row.capture_before?.duration_since(at(0)).unwrap().as_secs();
    let moment = time::OffsetDateTime::from_unix_timestamp(seconds as i64).unwrap();
    let (date, time) = (moment.date(), moment.time());
    Some(format!("{date}T{:02}:{:02}:{:02}Z", time.hour(), time.minute(), time.second()))
}

fn csv(rows: &[Kept]) -> String {
    let mut text = String::from("order_id,amount,currency,key,reference,capture_before\n");
    for row in rows {
        let money = row.capture.money();
        let reference = row.reference.as_deref().unwrap_or_default().replace('"', "\"\"");
        let (order, key) = (row.capture.order_id(), row.capture.idempotency_key());
        let (amount, code) = (money.decimal(), money.currency());
        let before = moment(row).unwrap_or_default();
        writeln!(text, "{order},{amount},{code},{key},\"{reference}\",{before}").unwrap();
    }
    text
}

fn json_lines(rows: &[Kept]) -> String {
    let line = |row: &Kept| {
        let money = row.capture.money();
        let object = serde_json::json!({
            "order_id": row.capture.order_id(),
            "amount_minor": money.minor_units(),
            "currency": money.currency().code(),
            "key": row.capture.idempotency_key(),
            "reference": row.reference,
            "capture_before": moment(row),
        });
        format!("{object}\n")
    };
    rows.iter().map(line).collect()
}

/// Hands out a few bytes at a time, and is interrupted between them.
struct Slow<'a> {
    bytes: &'a [u8],
    step: usize,
    is_interrupted: bool,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.is_interrupted = !self.is_interrupted;
        if self.is_interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = self.step.min(buffer.len()).min(self.bytes.len());
        buffer[..length].copy_from_slice(&self.bytes[..length]);
        self.bytes = &self.bytes[length..];
        Ok(length)
    }
}

/// Pieces of files, good and bad.
fn near_files() -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec![
        H.as_bytes(),
        A.as_bytes(),
        B.as_bytes(),
        b"100.00",
        b"13,75",
        b"USD",
        b"JPY",
        b",",
        b";",
        b"\t",
        b"\n",
        b"\r\n",
        b"\r",
        b"\"",
        b"\"\"",
        b" ",
        b"#REF!",
        b"1.23E+25",
        b"{",
        b"}",
        b"[",
        b":",
        b"\"order_id\"",
        b"\"amount\"",
        b"\"currency\"",
        b"\\u",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\xc3\xa4",
        b"\0",
        b"key",
        b"amount_minor",
        b"expected_amount",
        b"reference",
        b"2026-11-30T18:00:00Z",
        b"-",
        b"=",
        b"'",
        b"\xc2\xa0",
        b"\xe2\x80\xaf",
    ];
    vec(select(pieces), 0..60).prop_map(|pieces| pieces.concat())
}

fn formats() -> impl Strategy<Value = Options> {
    select(vec![
        Options::default(),
        Options::default().format(Format::Csv),
        Options::default().format(Format::JsonLines),
    ])
}

proptest! {
    #[test]
    fn accepted_rows_print_back_equal(expected in vec(any_row(), 0..20)) {
        for (text, first_line) in [(csv(&expected), 2), (json_lines(&expected), 1)] {
            let options = if first_line == 1 { Options::default().format(Format::JsonLines) } else { Options::default() };
            let (rows, table) = rows(text.as_bytes(), &options);
            prop_assert!(table.is_ok(), "{text}\n{}", table.unwrap_err());
            prop_assert_eq!(rows.len(), expected.len());
            for ((row, expected), line) in rows.iter().zip(&expected).zip(first_line..) {
                prop_assert_eq!(row, &Kept { line, reference: expected.reference.clone(), ..*expected });
            }
        }
    }

    #[test]
    fn each_order_is_no_repeat_once(numbers in vec(1_u8..30, 0..200)) {
        let order = |number: &u8| OrderId::from_bytes([*number; 16]).unwrap();
        let lines: String = numbers.iter().map(|it| format!("{},1.00,USD\n", order(it))).collect();
        let (rows, table) = rows(format!("{H}{lines}").as_bytes(), &Options::default());
        let mut seen = BTreeSet::new();
        for (row, number) in rows.iter().zip(&numbers) {
            prop_assert_eq!(row.is_repeat, !seen.insert(number));
        }
        let repeats = table.unwrap().repeats;
        prop_assert_eq!(repeats.len(), numbers.len() - seen.len());
        for repeat in &repeats {
            let of = |line: u32| numbers[line as usize - 2];
            prop_assert_eq!(of(repeat.line), of(repeat.first_line));
            prop_assert!(!rows[repeat.first_line as usize - 2].is_repeat);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..400), options in formats()) {
        check_shown(&bad(&bytes, &options))?;
    }

    #[test]
    fn no_piece_of_a_file_panics(bytes in near_files(), options in formats()) {
        check_shown(&bad(&bytes, &options))?;
        let with_header = [H.as_bytes(), &bytes].concat();
        check_shown(&bad(&with_header, &options))?;
    }

    #[test]
    fn how_the_bytes_come_does_not_matter(bytes in near_files(), step in 1..4_usize, options in formats()) {
        for bytes in [&bytes[..], &[H.as_bytes(), &bytes].concat()] {
            let slow = Slow { bytes, step, is_interrupted: false };
            prop_assert_eq!(rows(slow, &options), rows(bytes, &options));
        }
    }
}

/// A fault is one line, and no control character of the file is in it.
fn check_shown(shown: &str) -> Result<(), TestCaseError> {
    for line in shown.lines() {
        prop_assert!(["f:", "good", "and "].iter().any(|start| line.starts_with(start)), "{line}");
        prop_assert!(!line.chars().any(char::is_control), "{line:?}");
        prop_assert!(line.len() < 1_000, "{line}");
    }
    Ok(())
}

/// Lines near the bound, and a first line that only looks like UTF-16 beyond it.
#[test]
fn long_lines_come_slowly_too() {
    let note = |length: usize| {
        let begins = format!("{A},1.00,USD,");
        format!("{begins}{}", "n".repeat(length - begins.len()))
    };
    let header = "order_id,amount,currency,note";
    let (longest, longer) = (note(65_536), note(70_000));
    for text in [
        format!("{header}\r\n{longest}\r\n{longer}\r\n{longest}\r\n"),
        format!("{header}\n{longest}\n{longer}"),
        format!("{longer}\0\n{header}\n"),
    ] {
        let expected = rows(text.as_bytes(), &Options::default());
        for step in [1, 1_000, 65_535, 65_536, 65_537] {
            let slow = Slow { bytes: text.as_bytes(), step, is_interrupted: false };
            assert_eq!(rows(slow, &Options::default()), expected, "{step}");
        }
    }
}
