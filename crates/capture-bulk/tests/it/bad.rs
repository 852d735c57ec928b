//! Bad files, and the exact text of what is wrong with them.

use capture_bulk::{Format, Options};

use crate::{A, H, bad, file};

/// Each file, and its faults.
const CASES: &[(&str, &str)] = &[
    // The header.
    ("\n{A},100.00,USD\n", "f:1: is empty; the first line names the columns"),
    (
        "sep=;\norder_id;amount;currency\n",
        "f:1: \"sep=;\": is for a spreadsheet only; remove it, so that the first line names the columns",
    ),
    (
        "{A},100.00,USD\n{B},10.00,USD\n",
        "f:1: is a row; put a line with the names of the columns above it",
    ),
    (
        "order_id,amount\n{A},100.00\n",
        "f:1: currency: no column is named currency; the header has \"order_id\", \"amount\"",
    ),
    (
        "order|amount|currency\n",
        "f:1: order_id: no column is named order_id; the header has \"order|amount|currency\"\n\
         f:1: amount: no column is named amount\n\
         f:1: currency: no column is named currency",
    ),
    (
        "order_id,amoumt,curremcy\n{A},100.00,USD\n",
        "f:1:10: column \"amoumt\": is nearly amount; rename it, or say that it is something else (`amount=`)\n\
         f:1:17: column \"curremcy\": is nearly currency; rename it, or say that it is something else (`currency=`)",
    ),
    (
        "order_id,amount,amount_minor,currency\n",
        "f:1: has amount and amount_minor; keep one of them, because they have different units",
    ),
    (
        "order_id,Order-ID,amount,currency,key,Idempotency Key\n",
        "f:1:10: column \"Order-ID\": is order_id, as \"order_id\" is; keep one of them\n\
         f:1:39: column \"Idempotency Key\": is key, as \"key\" is; keep one of them",
    ),
    (
        "\u{feff}\u{feff}order_id,amount,currency\n",
        "f:1:1: column \"\\u{feff}order_id\": is nearly order_id; rename it, or say that it is something else (`order_id=`)",
    ),
    (
        "order_id,\"amount,currency\n",
        "f:1:10: a quote is opened here and not closed on this line; close it, or take the line breaks out of the field",
    ),
    (
        "order_id,amount,currency,idempotency_kye,refermnce,expires at,expected-amoumt\n",
        "f:1:26: column \"idempotency_kye\": is nearly idempotency_key; rename it, or say that it is something else (`key=`)\n\
         f:1:42: column \"refermnce\": is nearly reference; rename it, or say that it is something else (`reference=`)\n\
         f:1:63: column \"expected-amoumt\": is nearly expected_amount; rename it, or say that it is something else (`expected_amount=`)",
    ),
    // The shape of a row.
    ("{H}{A},100.00\n", "f:2: 2 columns; the header in line 1 has 3"),
    (
        "{H}{A},100.00,USD,\n{B}\n",
        "f:2: 4 columns; the header in line 1 has 3; a field that holds a comma goes into quotes\n\
         f:3: 1 column; the header in line 1 has 3",
    ),
    (
        "{H}{A},13,75,USD\n",
        "f:2: 4 columns; the header in line 1 has 3; 13,75 is cut by its decimal comma: write it with a point",
    ),
    (
        "{H}{A},100.00,1,USD\n{B},x,1,USD\n{C},,1,USD\n{A},1,2\n{A},1\n",
        "f:2: 4 columns; the header in line 1 has 3; a field that holds a comma goes into quotes\n\
         f:3: 4 columns; the header in line 1 has 3; a field that holds a comma goes into quotes\n\
         f:4: 4 columns; the header in line 1 has 3; a field that holds a comma goes into quotes\n\
         f:5:40: currency \"2\": must be three letters A to Z, such as USD\n\
         f:6: 2 columns; the header in line 1 has 3",
    ),
    (
        "order_id,currency,amount_minor,note\n{A},USD,1\n{A},USD,1,75,x\n",
        "f:2: 3 columns; the header in line 1 has 4\n\
         f:3: 5 columns; the header in line 1 has 4; 1,75 is cut by its decimal comma: write it with a point",
    ),
    (
        "order_id;amount;currency\n{A};13;75;USD\n",
        "f:2: 4 columns; the header in line 1 has 3; a field that holds a semicolon goes into quotes",
    ),
    (
        "{H}{A},\"100.00,USD\n{B},10.00,USD\n",
        "f:2:38: a quote is opened here and not closed on this line; close it, or take the line breaks out of the field",
    ),
    (
        "{H}{A},100.00,\"US\nD\"\n",
        "f:2:45: a quote is opened here and not closed on this line; close it, or take the line breaks out of the field\n\
         f:3:2: a quote in the middle of a field; quote the whole field, and double this one",
    ),
    (
        "{H}{A},\"100.00\"x,USD\n",
        "f:2:46: text after a closing quote; a comma or the end of the line belongs here",
    ),
    (
        "{H}{A},1\"00.00,USD\n",
        "f:2:39: a quote in the middle of a field; quote the whole field, and double this one",
    ),
    (
        "{H}{A},100.00,USD\n\n,,\n{B},10.00,USD\n\n",
        "f:3: 2 empty rows, and rows follow; remove them, or write what belongs here",
    ),
    (
        "{H}{A},100.00,USD\r{B},10.00,USD\r",
        "f:2:48: \"\\x0d\": a carriage return inside a line; lines end with LF or CRLF, and no field holds a line break",
    ),
    (
        "{H}{A},100.00,U\0D\n",
        "f:2:46: \"\\x00\": a NUL byte; no text has one: export the file again",
    ),
    // Twice in a file.
    (
        "{H}{A},100.00,USD\n{B},10.00,USD\n{A},10.00,USD\n",
        "f:4:1: order_id \"{A}\": is in line 2 with 100.00 USD, and here with 10.00 USD; keep one of them",
    ),
    (
        "{H}{A},100.00,USD\n{A},100.00,EUR\n{A},100.00,USD\n",
        "f:3:1: order_id \"{A}\": is in line 2 with 100.00 USD, and here with 100.00 EUR; keep one of them",
    ),
    (
        "currency,order_id,amount,key\nUSD,{A},1.00,{B}\nUSD,{A},1.00,{C}\nUSD,{B},1.00,{C}\n",
        "f:3:5: order_id \"{A}\": is in line 2 under another key; an order is captured once, under one key\n\
         f:4:47: key \"{C}\": is in line 3 for another order; a key belongs to one order",
    ),
    // Several at once.
    (
        "{H}x,y,z\n{A},100.00\n{B},\"1\n",
        "f:2:1: order_id \"x\": is not a GUID; write it like 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81\n\
         f:2:5: currency \"z\": must be three letters A to Z, such as USD\n\
         f:3: 2 columns; the header in line 1 has 3\n\
         f:4:38: a quote is opened here and not closed on this line; close it, or take the line breaks out of the field",
    ),
    (
        "{H}{A},\u{1b}[2J,USD\n",
        "f:2:38: amount \"\\u{1b}[2J\": only the digits 0 to 9 and one point; write it like 100.00",
    ),
];

#[test]
fn every_fault_is_told_exactly() {
    for (input, faults) in CASES {
        let found = bad(file(input).as_bytes(), &Options::default());
        assert_eq!(found, file(faults), "\n{input}");
    }
}

/// What is no text at all, or no text of ours.
#[test]
fn other_kinds_of_files_are_refused_with_the_fix() {
    let utf16 = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    };
    let header = format!("{H}{A},100.00,USD\n");
    let mut latin = header.replace(",USD", ",\"USD").into_bytes();
    latin.extend_from_slice(b"h\xf4t\xe9l,1,2\n");
    let mut cut = header.clone().into_bytes();
    cut.extend_from_slice("\u{fc}\u{fc}".as_bytes());
    cut.push(0xc3);
    let mac = header.replace('\n', "\r");
    let cases: &[(&[u8], &str)] = &[
        (b"", "f:1: the file is empty; its first line names the columns"),
        (b"\xef\xbb\xbf", "f:1: the file is empty; its first line names the columns"),
        (
            &utf16(&format!("\u{feff}{header}"), u16::to_le_bytes),
            "f:1: the file is UTF-16; save it as UTF-8",
        ),
        (
            &utf16(&format!("\u{feff}{header}"), u16::to_be_bytes),
            "f:1: the file is UTF-16; save it as UTF-8",
        ),
        (
            &utf16(&header, u16::to_le_bytes),
            "f:1: the file has NUL bytes, as UTF-16 has; save it as UTF-8",
        ),
        (b"PK\x03\x04\x14\x00", "f:1: the file is a workbook; save the sheet as CSV in UTF-8"),
        (b"\x1f\x8b\x08", "f:1: the file is compressed; unpack it first"),
        (b"<!DOCTYPE html>", "f:1: the file is a web page or XML; export the rows as CSV"),
        (
            b"[{\"order_id\":1}]",
            "f:1: the file is a JSON array; write one object on each line, as `jq -c '.[]'` does",
        ),
        (
            &latin,
            "f:2:45: a quote is opened here and not closed on this line; close it, or take the line breaks out of the field\n\
             f:3:2: \"\\xf4\": a byte that is not UTF-8; save the file as UTF-8",
        ),
        // No other line is the header then.
        (
            b"order_id,b\xe9trag,amount,currency\nx,y,1.00,USD\n",
            "f:1:11: \"\\xe9\": a byte that is not UTF-8; save the file as UTF-8",
        ),
        (&cut, "f:3:3: \"\\xc3\": a byte that is not UTF-8; save the file as UTF-8"),
        (
            mac.as_bytes(),
            "f:1:25: \"\\x0d\": a carriage return inside a line; lines end with LF or CRLF, and no field holds a line break",
        ),
    ];
    for (input, faults) in cases {
        assert_eq!(bad(input, &Options::default()), *faults);
    }
}

#[test]
fn a_line_has_a_bounded_length() {
    let line = |length: usize| {
        let begins = format!("{A},100.00,USD,");
        let note = "n".repeat(length - begins.len());
        format!("order_id,amount,currency,note\n{begins}{note}\r\n{A},100.00,USD,\n")
    };
    assert_eq!(bad(line(65_536).as_bytes(), &Options::default()), "good: 2 rows");
    for length in [65_537, 65_538, 131_072, 131_073, 300_000] {
        assert_eq!(
            bad(line(length).as_bytes(), &Options::default()),
            "f:2: is longer than 65536 bytes; a row is shorter: export only the columns that are needed",
            "{length}"
        );
    }
    // Where a line is too long, the next one begins after its end.
    let wrong = line(300_000).replace("100.00,USD,\n", "100.00,USD\n");
    assert!(
        bad(wrong.as_bytes(), &Options::default())
            .ends_with("\nf:3: 3 columns; the header in line 1 has 4")
    );
}

#[test]
fn a_header_has_a_bounded_number_of_columns() {
    let header = |columns: usize| format!("order_id,amount,currency{}\n", ",".repeat(columns - 3));
    assert_eq!(bad(header(256).as_bytes(), &Options::default()), "good: 0 rows");
    assert_eq!(
        bad(header(257).as_bytes(), &Options::default()),
        "f:1: more than 256 columns; export only those that are needed"
    );
}

#[test]
fn a_hundred_faults_are_kept_from_the_first_line_on_and_the_rest_is_counted() {
    let mut text = String::from(H);
    // The last contradiction is in line 2, which is found last.
    text.push_str(&format!("{A},1.00,USD\n{A},2.00,USD\n"));
    for _ in 0..250 {
        text.push_str("x,1.00,USD\n");
    }
    let shown = bad(text.as_bytes(), &Options::default());
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 101);
    assert!(
        lines[0].starts_with(&format!("f:3:1: order_id \"{A}\": is in line 2 with")),
        "{shown}"
    );
    assert!(lines[99].starts_with("f:102:1: order_id \"x\""), "{shown}");
    assert_eq!(lines[100], "and 151 more");
}

#[test]
fn a_fault_has_its_parts() {
    let text = format!("{H}{A}\n{A},1\u{7},USD\n");
    let faults = crate::rows(text.as_bytes(), &Options::default()).1.unwrap_err();
    let parts: Vec<_> = faults
        .kept()
        .iter()
        .map(|it| (it.line(), it.column(), it.field(), it.value(), it.why()))
        .collect();
    assert_eq!(
        parts,
        [
            (2, None, None, None, "1 column; the header in line 1 has 3"),
            (
                3,
                Some(38),
                Some("amount"),
                Some("1\\u{7}"),
                "only the digits 0 to 9 and one point; write it like 100.00"
            ),
        ]
    );
    assert_eq!((faults.more(), faults.count()), (0, 2));
    let text = format!("{H}{}", "x,1.00,USD\n".repeat(103));
    let faults = crate::rows(text.as_bytes(), &Options::default()).1.unwrap_err();
    assert_eq!((faults.kept().len(), faults.more(), faults.count()), (100, 3, 103));
    assert_eq!(faults.to_string(), faults.named("f").to_string().replace("f:", ""));
}

#[test]
fn faults_serialise_with_their_parts() {
    let text = format!("{H}{A},\"13,75\",USD\n{A}\n\u{1b},{},USD\n", "9".repeat(80));
    let faults = crate::rows(text.as_bytes(), &Options::default()).1.unwrap_err();
    let json = serde_json::to_string_pretty(&faults).unwrap();
    assert_eq!(json, include_str!("../golden/faults.json").trim_end());
}

#[test]
fn what_the_caller_says_wins_over_the_first_byte() {
    let csv = Options::default().format(Format::Csv);
    assert!(bad(b"{}\n", &csv).starts_with("f:1: order_id: no column is named order_id"));
    let json = Options::default().format(Format::JsonLines);
    assert_eq!(
        bad(H.as_bytes(), &json),
        "f:1:1: is not one JSON object (expected value); write one object on each line"
    );
    assert_eq!(bad(b"", &json), "good: 0 rows");
}
