//! The results of all rows: each ended as expected, the adapters agree, and none was lost.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use capture_conformance::rows::Ran;

/// The result of every row, by adapter.
pub(crate) type Reports = BTreeMap<&'static str, Vec<Ran>>;

/// Every row of an adapter ended as expected, and nothing went to another origin.
pub(crate) fn check(ran: &[Ran]) {
    let wrong: Vec<_> = ran.iter().filter_map(Ran::complaint).collect();
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

/// The number of rows when this was last changed; it may only grow.
const FEWEST_ROWS: usize = 675;

/// Prints how many rows ran; it must not be fewer than before. `tests/it/faults.rs` checks that no fault
/// is without a test.
pub(crate) fn count(reports: &Reports) {
    let names = |ran: &'_ Vec<Ran>| ran.iter().map(|ran| ran.name.clone()).collect::<Vec<_>>();
    let first = names(reports.values().next().expect("an adapter"));
    let rows = first.len();
    assert!(rows >= FEWEST_ROWS, "{rows} rows");
    assert!(reports.values().all(|ran| names(ran) == first), "the adapters ran other rows");
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), rows, "two rows have one name");

    let number = |name: &String| name.split(' ').next()?.parse::<u32>().ok();
    let faults: BTreeSet<_> = first.iter().filter_map(number).collect();
    // Not by a macro: the harness would capture it.
    let _ = writeln!(
        std::io::stderr(),
        "conformance: {rows} rows x {} adapters = {} runs, over {} faults",
        reports.len(),
        rows * reports.len(),
        faults.len(),
    );
}
