//! Good files: what is forgiven, what is told, and that spellings do not matter.

use std::io;

use capture_bulk::{Format, Options, ReadError, Separator, read};
use capture_core::{IdempotencyKey, Money, OrderId};

use crate::{A, B, H, at, file, good};

fn order(text: &str) -> OrderId {
    text.parse().unwrap()
}

#[test]
fn a_row_is_what_it_says() {
    let text = file(
        "order_id,amount,currency,key,reference,capture_before,expected_amount\n\
         {A},100.00,USD,{B},\"Größe \"\"7\"\", rot\",2026-11-30T18:00:00+01:00,100.00\n\
         {B},1.234,KWD,{C},,,1.234\n",
    );
    let (rows, table) = good(&text, &Options::default());
    let [first, second] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(first.line, 2);
    assert_eq!(first.capture.order_id(), order(A));
    assert_eq!(first.capture.money(), Money::parse("100.00", "USD").unwrap());
    assert_eq!(first.capture.idempotency_key().to_string(), B);
    assert_eq!(first.reference.as_deref(), Some("Größe \"7\", rot"));
    assert_eq!(first.capture_before, Some(at(1_796_058_000)));
    assert_eq!(second.line, 3);
    assert_eq!((&second.reference, second.capture_before), (&None, None));
    assert_eq!(
        (table.rows, table.format, table.separator),
        (2, Format::Csv, Some(Separator::Comma))
    );
    let totals: Vec<_> = table.totals.iter().map(ToString::to_string).collect();
    assert_eq!(totals, ["1.234 KWD", "100.00 USD"]);
}

#[test]
fn without_a_key_it_is_the_orders() {
    let (rows, _) = good(&file("{H}{A},1.00,USD\n"), &Options::default());
    assert_eq!(rows[0].capture.idempotency_key(), IdempotencyKey::for_order(order(A)));
}

/// The same rows, however the file is written.
#[test]
fn what_does_not_matter_is_forgiven() {
    let plain = file("{H}{A},100.00,USD\n{B},10.00,EUR\n");
    let (expected, table) = good(&plain, &Options::default());
    assert_eq!((table.rows, table.separator), (2, Some(Separator::Comma)));
    for (text, separator) in [
        (format!("\u{feff}{plain}"), Separator::Comma),
        (plain.replace('\n', "\r\n"), Separator::Comma),
        (plain.trim_end().to_owned(), Separator::Comma),
        (plain.replace(',', ";"), Separator::Semicolon),
        (plain.replace(',', "\t"), Separator::Tab),
        (
            plain
                .replace(',', "\",\"")
                .replace('\n', "\"\n\"")
                .trim_end_matches('"')
                .replacen("order", "\"order", 1),
            Separator::Comma,
        ),
        (plain.to_uppercase(), Separator::Comma),
        (plain.replace(A, &format!("{{{A}}}")), Separator::Comma),
        (plain.replace(A, &A.replace('-', "")), Separator::Comma),
        (plain.replace("order_id", " Order-ID\u{a0}"), Separator::Comma),
        (plain.replace('\n', ",\n"), Separator::Comma),
        (plain.replace('\n', ",x\n").replacen(",x", ",\"a; b\"", 1), Separator::Comma),
    ] {
        let (rows, table) = good(&text, &Options::default());
        assert_eq!(rows, expected, "{text}");
        assert_eq!((table.rows, table.separator), (2, Some(separator)), "{text}");
    }
}

#[test]
fn empty_rows_at_the_end_are_counted() {
    for (end, count) in [("", 0), ("\n", 1), ("\n\n,,\n", 3), (",,\r\n\"\",\" \",", 2)] {
        let (rows, table) =
            good(&file(&format!("{{H}}{{A}},100.00,USD\n{end}")), &Options::default());
        assert_eq!((rows.len(), table.rows, table.empty_rows), (1, 1, count), "{end:?}");
    }
}

#[test]
fn a_file_without_rows_is_good() {
    let (rows, table) = good(H, &Options::default());
    assert_eq!((rows.len(), table.rows, table.totals.len()), (0, 0, 0));
}

#[test]
fn amounts_in_minor_units_are_the_same_money() {
    let (decimal, _) =
        good(&file("{H}{A},100.00,USD\n{B},100,JPY\n{C},1.375,KWD\n"), &Options::default());
    let text = file(
        "order_id,amount_minor,currency,expected_amount\n{A},10000,USD,10000\n{B},100,JPY,100\n{C},1375,KWD,1375\n",
    );
    assert_eq!(good(&text, &Options::default()).0, decimal);
}

#[test]
fn deadlines_have_any_offset_and_the_spelling_of_databases() {
    for (text, seconds) in [
        ("2026-11-30T18:00:00Z", 1_796_061_600),
        ("2026-11-30t18:00:00z", 1_796_061_600),
        ("2026-11-30T18:00:00+00:00", 1_796_061_600),
        ("2026-11-30T19:30:00+01:30", 1_796_061_600),
        ("2026-11-30T10:00:00-08:00", 1_796_061_600),
        ("2026-11-30 18:00:00+00", 1_796_061_600),
        ("2026-11-30 10:00:00-08", 1_796_061_600),
        ("1970-01-01T00:00:00Z", 0),
    ] {
        let (rows, _) = good(
            &file(&format!("order_id,amount,currency,expires_at\n{{A}},1.00,USD,{text}\n")),
            &Options::default(),
        );
        assert_eq!(rows[0].capture_before, Some(at(seconds)), "{text}");
    }
}

#[test]
fn a_reference_has_128_characters_of_any_script() {
    let text = |length: usize| {
        let reference = "\u{f6}".repeat(length);
        file(&format!("order_id,amount,currency,reference\n{{A}},1.00,USD,{reference}\n"))
    };
    let (rows, _) = good(&text(128), &Options::default());
    assert_eq!(rows[0].reference.as_ref().unwrap().chars().count(), 128);
    let faults = crate::bad(text(129).as_bytes(), &Options::default());
    assert!(faults.ends_with(": has 129 characters; the most is 128"), "{faults}");
}

/// What looks like damage and is none.
#[test]
fn what_could_be_meant_is_accepted() {
    for reference in
        ["12E4", "1e5", "A1.2E+5", "#", "#1", "=7", "2026-11-30", "'7", "a\u{a0}b", "-"]
    {
        let text = format!("order_id,amount,currency,reference\n{A},1.00,USD,{reference}\n");
        assert_eq!(good(&text, &Options::default()).0[0].reference.as_deref(), Some(reference));
    }
    for id in [
        "abcdefabcdefabc00000000000000000",
        "12345678-9012-3450-0000-000000000000",
        "12345678901234512345678901234500",
    ] {
        let (rows, _) = good(&format!("{H}{id},1.00,USD\n"), &Options::default());
        assert_eq!(rows[0].capture.order_id(), order(id));
    }
}

/// The same money for the same order is one capture: it is told, and counted once.
#[test]
fn a_repeated_row_is_told_and_counted_once() {
    let text =
        file("{H}{A},100.00,USD\n{B},10.00,USD\n{A},100.00,USD\n{C},5.00,EUR\n{A},100.00,USD\n");
    let (rows, table) = good(&text, &Options::default());
    assert_eq!((rows.len(), table.rows), (5, 5));
    let told: Vec<_> = rows.iter().map(|row| row.is_repeat).collect();
    assert_eq!(told, [false, false, true, false, true]);
    let repeats: Vec<_> = table.repeats.iter().map(|it| (it.line, it.first_line)).collect();
    assert_eq!(repeats, [(4, 2), (6, 2)]);
    let totals: Vec<_> = table.totals.iter().map(|it| (it.to_string(), it.captures)).collect();
    assert_eq!(totals, [("5.00 EUR".into(), 1), ("110.00 USD".into(), 2)]);
}

#[test]
fn the_hash_is_of_all_bytes() {
    use sha2::{Digest as _, Sha256};
    for text in [format!("\u{feff}{H}"), file("{H}{A},1.00,USD\r\n\n\n"), H.trim_end().to_owned()] {
        let expected: [u8; 32] = Sha256::digest(&text).into();
        assert_eq!(good(&text, &Options::default()).1.sha256, expected);
    }
}

#[test]
fn rows_come_until_the_first_fault() {
    let text = file("{H}{A},100.00,USD\n{B},x,USD\n{C},10.00,USD\n");
    let (rows, result) = crate::rows(text.as_bytes(), &Options::default());
    assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2]);
    assert_eq!(result.unwrap_err().count(), 1);
}

#[test]
fn what_the_caller_returns_ends_the_reading() {
    let text = file("{H}{A},100.00,USD\n{B},10.00,USD\n");
    let mut seen = 0;
    let result = read(text.as_bytes(), &Options::default(), |_| {
        seen += 1;
        Err(io::Error::other("the disk is full"))
    });
    assert!(matches!(result, Err(ReadError::Io(error)) if error.to_string() == "the disk is full"));
    assert_eq!(seen, 1);
}
