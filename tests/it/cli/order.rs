//! One order through each transport: captured, declined, unknown, settled; codes and JSON asserted.

use capture_core::{IdempotencyKey, OrderStatus};
use capture_sandbox::{Answer, Operation, Script};
use serde_json::{Value, json};

use super::command::{Run, capture, capture_at, each_transport, order, run, server};

#[test]
fn captured() {
    each_transport(|transport| {
        let server = server();
        let order = order(&server);
        let mut command = capture_at(&server, &["order", &order.to_string()]);
        command.args(["--amount", "100.00", "--currency", "USD", "--json"]);
        let run = run(command.args(["--transport", transport]));
        let json = run.json();
        assert_eq!(run.code, 0, "{transport}: {run:?}");
        assert_eq!(outcome(&json), ("captured", "reply"));
        let key = IdempotencyKey::for_order(order).to_string();
        let told = [
            "order_id",
            "idempotency_key",
            "asked_amount",
            "asked_currency",
            "captured_amount",
            "next_step",
        ];
        let told: Vec<&Value> = told.iter().map(|name| &json[name]).collect();
        let expect = json!([order, key, 10_000, "USD", 10_000, "Ship; the order is paid."]);
        assert_eq!(json!(told), expect);
        let attempts = json["attempts"].as_array().unwrap();
        let asked = attempts.iter().map(|attempt| json!([attempt["operation"], attempt["status"]]));
        assert_eq!(Value::from_iter(asked), json!([["login", 200], ["capture", 200]]));
        assert_eq!(attempts[1]["says"], "the API says SUCCESS");
        assert_eq!(server.ledger().captures(order), 1);
    });
}

#[test]
fn the_json_has_exactly_these_keys() {
    let keys = [
        "amount_verified",
        "asked_amount",
        "asked_currency",
        "attempts",
        "captured_amount",
        "cause",
        "caveat",
        "code",
        "due_at_ms",
        "errors",
        "idempotency_key",
        "new_key",
        "next_step",
        "obstacle",
        "order_id",
        "outcome",
        "proof",
        "recorded_at_ms",
        "retry_after_s",
        "says",
        "unrecorded",
    ];
    let help = run(&mut capture(&["order", "--help"])).stdout;
    keys.iter().for_each(|key| assert!(help.contains(key), "{key}\n{help}"));
    let server = server();
    server.script(Script::status(Answer::new(503).header("retry-after", "3600")));
    for (money, code) in [("100.00", 3), ("99.00", 1), ("100.00", 0)] {
        let order = order(&server).to_string();
        let mut command = capture_at(&server, &["order", &order, "--currency", "USD", "--json"]);
        let run = run(command.args(["--amount", money]));
        assert_eq!(run.code, code, "{run:?}");
        let json = run.json();
        assert!(json.as_object().unwrap().keys().eq(keys), "{json}");
        assert_eq!(run.stderr.lines().count(), 2, "the journal and the key are named: {run:?}");
    }
}

#[test]
fn plain_text() {
    let server = server();
    let order = order(&server);
    let run = simple(&server, &order.to_string(), &[]);
    let key = IdempotencyKey::for_order(order);
    let expect = format!(
        "captured  {order}  100.00 USD\n  the API says SUCCESS\n  1 attempt, key {key}\n  \
         next: Ship; the order is paid.\n"
    );
    assert_eq!((run.code, run.stdout), (0, expect));
    assert!(run.stderr.contains(&key.to_string()), "the key is on record before the send");
}

#[test]
fn not_captured() {
    each_transport(|transport| {
        let server = server();
        let order = order(&server);
        let mut command = capture_at(&server, &["order", &order.to_string(), "--amount", "99.00"]);
        command.args(["--currency", "USD", "--transport", transport, "--json"]);
        let run = run(&mut command);
        let json = run.json();
        assert_eq!(run.code, 1, "{transport}: {run:?}");
        assert_eq!(json["outcome"], "not_captured");
        assert!(["declined", "rejected"].contains(&json["code"].as_str().unwrap()), "{json}");
        assert_eq!(server.ledger().captures(order), 0);
    });
}

/// A refused amount is corrected under a new key, which every run names; under the old one nothing is
/// sent, and a caller without a journal hears from the API that the key was used.
#[test]
fn a_decline_names_the_key_that_captures() {
    let server = server();
    let order = order(&server).to_string();
    let order_args = |amount: &'static str| ["order", &order, "--amount", amount];
    let at = |amount| {
        let mut command = capture_at(&server, &order_args(amount));
        command.args(["--currency", "USD"]);
        command
    };
    let declined = run(&mut at("99.00"));
    assert_eq!(declined.code, 1, "{declined:?}");
    let again = declined.stdout.lines().find_map(|line| line.strip_prefix("  again: capture "));
    let again: Vec<&str> = again.unwrap_or_else(|| panic!("{declined:?}")).split(' ').collect();
    assert_eq!(again[..4], order_args("99.00"));
    let count = "\n  4 attempts, key";
    assert!(declined.stdout.contains(count), "the login is not counted: {declined:?}");

    let refused = run(&mut at("100.00"));
    assert_eq!(refused.code, 2, "{refused:?}");
    let key = again.last().unwrap();
    let says = format!("; to capture another amount, give --key {key}\n");
    assert!(refused.stderr.ends_with(&says), "{refused:?}");

    let used = run(at("100.00").args(["--json", "--no-journal"]));
    let json = used.json();
    assert_eq!((used.code, outcome(&json)), (1, ("not_captured", "key_used")), "{used:?}");
    assert!(json["says"].as_str().unwrap().contains("used with another payload"), "{used:?}");
    assert_eq!(json["new_key"].as_str(), again.last().copied(), "everybody gets the same key");
    assert!(server.transcript().len() < 16, "it is not sent for two minutes");

    let mut corrected = again.clone();
    corrected[3] = "100.00";
    let captured = run(capture_at(&server, &corrected).arg("--json"));
    let json = captured.json();
    assert_eq!((captured.code, &json["amount_verified"]), (0, &json!(true)), "{captured:?}");
    assert_eq!(json["new_key"], json!(null));
}

/// The API's reason is shown: at most three entries in a sentence, all of them as JSON.
#[test]
fn the_apis_reason_is_shown() {
    let error = |n: usize| json!({ "detail": format!("d{n}"), "code": format!("c{n}"), "source": { "pointer": format!("/p{n}") } });
    let body = json!({ "status": "FAILED", "success": true, "errors": [error(1), error(2), error(3), error(4)], "responseMessage": "r", "responseCode": "2001" });
    let server = server();
    let order = order(&server).to_string();
    let answer = || Answer::new(200).body(body.to_string());
    server.script(Script::status(answer()).on(Operation::Capture).times(2));
    let text = simple(&server, &order, &[]);
    let says = "the API says FAILED: /p1: d1 (c1); /p2: d2 (c2); /p3: d3 (c3), and 2 more";
    assert_eq!(text.stdout.lines().nth(1), Some(&*format!("  {says}")), "{text:?}");
    assert!(!text.stdout.contains("reply:"), "its reason was read: {text:?}");

    let confirmed = simple(&server, &order, &["--json"]);
    server.script(Script::status(answer()).on(Operation::Capture).then(lookups_fail()));
    let unconfirmed = simple(&server, &super::command::order(&server).to_string(), &["--json"]);
    let coded = |n: usize| json!({ "message": format!("d{n}"), "code": format!("c{n}"), "field": format!("/p{n}") });
    let last = json!({ "message": "r", "code": "2001" });
    let errors = json!([coded(1), coded(2), coded(3), coded(4), last]);
    for (told, code) in [(confirmed, 1), (unconfirmed, 3)] {
        assert_eq!((told.code, &told.json()["errors"]), (code, &errors), "{told:?}");
    }
}

/// A reply whose reason could not be read reaches the operator, short and escaped.
#[test]
fn a_reply_without_a_known_reason_is_shown() {
    let server = server();
    let [first, second, paid] = [order(&server), order(&server), order(&server)];
    let answer =
        || Answer::new(418).body("{\"why\":\"tea\u{1b}[2J\"}").header("content-type", "text/plain");
    server.script(Script::status(answer()).on(Operation::Capture).times(18).then(lookups_fail()));
    let shown = r#"{"why":"tea\u{1b}[2J"}"#;
    let text = simple(&server, &first.to_string(), &[]);
    assert_eq!(text.code, 3, "{text:?}");
    assert!(text.stdout.contains(&format!("\n  reply: {shown}\n")), "{text:?}");
    let json = simple(&server, &second.to_string(), &["--json"]).json();
    let replies: Vec<&Value> =
        json["attempts"].as_array().unwrap().iter().map(|attempt| &attempt["reply"]).collect();
    assert!(replies.contains(&&json!(shown)), "{json}");
    assert!(json["errors"].as_array().unwrap().is_empty());

    // The order has answered since.
    server.clear_script();
    server.script(Script::status(answer()).on(Operation::Capture));
    assert!(server.set_order_status(paid, OrderStatus::Completed));
    let text = simple(&server, &paid.to_string(), &[]);
    assert_eq!((text.code, text.stdout.contains("reply:")), (0, false), "{text:?}");
}

/// The same key for two orders, and a server that repeats its reply to a key, whatever it came with.
#[test]
fn a_key_used_for_two_orders_is_not_believed() {
    let server = server();
    let orders = [order(&server).to_string(), order(&server).to_string()];
    let key = ["--key", "1d120e99-7a63-4210-98dc-78f56fde12cf", "--json"];
    let first = simple(&server, &orders[0], &key);
    assert_eq!(outcome(&first.json()), ("captured", "order_status"), "{first:?}");
    let repeated = Answer::new(200).body(r#"{"status":"SUCCESS","success":true}"#);
    server.script(Script::status(repeated).on(Operation::Capture).times(9));
    let deadline = [&key[..], &["--deadline", "2"]].concat();
    let second = simple(&server, &orders[1], &deadline);
    assert_eq!(second.code, 3, "{second:?}");
    assert_eq!(outcome(&second.json()), ("unknown", "unproven_key"));
    let operations = operations(&second.json()).join(" ");
    assert!(operations.starts_with("capture lookup"), "{operations}");
    assert_eq!(operations.matches("capture").count(), 1, "never sent again: {operations}");
    assert_eq!(second.json()["obstacle"], json!({ "not_sent_again": "answered" }));
}

#[test]
fn an_unknown_order_is_not_captured() {
    let server = server();
    let run = simple(&server, "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81", &["--json"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(run.json()["outcome"], "not_captured");
}

#[test]
fn unknown() {
    each_transport(|transport| {
        let server = server();
        let order = order(&server);
        server.script(Script::close_before().times(9).then(lookups_fail()));
        let run = simple(&server, &order.to_string(), &["--json", "--transport", transport]);
        let json = run.json();
        assert_eq!(run.code, 3, "{transport}: {run:?}");
        assert_eq!(outcome(&json), ("unknown", "no_reply"));
        assert_eq!(operations(&json), ["capture", "lookup"]);
        assert_eq!(json["attempts"][1]["phase"], "maybe_sent");
        assert_eq!(json["obstacle"], json!({ "lookup": { "status": 500 } }));
        assert!(json["next_step"].as_str().unwrap().starts_with("Money may have moved."));
    });
}

#[test]
fn a_lost_reply_is_settled_by_evidence() {
    each_transport(|transport| {
        let server = server();
        let order = order(&server);
        server.script(Script::lost_reply());
        let run = simple(&server, &order.to_string(), &["--json", "--transport", transport]);
        let json = run.json();
        assert_eq!(run.code, 0, "{transport}: {run:?}");
        assert_eq!(outcome(&json), ("captured", "order_status"));
        assert_eq!(operations(&json), ["capture", "lookup"]);
        let amounts = (&json["captured_amount"], &json["amount_verified"]);
        assert_eq!(amounts, (&Value::Null, &json!(false)), "a status shows no amount");
        assert_eq!(server.ledger().captures(order), 1);
    });
}

#[test]
fn a_second_run_finds_the_first_one() {
    let server = server();
    let order = order(&server);
    for record in [false, true] {
        let run = simple(&server, &order.to_string(), &[]);
        assert_eq!(run.code, 0, "{run:?}");
        let lines: Vec<&str> = run.stdout.lines().collect();
        let recorded =
            lines[2].starts_with("  recorded 2") && lines[2].ends_with("Z; nothing was sent now");
        assert_eq!(recorded, record, "{run:?}");
    }
    assert_eq!((server.ledger().captures(order), server.transcript().len()), (1, 2));
}

/// The amount asked for is never shown as the amount captured. (With a journal it is refused.)
#[test]
fn a_wrong_amount_of_a_captured_order_is_not_called_captured() {
    let server = server();
    let order = order(&server).to_string();
    assert_eq!(simple(&server, &order, &[]).code, 0);
    for (amount, currency, code, caveat) in
        [("99.00", "USD", 0, Value::Null), ("10", "JPY", 3, json!("other_currency"))]
    {
        let mut command = capture_at(&server, &["order", &order, "--amount", amount]);
        let told = run(command.args(["--currency", currency, "--no-journal"]));
        let first = told.stdout.lines().next().unwrap_or_default();
        let asked =
            format!("(asked for {amount} {currency}; the order's status does not show the amount)");
        assert_eq!(first, format!("captured  {order}  {asked}"), "{told:?}");
        assert_eq!(told.code, code, "{told:?}");
        let differs = "the order is Completed; it is in USD, not in the currency asked for";
        assert_eq!(told.stdout.contains(differs), code == 3, "{told:?}");
        let json = run(command.arg("--json")).json();
        assert_eq!(
            (&json["captured_amount"], &json["amount_verified"]),
            (&Value::Null, &json!(false))
        );
        let proof = json!({ "order": { "status": "completed", "currency": "USD" } });
        assert_eq!((&json["proof"], &json["caveat"]), (&proof, &caveat), "{json}");
    }
}

/// `capture ... && ship` must not ship what was refunded.
#[test]
fn a_refunded_order_is_not_shipped() {
    each_transport(|transport| {
        let server = server();
        let order = order(&server);
        assert!(server.set_order_status(order, OrderStatus::Returned));
        let flags = ["--json", "--transport", transport];
        let told = simple(&server, &order.to_string(), &flags);
        let json = told.json();
        assert_eq!(told.code, 3, "{transport}: {told:?}");
        assert_eq!(outcome(&json), ("captured", "refunded"));
        assert_eq!(json["caveat"], "refunded");
        assert!(json["next_step"].as_str().unwrap().starts_with("Do not ship"), "{json}");
    });
}

#[test]
fn flags_reach_the_machine() {
    let later = Answer::new(429).header("retry-after", "40");
    for (flags, answer, attempts) in [
        (&["--max-sends", "1"][..], Answer::new(429), &["capture"][..]),
        (&["--max-sends", "2"], Answer::new(429), &["capture", "capture"]),
        (&["--deadline", "30"], later, &["capture"]),
    ] {
        let server = server();
        let order = order(&server);
        server.script(Script::status(answer).times(9));
        let flags = [flags, &["--json"]].concat();
        let json = simple(&server, &order.to_string(), &flags).json();
        assert_eq!(operations(&json), attempts, "{flags:?}");
    }
    let server = server();
    let order = order(&server);
    let failed = Answer::new(200).body(r#"{"status":"FAILED","success":true}"#);
    server.script(Script::status(failed).on(Operation::Capture));
    let json = simple(&server, &order.to_string(), &["--confirmations", "1", "--json"]).json();
    assert_eq!(operations(&json), ["capture", "lookup"]);
}

#[test]
fn never_resend_looks_up_and_does_not_send_again() {
    let server = server();
    let order = order(&server);
    // The first lookup finds the order waiting; the second one fails.
    server.script(Script::close_before().then(lookups_fail().skip(1)));
    let run = simple(&server, &order.to_string(), &["--json", "--resend", "never"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert_eq!(operations(&run.json()), ["capture", "lookup", "lookup"]);
}

#[test]
fn the_attempt_timeout_cuts_a_hanging_reply() {
    each_transport(|transport| {
        let server = server();
        let order = order(&server);
        server.script(Script::delayed(std::time::Duration::from_secs(3600)));
        let flags = ["--json", "--attempt-timeout", "1", "--transport", transport];
        let run = simple(&server, &order.to_string(), &flags);
        assert_eq!(run.code, 0, "{transport}: {run:?}");
        assert_eq!(outcome(&run.json()), ("captured", "order_status"));
        assert_eq!(server.ledger().captures(order), 1);
    });
}

/// An order of 100.00 USD with further flags.
pub(crate) fn simple(server: &capture_sandbox::Server, order: &str, flags: &[&str]) -> Run {
    let mut command = capture_at(server, &["order", order, "--amount", "100.00"]);
    run(command.args(["--currency", "USD"]).args(flags))
}

/// Lookups fail and ask to come back after any deadline, so that no test waits.
pub(crate) fn lookups_fail() -> Script {
    let answer = Answer::new(500).header("retry-after", "3600");
    Script::status(answer).on(Operation::Order).times(1000)
}

pub(crate) fn outcome(json: &Value) -> (&str, &str) {
    (json["outcome"].as_str().unwrap(), json["code"].as_str().unwrap())
}

/// What was sent for the order; logins are left out.
pub(crate) fn operations(json: &Value) -> Vec<&str> {
    let attempts = json["attempts"].as_array().unwrap();
    let operations = attempts.iter().map(|attempt| attempt["operation"].as_str().unwrap());
    operations.filter(|operation| *operation != "login").collect()
}
