//! JSON lines: the same rules, and no amount is ever a float.

use capture_bulk::{Format, Options};

use crate::{bad, file, good};

/// One object, whose amount is written so.
fn with_amount(amount: &str, currency: &str) -> String {
    file(&format!("{{\"order_id\":\"{{A}}\",\"amount\":{amount},\"currency\":\"{currency}\"}}\n"))
}

#[test]
fn the_same_rows_as_in_csv() {
    let csv = file(
        "order_id,amount,currency,key,reference,capture_before\n\
         {A},100.00,USD,{B},\"Größe \"\"7\"\"\",2026-11-30T18:00:00Z\n\
         {B},100,JPY,{C},17,\n",
    );
    let json = file(
        "{\"order_id\":\"{A}\",\"amount\":100.00,\"currency\":\"USD\",\"key\":\"{B}\",\
          \"reference\":\"Gr\\u00f6\\u00dfe \\\"7\\\"\",\"capture_before\":\"2026-11-30T18:00:00Z\"}\n\
         { \"Order ID\": \"{B}\", \"amount\": \"100\", \"currency\": \"JPY\", \"note\": [{}], \
          \"idempotencyKey\": \"{C}\", \"reference\": 17, \"expires_at\": null, \"\\u006eote\": 1 }\n",
    );
    let (mut expected, _) = good(&csv, &Options::default());
    expected.iter_mut().for_each(|row| row.line -= 1);
    for text in [json.clone(), format!("\u{feff}{json}\r\n \n"), json.replace("}\n", "}\r\n")] {
        let (rows, table) = good(&text, &Options::default());
        assert_eq!(rows, expected);
        assert_eq!((table.format, table.separator), (Format::JsonLines, None));
        assert_eq!(table.ignored_columns, ["note"]);
    }
}

#[test]
fn a_number_is_its_text() {
    let told = |rule: &str, amount: &str| format!("f:1:61: amount \"{amount}\": {rule}");
    let two = "USD is written with a point and two decimals, such as 13.75";
    for (amount, currency, expected) in [
        ("100.00", "USD", "good: 1 rows".into()),
        ("100", "JPY", "good: 1 rows".into()),
        ("1.375", "KWD", "good: 1 rows".into()),
        ("100.0", "USD", told(two, "100.0")),
        (
            "100",
            "USD",
            told(&format!("{two}; if it is in minor units, name the column amount_minor"), "100"),
        ),
        ("1e2", "USD", told("is in scientific notation; write all digits, such as 1375.00", "1e2")),
        ("1e2", "JPY", told("is in scientific notation; write all digits, such as 1375.00", "1e2")),
        ("100.000", "USD", told("USD has 2 decimals, not 3", "100.000")),
        (
            "99.99999999999999999999",
            "USD",
            told("USD has 2 decimals, not 20", "99.99999999999999999999"),
        ),
        ("-100.00", "USD", told("must not have a sign; a capture is always positive", "-100.00")),
        ("true", "USD", told("must be a string or a number, such as \"100.00\"", "true")),
        ("[1]", "USD", told("must be a string or a number, such as \"100.00\"", "[1]")),
        ("null", "USD", "f:1: amount: is missing; every row needs it".into()),
    ] {
        assert_eq!(
            bad(with_amount(amount, currency).as_bytes(), &Options::default()),
            expected,
            "{amount}"
        );
    }
}

/// Bad objects, and the exact text of what is wrong with them.
const CASES: &[(&str, &str)] = &[
    // The line.
    (
        "{\"order_id\":\"{A}\",\"amount\":\"1.00\"\n,\"currency\":\"USD\"}\n",
        "f:1:66: is not one JSON object (EOF while parsing an object); write one object on each line\n\
         f:2:1: is not one JSON object (expected value); write one object on each line",
    ),
    (
        "{} {}\n",
        "f:1:4: is not one JSON object (trailing characters); write one object on each line",
    ),
    (
        "{\"ö\":nope}\n",
        "f:1:7: is not one JSON object (expected ident); write one object on each line",
    ),
    (
        "{}\n\n[]\n",
        "f:1: order_id: is missing; every row needs it\n\
         f:1: currency: is missing; every row needs it\n\
         f:1: amount: is missing; every row needs it\n\
         f:3:1: is not one JSON object (invalid type: sequence, expected an object); write one object on each line",
    ),
    (
        "{\"order_id\":\"ö\n",
        "f:1:14: is not one JSON object (EOF while parsing a string); write one object on each line",
    ),
    // Members.
    (
        "{\"order_id\":\"{A}\",\"amount\":\"1.00\",\"currency\":\"USD\",\"Amount\":\"1.00\"}\n",
        "f:1:94: amount: is given more than once; keep one amount",
    ),
    (
        "{\"order_id\":\"{A}\",\"amoumt\":\"1.00\",\"currency\":\"usd\"}\n",
        "f:1:61: member \"amoumt\": is nearly amount; rename it, or say that it is something else (`amount=`)\n\
         f:1:79: currency \"usd\": must be upper case; write USD",
    ),
    (
        "{\"order_id\":\"{A}\",\"amount\":\"1.00\",\"amount_minor\":100,\"currency\":\"USD\"}\n",
        "f:1:83: amount_minor \"100\": is given beside amount; give one of them, because they have different units",
    ),
    // Values, and that a wrong type hides no other fault.
    (
        "{\"order_id\":5,\"amount\":\"13,75\",\"currency\":840,\"reference\":1.5}\n",
        "f:1:13: order_id \"5\": must be a string; put it into quotes\n\
         f:1:43: currency \"840\": must be a string; put it into quotes\n\
         f:1:59: reference \"1.5\": must be a string; put it into quotes",
    ),
    (
        "{\"order_id\":\"\\ud800\",\"amount\":\"1.00\",\"currency\":\"USD\",\"reference\":\"a\\nb\"}\n",
        "f:1:13: order_id \"\\ud800\": has half of a surrogate pair, which is no character; export it again\n\
         f:1:67: reference \"a\\u{a}b\": holds the control character U+000A; remove it",
    ),
    (
        "{\"order_id\":\"{A}\",\"amount\":1.00,\"currency\":\"USD\",\"expected_amount\":1.50,\"key\":\"\"}\n",
        "f:1:101: expected_amount \"1.50\": is not the amount, 1.00; find out which of them is right\n\
         f:1:112: key \"\": is empty; in a file with keys every row has one",
    ),
    (
        "{\"order_id\":\"{A}\",\"amount\":1.00,\"currency\":\"USD\"}\n{\"order_id\":\"{A}\",\"amount\":1.01,\"currency\":\"USD\"}\n",
        "f:2:13: order_id \"{A}\": is in line 1 with 1.00 USD, and here with 1.01 USD; keep one of them",
    ),
];

#[test]
fn every_fault_is_told_exactly() {
    for (input, faults) in CASES {
        let found = bad(file(input).as_bytes(), &Options::default());
        assert_eq!(found, file(faults), "\n{input}");
    }
}

/// The length of a line bounds its depth, and no depth overflows the stack.
#[test]
fn deep_values_are_skipped_or_refused() {
    let deep = |name: &str, depth: usize| {
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        with_amount("1.00", "USD").replace("}\n", &format!(",\"{name}\":{value}}}\n"))
    };
    assert_eq!(bad(deep("note", 32_000).as_bytes(), &Options::default()), "good: 1 rows");
    let faults = bad(deep("reference", 32_000).as_bytes(), &Options::default());
    assert!(faults.ends_with("…\": must be a string; put it into quotes"), "{faults}");
    let faults = bad(deep("note", 40_000).as_bytes(), &Options::default());
    assert!(faults.starts_with("f:1: is longer than 65536 bytes"), "{faults}");
}

#[test]
fn names_can_be_given() {
    let options = Options::default().columns("amount=Total,currency=Cur".parse().unwrap());
    let text = file("{\"order_id\":\"{A}\",\"total\":1.00,\"cur\":\"USD\",\"amount\":2.00}\n");
    let (rows, table) = good(&text, &options);
    assert_eq!(rows[0].capture.money().minor_units(), 100);
    assert_eq!(table.ignored_columns, ["amount"]);
}

#[test]
fn ignored_names_are_bounded() {
    let members: String = (0..300).map(|n| format!(",\"x{n}\":0")).collect();
    let text = with_amount("1.00", "USD").replace("}\n", &format!("{members}}}\n"));
    assert_eq!(good(&text, &Options::default()).1.ignored_columns.len(), 253);
}
