//! What became of all rows: each ended as it must, the adapters agree, and none was lost.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use super::run::Ran;

/// What became of every row, by adapter.
pub(crate) type Reports = BTreeMap<&'static str, Vec<Ran>>;

/// Every row of an adapter ended as it must, and nothing went to another origin.
pub(crate) fn check(ran: &[Ran]) {
    let mut wrong = Vec::new();
    for Ran { name, expect, came, trapped, .. } in ran {
        if came != expect {
            wrong.push(format!("{name}\n    expected {expect:?}\n    came     {came:?}"));
        }
        if *trapped > 0 {
            wrong.push(format!("{name}: a request went to another origin"));
        }
    }
    assert!(wrong.is_empty(), "{} rows\n{}", wrong.len(), wrong.join("\n"));
}

/// All adapters did the same, and put the same bytes on the wire.
pub(crate) fn compare(reports: &Reports) {
    let (first_name, first) = reports.first_key_value().expect("an adapter");
    let mut wrong = Vec::new();
    for (name, ran) in reports {
        for (one, other) in first.iter().zip(ran).filter(|(one, other)| one != other) {
            wrong.push(format!("{}\n {first_name}: {one:#?}\n {name}: {other:#?}", one.name));
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

/// So many rows there were when this was last changed; the number may only grow.
const FEWEST_ROWS: usize = 580;

/// Says how much ran; it is not less than it was. That no fault is without a test is checked against
/// `docs/faults.md`, by `tests/it/faults.rs`.
pub(crate) fn count(reports: &Reports) {
    let names = |ran: &'_ Vec<Ran>| ran.iter().map(|ran| ran.name.clone()).collect::<Vec<_>>();
    let first = names(reports.values().next().expect("an adapter"));
    let rows = first.len();
    assert!(rows >= FEWEST_ROWS, "{rows} rows");
    assert!(reports.values().all(|ran| names(ran) == first), "the adapters ran other rows");
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), rows, "two rows have one name");

    let number = |name: &String| name.split(' ').next()?.parse::<u32>().ok();
    let faults: BTreeSet<_> = first.iter().filter_map(number).collect();
    // Not by a macro: the harness would keep it to itself.
    let _ = writeln!(
        std::io::stderr(),
        "conformance: {rows} rows x {} adapters = {} runs, over {} faults",
        reports.len(),
        rows * reports.len(),
        faults.len(),
    );
}
