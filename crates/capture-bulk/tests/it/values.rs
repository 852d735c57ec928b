//! Bad values, and the exact text of what is wrong with them: what spreadsheets did, and what never was
//! one.

use capture_bulk::Options;

use crate::{bad, file};

/// Each file, and its faults.
const CASES: &[(&str, &str)] = &[
    // An order id.
    ("{H},100.00,USD\n", "f:2:1: order_id \"\": is empty; give a GUID"),
    (
        "{H}ORD-17,100.00,USD\n",
        "f:2:1: order_id \"ORD-17\": is not a GUID; write it like 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81",
    ),
    (
        "{H} {A},100.00,USD\n",
        "f:2:1: order_id \" {A}\": has a space at its beginning or end; remove it",
    ),
    (
        "{H}1.23E+25,100.00,USD\n",
        "f:2:1: order_id \"1.23E+25\": is in scientific notation: a spreadsheet made a number of it, and digits are lost; export it again with the column as text",
    ),
    (
        "{H}f1a3c5e-7c1d-4e0b-9d6a-c4f5b6a7d81,100.00,USD\n",
        "f:2:1: order_id \"f1a3c5e-7c1d-4e0b-9d6a-c4f5b6a7d81\": lacks 2 digits: it was cut, or a spreadsheet dropped leading zeros; export it again with the column as text",
    ),
    (
        "{H}1234567890123456789012345678901,100.00,USD\n",
        "f:2:1: order_id \"1234567890123456789012345678901\": lacks 1 digit: it was cut, or a spreadsheet dropped leading zeros; export it again with the column as text",
    ),
    (
        "{H}12345678901234500000000000000000,100.00,USD\n",
        "f:2:1: order_id \"12345678901234500000000000000000\": ends in zeros, as a spreadsheet rounds long numbers; export it again with the column as text",
    ),
    (
        "{H}30.11.2026,100.00,USD\n",
        "f:2:1: order_id \"30.11.2026\": is a date, which a spreadsheet may have made of it; export it again with the column as text",
    ),
    (
        "{H}01-Mar,100.00,USD\n",
        "f:2:1: order_id \"01-Mar\": is a date, which a spreadsheet may have made of it; export it again with the column as text",
    ),
    (
        "{H}#REF!,#N/A,#NAME?\n",
        "f:2:1: order_id \"#REF!\": is a spreadsheet's error, not a value; correct the sheet, export it again\n\
         f:2:7: amount \"#N/A\": is a spreadsheet's error, not a value; correct the sheet, export it again\n\
         f:2:12: currency \"#NAME?\": is a spreadsheet's error, not a value; correct the sheet, export it again",
    ),
    (
        "{H}'{A},'100.00,'USD\n",
        "f:2:1: order_id \"'{A}\": begins with an apostrophe, which marks text in a spreadsheet; remove it\n\
         f:2:39: amount \"'100.00\": begins with an apostrophe, which marks text in a spreadsheet; remove it\n\
         f:2:47: currency \"'USD\": begins with an apostrophe, which marks text in a spreadsheet; remove it",
    ),
    (
        "{H}\"=\"\"{A}\"\"\",100.00,USD\n",
        "f:2:1: order_id \"=\"{A}\"\": is a formula; export its value",
    ),
    (
        "{H}{A}\u{a0},100.00,USD\n",
        "f:2:1: order_id \"{A}\u{a0}\": has a non-breaking space (U+00A0); remove it",
    ),
    (
        "{H}5f1a3c5e\u{2011}7c1d-4e0b-9d6a-0c4f5b6a7d81,100.00,USD\n",
        "f:2:1: order_id \"5f1a3c5e‑7c1d-4e0b-9d6a-0c4f5b6a7d81\": is not a GUID; write it like 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81; it has U+2011, which is not ASCII",
    ),
    (
        "{H}00000000-0000-0000-0000-000000000000,100.00,USD\n",
        "f:2:1: order_id \"00000000-0000-0000-0000-000000000000\": is the nil GUID, which names nothing",
    ),
    (
        "{H}########,100.00,USD\n",
        "f:2:1: order_id \"########\": is what a spreadsheet shows in a narrow column; widen it, export it again",
    ),
    // An amount.
    ("{H}{A},,USD\n", "f:2:38: amount \"\": is empty; write it like 100.00"),
    (
        "{H}{A},100,USD\n{B},100.0,USD\n{C},1.234,USD\n",
        "f:2:38: amount \"100\": USD is written with a point and two decimals, such as 13.75; if it is in minor units, name the column amount_minor\n\
         f:3:38: amount \"100.0\": USD is written with a point and two decimals, such as 13.75\n\
         f:4:38: amount \"1.234\": USD has 2 decimals, not 3",
    ),
    (
        "{H}{A},\"13,75\",USD\n{B},\"1,234\",USD\n{C},\"1,234.50\",USD\n",
        "f:2:38: amount \"13,75\": has a decimal comma; USD is written with a point and two decimals, such as 13.75\n\
         f:3:38: amount \"1,234\": has a comma, of decimals or of thousands; USD is written with a point and two decimals, such as 13.75\n\
         f:4:38: amount \"1,234.50\": has thousands separators; USD is written with a point and two decimals, such as 1234.50",
    ),
    (
        "order_id;amount;currency\n{A};1.234,50;EUR\n{B};13,75;JPY\n{C};1,234;KWD\n",
        "f:2:38: amount \"1.234,50\": has thousands separators and a decimal comma; EUR is written with a point and two decimals, such as 1234.50\n\
         f:3:38: amount \"13,75\": has a decimal comma; JPY is written without decimals, such as 100\n\
         f:4:38: amount \"1,234\": has a comma, of decimals or of thousands; KWD is written with a point and three decimals, such as 13.750",
    ),
    (
        "{H}{A},100.00,JPY\n{B},\"1,000\",JPY\n",
        "f:2:38: amount \"100.00\": JPY has no decimals; write it like 100\n\
         f:3:38: amount \"1,000\": has a comma, of decimals or of thousands; JPY is written without decimals, such as 100",
    ),
    (
        "{H}{A},1'234.50,CHF\n{B},1 234.50,EUR\n{C},1\u{a0}234.50,EUR\n",
        "f:2:38: amount \"1'234.50\": has thousands separators; CHF is written with a point and two decimals, such as 1234.50\n\
         f:3:38: amount \"1 234.50\": has thousands separators; EUR is written with a point and two decimals, such as 1234.50\n\
         f:4:38: amount \"1\u{a0}234.50\": has a non-breaking space (U+00A0); remove it",
    ),
    (
        "{H}{A},1.23E+05,USD\n{B},1e2,USD\n",
        "f:2:38: amount \"1.23E+05\": is in scientific notation; write all digits, such as 1375.00\n\
         f:3:38: amount \"1e2\": is in scientific notation; write all digits, such as 1375.00",
    ),
    (
        "{H}{A},$100.00,USD\n{B},100.00\u{20ac},EUR\n{C},USD 100.00,USD\n",
        "f:2:38: amount \"$100.00\": has a currency sign; write digits only, the currency has its own column\n\
         f:3:38: amount \"100.00€\": has a currency sign; write digits only, the currency has its own column\n\
         f:4:38: amount \"USD 100.00\": names a currency; write digits only, the currency has its own column",
    ),
    (
        "{H}{A},-100.00,USD\n{B},(100.00),USD\n{C},0.00,USD\n",
        "f:2:38: amount \"-100.00\": must not have a sign; a capture is always positive\n\
         f:3:38: amount \"(100.00)\": is in brackets, which mean a negative amount; a capture is always positive\n\
         f:4:38: amount \"0.00\": must be more than zero",
    ),
    (
        "{H}{A},#VALUE!,USD\n{B},2026-11-30,USD\n{C},03. Mai,EUR\n",
        "f:2:38: amount \"#VALUE!\": is a spreadsheet's error, not a value; correct the sheet, export it again\n\
         f:3:38: amount \"2026-11-30\": is a date, which a spreadsheet may have made of it; export it again with the column as text\n\
         f:4:38: amount \"03. Mai\": is a date, which a spreadsheet may have made of it; export it again with the column as text",
    ),
    (
        "{H}{A},21474836.48,USD\n{B},1\u{663}.00,USD\n{C},1.000.000,USD\n",
        "f:2:38: amount \"21474836.48\": is too much; the most is 21474836.47 USD\n\
         f:3:38: amount \"1٣.00\": only the digits 0 to 9 and one point; write it like 100.00; it has U+0663, which is not ASCII\n\
         f:4:38: amount \"1.000.000\": has thousands separators; USD is written with a point and two decimals, such as 13.75",
    ),
    (
        "order_id,amount_minor,currency\n{A},100.00,USD\n{B},,USD\n{C},1E+05,USD\n",
        "f:2:38: amount_minor \"100.00\": is not an integer of minor units, such as 1375; a decimal is a column amount\n\
         f:3:38: amount_minor \"\": is empty; write the amount as an integer of minor units, such as 1375\n\
         f:4:38: amount_minor \"1E+05\": is in scientific notation; write all digits, such as 1375.00",
    ),
    (
        "order_id,amount_minor,currency\n{A},0,USD\n{B},2147483648,USD\n{C},-5,USD\n",
        "f:2:38: amount_minor \"0\": must be more than zero\n\
         f:3:38: amount_minor \"2147483648\": is too much; the most is 21474836.47 USD\n\
         f:4:38: amount_minor \"-5\": is not an integer of minor units, such as 1375; a decimal is a column amount",
    ),
    (
        "{H}{A},\"1,234,567\",USD\n{B},\"1,234.5\",USD\n{C},\"1,234.500\",KWD\n",
        "f:2:38: amount \"1,234,567\": has thousands separators; USD is written with a point and two decimals, such as 13.75\n\
         f:3:38: amount \"1,234.5\": has thousands separators; USD is written with a point and two decimals, such as 13.75\n\
         f:4:38: amount \"1,234.500\": has thousands separators; KWD is written with a point and three decimals, such as 13.750",
    ),
    (
        "{H}{A},(100.00,USD\n{B},\"1,2x4\",USD\n{C}, 100.00,CLF\n",
        "f:2:38: amount \"(100.00\": only the digits 0 to 9 and one point; write it like 100.00\n\
         f:3:38: amount \"1,2x4\": no thousands separators and no decimal comma; write it like 1000.00\n\
         f:4:38: amount \" 100.00\": has a space at its beginning or end; remove it",
    ),
    (
        "{H}{A},100.00,CLF\n1234567890123456789012345,1.00,USD\n",
        "f:2:38: amount \"100.00\": CLF is written with a point and 4 decimals, such as 13.7500\n\
         f:3:1: order_id \"1234567890123456789012345\": lacks 7 digits: it was cut, or a spreadsheet dropped leading zeros; export it again with the column as text",
    ),
    // A currency.
    (
        "{H}{A},100.00,\n{B},100.00,usd\n{C},100.00,GBp\n",
        "f:2:45: currency \"\": is empty; give an ISO 4217 code such as USD\n\
         f:3:45: currency \"usd\": must be upper case; write USD\n\
         f:4:45: currency \"GBp\": can mean 1/100 of GBP; write GBP, and the amount in GBP: 100 GBp are 1 GBP",
    ),
    (
        "{H}{A},100.00,SLL\n{B},100.00,US D\n{C},100.00,\u{20ac}\n",
        "f:2:45: currency \"SLL\": was retired; its successor is SLE, and the amount changes: 1000 SLL became 1 SLE\n\
         f:3:45: currency \"US D\": must be three letters A to Z, such as USD\n\
         f:4:45: currency \"€\": must be three letters A to Z, such as USD; it has U+20AC, which is not ASCII",
    ),
    (
        "{H}{A},\"13,75\",EURO\n{B},$1, USD\n",
        "f:2:46: currency \"EURO\": must be three letters A to Z, such as USD\n\
         f:3:38: amount \"$1\": has a currency sign; write digits only, the currency has its own column\n\
         f:3:41: currency \" USD\": has a space at its beginning or end; remove it",
    ),
    // The other columns.
    (
        "order_id,amount,currency,key\n{A},100.00,USD,\n{B},10.00,USD,17\n{C},1.00,USD,12345678901234500000000000000000\n",
        "f:2:49: key \"\": is empty; in a file with keys every row has one\n\
         f:3:48: key \"17\": is not a GUID; write it like 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81\n\
         f:4:47: key \"12345678901234500000000000000000\": ends in zeros, as a spreadsheet rounds long numbers; export it again with the column as text",
    ),
    (
        "order_id,amount,currency,reference\n{A},100.00,USD,a\u{7}b\n{B},10.00,USD,1.23E+25\n{C},1.00,USD,#N/A\n",
        "f:2:49: reference \"a\\u{7}b\": holds the control character U+0007; remove it\n\
         f:3:48: reference \"1.23E+25\": is in scientific notation: a spreadsheet made a number of it, and digits are lost; export it again with the column as text\n\
         f:4:47: reference \"#N/A\": is a spreadsheet's error, not a value; correct the sheet, export it again",
    ),
    (
        "order_id,amount,currency,expires_at\n{A},100.00,USD,2026-11-30\n{B},10.00,USD,2026-11-30T18:00:00\n{C},1.00,USD,11/30/2026 18:00\n",
        "f:2:49: capture_before \"2026-11-30\": is not a time with an offset; write it like 2026-11-30T18:00:00Z\n\
         f:3:48: capture_before \"2026-11-30T18:00:00\": has no offset; add Z for UTC, or one such as +01:00\n\
         f:4:47: capture_before \"11/30/2026 18:00\": is not a time with an offset; write it like 2026-11-30T18:00:00Z",
    ),
    (
        "order_id,amount,currency,capture_before\n{A},100.00,USD,46356.75\n{B},10.00,USD,2026-02-29T18:00:00Z\n{C},1.00,USD,1969-12-31T23:59:59Z\n",
        "f:2:49: capture_before \"46356.75\": is not a time with an offset; write it like 2026-11-30T18:00:00Z\n\
         f:3:48: capture_before \"2026-02-29T18:00:00Z\": is not a time with an offset; write it like 2026-11-30T18:00:00Z\n\
         f:4:47: capture_before \"1969-12-31T23:59:59Z\": is before 1970; no authorisation ended then",
    ),
    (
        "order_id,amount,currency,expected_amount\n{A},100.00,USD,10.00\n{B},10.00,USD,\n{C},1.00,USD,1\n",
        "f:2:49: expected_amount \"10.00\": is not the amount, 100.00; find out which of them is right\n\
         f:3:48: expected_amount \"\": is empty; write it like 100.00\n\
         f:4:47: expected_amount \"1\": USD is written with a point and two decimals, such as 13.75; if it is in minor units, name the column amount_minor",
    ),
];

/// A wrong cause would send the operator to the wrong place.
#[test]
fn no_damage_is_named_that_is_none() {
    let plain = "is not a GUID; write it like 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";
    for id in [
        "xe5",
        "1.xe5",
        "1ex",
        "1e1234",
        "cafe",
        "march-1",
        "1-market",
        "1-2-3-4",
        "100-200-300",
        "5f1a3c5e-7c1d-4e0b-9d6a",
        "g234567890123456789012345678901",
        "1234567890123456789",
        "#",
    ] {
        let faults = bad(file(&format!("{{H}}{id},1.00,USD\n")).as_bytes(), &Options::default());
        assert_eq!(faults, format!("f:2:1: order_id \"{id}\": {plain}"));
    }
}

#[test]
fn every_fault_is_told_exactly() {
    for (input, faults) in CASES {
        let found = bad(file(input).as_bytes(), &Options::default());
        assert_eq!(found, file(faults), "\n{input}");
    }
}
