//! What a list is held to before its first send: its deadlines, and what the API shows of its orders.

use std::thread;
use std::time::{Duration, SystemTime};

use capture_core::{Money, OrderStatus};
use capture_journal::utc;
use capture_sandbox::{Answer, Exchange, Operation, Script};
use serde_json::json;

use super::batch::Batch;
use super::interrupt::{ended, send, started};

fn sent(batch: &Batch) -> usize {
    batch.server.ledger().entries().len()
}

#[test]
fn an_order_that_cannot_be_captured_stops_the_list_before_its_first_send() {
    let batch = Batch::new("preflight", 4);
    let statuses = [OrderStatus::Cancelled, OrderStatus::Completed, OrderStatus::Processing];
    for (order, status) in batch.orders.iter().zip(statuses) {
        assert!(batch.server.set_order_status(*order, status));
    }
    let yen = batch.server.create_order(Money::parse("100", "JPY").unwrap());
    let unknown = "9f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";
    let [first, second, third, fourth] = [0, 1, 2, 3].map(|at| batch.orders[at]);
    batch.write(
        "mixed.csv",
        &format!(
            "order_id,amount,currency\n{first},100.00,USD\n{second},100.00,USD\n{third},100.00,USD\n\
             {fourth},100.00,USD\n{yen},100.00,USD\n{unknown},100.00,USD\n"
        ),
    );
    let before = sent(&batch);
    let run = batch.run(&["run", "mixed.csv", "--preflight", "all", "--rate", "none", "--json"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(sent(&batch), before, "nothing was sent");
    assert!(run.stderr.contains("6 of 6 orders looked at, 1 of them captured already"), "{run:?}");
    for said in [
        &format!("mixed.csv:2: order_id {first}: the API shows it as Cancelled"),
        &format!("mixed.csv:4: order_id {third}: the API shows it as Processing"),
        &format!("mixed.csv:6: order_id {yen}: the API shows it in JPY, and the line is in USD"),
        &format!("mixed.csv:7: order_id {unknown}: the API does not know it"),
        "4 lines of mixed.csv cannot be captured as they are",
        "nothing was sent",
    ] {
        assert!(run.stderr.contains(said), "{said}: {run:?}");
    }
    assert_eq!(run.json()["problems"].as_array().unwrap().len(), 4, "{run:?}");
    assert!(batch.run(&["runs"]).stdout.is_empty(), "nothing was planned");
    for wrong in ["0", "some", "-1"] {
        let flag = format!("--preflight={wrong}");
        let refused = batch.run(&["run", "mixed.csv", &flag]);
        assert!(refused.code == 2 && refused.stderr.contains("must be all, or how many orders"));
    }
}

#[test]
fn a_preflight_looks_at_as_many_as_it_is_told_and_waits_when_it_is_asked_to() {
    let batch = Batch::new("preflight-passes", 20);
    let busy = Script::status(Answer::new(429).header("retry-after", "0")).on(Operation::Order);
    batch.server.script(busy.times(2));
    let run = batch.run(&["run", "orders.csv", "--preflight", "7", "--rate", "none"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("7 of 20 orders looked at, 0 of them captured already"), "{run:?}");
    // A list that goes on is not looked at again.
    let again = batch.run(&["run", "orders.csv", "--preflight", "7", "--rate", "none"]);
    assert!(again.code == 0 && !again.stderr.contains("preflight"), "{again:?}");

    let batch = Batch::new("preflight-fails", 3);
    let out = Script::status(Answer::new(503).header("retry-after", "0")).on(Operation::Order);
    batch.server.script(out.times(u32::MAX));
    let run = batch.run(&["run", "orders.csv", "--preflight", "1", "--rate", "none"]);
    assert!(run.code == 2 && run.stderr.contains("shows no order now (status 503)"), "{run:?}");
    assert_eq!(batch.captured(), 0);
}

/// Nothing was planned before the preflight is over, so that nobody takes up what was given up.
#[test]
fn a_signal_during_the_preflight_leaves_no_list() {
    let batch = Batch::new("preflight-stopped", 200);
    let mut command = batch.command(&["run", "orders.csv", "--preflight", "all", "--rate", "10"]);
    let child = started(&mut command);
    let is_lookup = |it: &&Exchange| it.operation == Some(Operation::Order);
    let asked = || batch.server.transcript().iter().filter(is_lookup).count();
    while asked() < 16 {
        thread::sleep(Duration::from_millis(5));
    }
    send("TERM", child.id());
    let run = ended(child);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("nothing was sent, and nothing was planned"), "{run:?}");
    assert!(batch.run(&["runs"]).stdout.is_empty());
    assert!(asked() < 100, "{}", asked());
}

#[test]
fn a_plan_says_when_its_orders_void() {
    let batch = Batch::new("deadlines", 4);
    let at = |seconds: i64| {
        let length = Duration::from_secs(seconds.unsigned_abs());
        let now = SystemTime::now();
        utc(if seconds < 0 { now - length } else { now + length })
    };
    let rows: String = batch
        .orders
        .iter()
        .zip([at(-60), at(7200), at(3600), String::new()])
        .map(|(order, before)| format!("{order},100.00,USD,{before}\n"))
        .collect();
    let header = "order_id,amount,currency,capture_before\n";
    batch.write("dated.csv", &format!("{header}{rows}"));
    let plan = batch.run(&["plan", "dated.csv"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    assert!(plan.stdout.contains("3 have a deadline, the first 20"), "{plan:?}");
    assert!(plan.stdout.contains("1 deadlines are over"), "{plan:?}");
    assert!(!plan.stdout.contains("before their turn"), "{plan:?}");
    let plan = batch.run(&["plan", "dated.csv", "--json", "--max-orders", "9"]).json();
    assert_eq!((&plan["with_deadline"], &plan["deadlines_past"]), (&json!(3), &json!(1)), "{plan}");
    assert_eq!(plan["guards"], json!("--max-orders 9"));

    // At 50 a second, the 200th has its turn after 4 s.
    let row = |at_row: u32| format!("5f1a3c5e-7c1d-4e0b-9d6a-{at_row:012x},100.00,USD,{}\n", at(3));
    let rows: String = (0..400).map(row).collect();
    batch.write("soon.csv", &format!("{header}{rows}"));
    let late = batch.run(&["plan", "soon.csv", "--json"]).json()["deadlines_too_soon"].clone();
    assert!((150..=350).contains(&late.as_u64().unwrap()), "{late}");
}
