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
        for row in [
            format!("{transport:<8} reply arrives   captured  reply         1"),
            format!("{transport:<8} reply lost      captured  order_status  1"),
        ] {
            assert!(lines.contains(&&*row), "{row}: {}", run.stdout);
        }
    }
    let begin = lines.iter().position(|line| line.starts_with("capture order: the money moves"));
    let story = &lines[begin.expect("the last story")..];
    assert!(story[1].ends_with(" is killed; times in the ledger: 1"), "{story:?}");
    assert_eq!(story[3], "  GET  /v1/orders/{id}  200  the order is Completed");
    assert_eq!(story[4], "  captured: the order is Completed; times in the ledger: 1");
    let whole = "  the same command again; captured exactly once, by the ledger: 24";
    assert!(story.contains(&whole), "{story:?}");
    assert!(story.contains(&"reqwest  process killed  captured  order_status  1"), "{story:?}");
    let table =
        README.split_once("ends with what its ledger says:\n\n```text\n").expect("the table").1;
    let table = table.split_once("```").expect("its end").0;
    assert!(run.stdout.contains(table), "the README shows another table: {}", run.stdout);
    for (text, count) in
        [("the API says SUCCESS", 6), ("no reply came", 3), ("the order is Completed", 8)]
    {
        assert_eq!(run.stdout.matches(text).count(), count, "{text}: {}", run.stdout);
    }
}
