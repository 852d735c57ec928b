//! Which column is which field: other names, ignored ones, near misses.

use std::path::Path;

use capture_bulk::{Columns, Field, Format, Options};

use crate::{bad, file, good};

fn options(columns: &str) -> Options {
    Options::default().columns(columns.parse().unwrap())
}

#[test]
fn an_export_is_read_as_it_is() {
    let text = file(
        "Created at;Order;Total;Cur.;Expires\n\
         2026-11-29;{A};100.00;USD;2026-11-30 18:00:00+00\n",
    );
    let (rows, table) =
        good(&text, &options("order_id=order,Amount= Total ,currency=Cur.,expires_at=EXPIRES"));
    assert_eq!((rows.len(), &table.ignored_columns[..]), (1, &["Created at".to_owned()][..]));
    assert!(rows[0].capture_before.is_some());
}

#[test]
fn a_name_that_was_given_replaces_the_usual_one() {
    let text = file("order_id,amount,Total,currency\n{A},1.00,100.00,USD\n");
    let (rows, table) = good(&text, &options("amount=Total"));
    assert_eq!(rows[0].capture.money().minor_units(), 10_000);
    assert_eq!(table.ignored_columns, ["amount"]);
}

#[test]
fn a_field_without_a_column_ignores_its_names() {
    let text = file("order_id,amount,currency,key,preference\n{A},1.00,USD,17,none\n");
    assert!(
        bad(text.as_bytes(), &Options::default())
            .contains("column \"preference\": is nearly reference")
    );
    let (rows, table) = good(&text, &options("key=,reference="));
    assert!(rows[0].capture.has_derived_key());
    assert_eq!(table.ignored_columns, ["key", "preference"]);
    let both = file("order_id,amount,amount_minor,currency\n{A},1.00,100,USD\n");
    assert_eq!(good(&both, &options("amount_minor=")).0[0].capture.money().minor_units(), 100);
}

#[test]
fn a_near_miss_beside_the_right_name_is_another_column() {
    let text = file("order_id,amount,amounts,currency\n{A},1.00,x,USD\n");
    assert_eq!(good(&text, &Options::default()).1.ignored_columns, ["amounts"]);
}

#[test]
fn a_column_without_a_name_is_not_listed() {
    let text = file("order_id,amount,currency,,note, \n{A},1.00,USD,x,y,z\n");
    assert_eq!(good(&text, &Options::default()).1.ignored_columns, ["note"]);
}

/// Words of other exports, which a file may have beside its fields.
#[test]
fn a_word_of_its_own_is_no_near_miss() {
    for name in ["keys", "account", "count", "order", "order no", "minor amount", "created at"] {
        let text = file(&format!("order_id,amount,currency,{name}\n{{A}},1.00,USD,x\n"));
        assert_eq!(good(&text, &Options::default()).1.ignored_columns, [name]);
    }
    for name in ["keys", "account", "count"] {
        let text = file(&format!("order_id,{name},currency\n"));
        let faults = bad(text.as_bytes(), &Options::default());
        assert!(faults.starts_with("f:1: amount: no column is named amount;"), "{faults}");
    }
}

#[test]
fn a_name_that_was_given_has_to_be_there() {
    let text = file("order_id,amount,currency\n{A},1.00,USD\n");
    for (columns, faults) in [
        (
            "amount=Total",
            "f:1: amount: no column is named Total; the header has \"order_id\", \"amount\", \"currency\"",
        ),
        (
            "amount_minor=Total",
            "f:1: amount_minor: no column is named Total; the header has \"order_id\", \"amount\", \"currency\"",
        ),
        (
            "key=Key",
            "f:1: key: no column is named Key; the header has \"order_id\", \"amount\", \"currency\"",
        ),
        (
            "currency=",
            "f:1: currency: no column is named currency; the header has \"order_id\", \"amount\", \"currency\"",
        ),
    ] {
        assert_eq!(bad(text.as_bytes(), &options(columns)), faults, "{columns}");
    }
}

#[test]
fn wrong_mappings_say_what_to_write() {
    for (text, error) in [
        ("", "columns \"\": is not FIELD=NAME; write it like amount=Total"),
        ("Total", "columns \"Total\": is not FIELD=NAME; write it like amount=Total"),
        (
            "total=Total",
            "columns \"total=Total\": begins with no field; the fields are order_id, amount, amount_minor, currency, key, reference, capture_before, expected_amount",
        ),
        ("amount=A,amount=B", "columns \"amount=B\": names amount again; give it one column"),
        (
            "amount=X,reference=x",
            "columns \"x\": is the column of amount already; a column is one field",
        ),
        ("amount=--", "columns \"--\": is no name of a column"),
    ] {
        assert_eq!(text.parse::<Columns>().unwrap_err().to_string(), error);
    }
    // Names that the text form cannot have.
    let columns = Columns::default().named(Field::Amount, "Total, net").unwrap();
    let text = file("order_id,\"Total, net\",currency\n{A},1.00,USD\n");
    assert_eq!(good(&text, &Options::default().columns(columns)).1.rows, 1);
}

#[test]
fn the_end_of_a_name_says_the_format() {
    for (path, format) in [
        ("a.csv", Some(Format::Csv)),
        ("a.TSV", Some(Format::Csv)),
        ("a.csv.jsonl", Some(Format::JsonLines)),
        ("a.ndjson", Some(Format::JsonLines)),
        ("a.json", None),
        ("csv", None),
        ("-", None),
    ] {
        assert_eq!(Format::of_path(Path::new(path)), format, "{path}");
    }
}
