//! `capture demo`: what Capture does, on one screen.

use super::command::{TRANSPORTS, capture, run};

const README: &str = include_str!("../../../README.md");

#[test]
fn it_fits_one_screen_and_keeps_its_claims() {
    let run = run(&mut capture(&["demo"]));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines.len() <= 40, "{} lines: {}", lines.len(), run.stdout);
    for line in &lines {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for transport in TRANSPORTS {
        let rows = lines.iter().filter(|line| line.starts_with(transport));
        let rows: Vec<Vec<&str>> = rows.map(|row| row.split_whitespace().collect()).collect();
        let table = &rows[rows.len() - 2..];
        assert_eq!(table[0], [transport, "arrives", "captured", "reply", "1"]);
        assert_eq!(table[1], [transport, "lost", "captured", "order_status", "1"]);
    }
    let table =
        README.split_once("ends with what its ledger says:\n\n```text\n").expect("the table").1;
    let table = table.split_once("```").expect("its end").0;
    assert!(run.stdout.contains(table), "the README shows another table: {}", run.stdout);
    for text in ["token", "the API says SUCCESS", "no reply came", "the order is Completed"] {
        assert_eq!(run.stdout.matches(text).count() % 3, 0, "{text}: {}", run.stdout);
        assert!(run.stdout.contains(text), "{text}: {}", run.stdout);
    }
}
