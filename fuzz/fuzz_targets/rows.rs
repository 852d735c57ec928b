//! Any bytes as a file of captures: nothing panics, totals are those of the rows, and rows that are written
//! again as JSON lines are the same captures.
#![no_main]

use std::collections::BTreeMap;

use capture_bulk::{Format, Options, ReadError, read};
use capture_core::Capture;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

type Read = (Vec<Capture>, BTreeMap<String, u128>, u64);

fn captures(bytes: &[u8], options: &Options) -> Result<Read, ReadError> {
    let mut rows = Vec::new();
    let table = read(bytes, options, |row| {
        rows.push(row.capture);
        Ok(())
    })?;
    let totals = table.totals.iter().map(|it| (it.currency.to_string(), it.minor_units));
    Ok((rows, totals.collect(), table.rows))
}

fuzz_target!(|input: (bool, &[u8])| {
    let (is_csv, bytes) = input;
    let format = if is_csv { Format::Csv } else { Format::JsonLines };
    match captures(bytes, &Options::default().format(format)) {
        Ok((rows, totals, count)) => {
            assert_eq!(rows.len() as u64, count);
            let mut once = BTreeMap::new();
            for capture in &rows {
                once.insert(capture.order_id(), *capture);
            }
            let mut sums = BTreeMap::<String, u128>::new();
            for money in once.values().map(Capture::money) {
                *sums.entry(money.currency().to_string()).or_default() +=
                    u128::from(money.minor_units());
            }
            assert_eq!(sums, totals);
            let lines: String = rows
                .iter()
                .map(|capture| {
                    let (money, key) = (capture.money(), capture.idempotency_key());
                    let currency = money.currency();
                    let line = json!({
                        "order_id": capture.order_id(), "key": key, "amount": money.decimal(),
                        "currency": currency.to_string(),
                    });
                    format!("{line}\n")
                })
                .collect();
            if !rows.is_empty() {
                let json = Options::default().format(Format::JsonLines);
                assert_eq!(captures(lines.as_bytes(), &json).unwrap().0, rows);
            }
        }
        Err(ReadError::Faults(faults)) => {
            assert!(!faults.named("any").to_string().is_empty());
            let _ = serde_json::to_string(&faults).unwrap();
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
