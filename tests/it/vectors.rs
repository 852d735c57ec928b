//! The vectors that are checked in equal what the machine does today.

use std::path::Path;

#[test]
fn the_files_are_up_to_date() {
    for (name, text) in capture_tests::vectors::files() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name);
        let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(checked_in == text, "{name} is not up to date: run cargo xtask vectors");
    }
}

#[test]
fn every_reason_and_every_outcome_occurs() {
    let mut seen = std::collections::BTreeSet::new();
    for (_, text) in capture_tests::vectors::files() {
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        for vector in file["vectors"].as_array().unwrap() {
            let expect = &vector["expect"];
            seen.insert(format!("{} {}", expect["outcome"], expect["reason"]).replace('"', ""));
        }
    }
    for expected in [
        "captured order_status",
        "captured reply",
        "not_captured declined",
        "not_captured forbidden",
        "not_captured key_used",
        "not_captured never_sent",
        "not_captured order_cancelled",
        "not_captured rejected",
        "not_captured throttled",
        "not_captured unauthorized",
        "unknown contradiction",
        "unknown cut_reply",
        "unknown foreign_order",
        "unknown in_progress",
        "unknown no_reply",
        "unknown redirect",
        "unknown unconfirmed_refusal",
        "unknown undecided_status",
        "unknown undecided_word",
        "unknown unreadable_reply",
    ] {
        assert!(seen.contains(expected), "{expected} is missing in {seen:#?}");
    }
}
