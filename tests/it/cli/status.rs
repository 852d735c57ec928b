//! `capture status`: what it prints, and what it prints when it cannot know.

use std::fs;
use std::process::Command;
use std::time::Duration;

use capture_core::OrderStatus;
use capture_sandbox::{Answer, Operation, Script, Server};
use serde_json::json;

use super::command::{
    KEY, SECRET, capture, capture_at, directory, each_transport, order, run, server,
};
use super::order::{lookups_fail, simple};

#[test]
fn each_status_through_each_transport() {
    each_transport(|transport| {
        let server = server();
        let order = order(&server);
        for (status, number, name, next) in [
            (
                OrderStatus::CaptureRequired,
                5,
                "Capturerequired",
                "Not captured yet; capture it before its window ends.",
            ),
            (OrderStatus::Completed, 7, "Completed", "It is captured."),
            (
                OrderStatus::Cancelled,
                2,
                "Cancelled",
                "It is cancelled or voided and can no longer be captured.",
            ),
            (OrderStatus::Draft, 0, "Draft", "It is not decided yet; ask again later."),
            (OrderStatus::OnHold, 1, "Onhold", "It is not decided yet; ask again later."),
            (OrderStatus::Problem, 3, "Problem", "It needs FlexFactor's support."),
            (OrderStatus::Processing, 4, "Processing", "It is not decided yet; ask again later."),
            (OrderStatus::Returned, 6, "Returned", "It was captured and has since been refunded."),
        ] {
            assert!(server.set_order_status(order, status));
            let id = order.to_string();
            let mut command = capture_at(&server, &["status", &id, "--transport", transport]);
            let plain = run(&mut command);
            assert_eq!((plain.code, plain.stderr.as_str()), (0, ""), "{transport}: {plain:?}");
            assert_eq!(plain.stdout, format!("{name}  {id}  {next}\n"));
            let told = run(command.arg("--json"));
            assert_eq!((told.code, told.stderr.as_str()), (0, ""));
            let expect = json!({
                "order_id": id, "status": number, "status_name": name, "next_step": next,
                "journal": null
            });
            assert_eq!(told.json(), expect);
        }
    });
}

/// The reply comes after three seconds, for which this run does not wait.
#[test]
fn the_attempt_timeout_ends_a_status() {
    each_transport(|transport| {
        let server = server();
        let order = order(&server).to_string();
        server.script(Script::delayed(Duration::from_secs(3)).on(Operation::Order));
        let mut command = capture_at(&server, &["status", &order, "--json"]);
        command.args(["--transport", transport, "--attempt-timeout", "1"]);
        let told = run(&mut command);
        assert_eq!((told.code, &told.json()["cause"]), (1, &json!("no_reply")), "{told:?}");
    });
}

#[test]
fn a_status_that_cannot_be_read() {
    let id = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";
    let odd = format!(r#"{{"id":"{id}","status":7,"statusName":"Cancelled"}}"#);
    let errors = r#"{"success":false,"errors":["a",{"item1":"b","item2":"c"},"d","e","f"]}"#;
    let throttled = || Script::status(Answer::new(429).header("retry-after", "900"));
    for (script, secret, cause, why, advice) in [
        (
            Some(Script::status(Answer::new(200).body(odd))),
            SECRET,
            "unreadable",
            r#"it contradicts itself: status is 7, statusName is "Cancelled""#,
            "FlexFactor's support",
        ),
        (
            Some(Script::status(Answer::new(400).body(errors))),
            SECRET,
            "refused",
            "the API says: a; the API says: b (c); the API says: d, and 2 more",
            "Check the order id",
        ),
        (None, SECRET, "refused", "", "Check the order id and the environment"),
        (None, "canary/other", "credentials_refused", "", "Check the app key and secret"),
        (Some(Script::status(500)), SECRET, "unavailable", "", "Wait"),
        (Some(throttled()), SECRET, "throttled", "", "Wait"),
        (Some(Script::status(204)), SECRET, "not_the_order", "", "URL leads to the API"),
        (Some(Script::close_before()), SECRET, "no_reply", "", "Check the network"),
        (Some(Script::status(401).times(3)), SECRET, "unauthorized", "", "Check the credentials"),
    ] {
        let server = server();
        if let Some(script) = script {
            server.script(script.on(Operation::Order));
        }
        let mut command = capture(&["status", id, "--json"]);
        command.env("CAPTURE_ENVIRONMENT", server.base_url());
        command.env("CAPTURE_APP_KEY", KEY).env("CAPTURE_APP_SECRET", secret);
        let run = run(&mut command);
        assert_eq!(run.code, 1, "{run:?}");
        let begin = format!("error: the status of order {id} could not be read: ");
        assert!(run.stderr.starts_with(&begin), "{run:?}");
        let (error, next) = run.stderr.split_once('\n').unwrap();
        let error = error.trim_start_matches("error: ");
        let next = next.trim_end().trim_start_matches("next: ");
        assert!(error.contains(why), "{why}: {run:?}");
        assert!(next.contains(advice), "{advice}: {run:?}");
        let wait = (cause == "throttled").then_some(900);
        let told = json!({
            "error": error, "field": null, "cause": cause, "retry_after_s": wait, "next_step": next,
            "journal": null
        });
        assert_eq!(run.json(), told);
    }
}

/// What the journal has of the order is one line more, whether the API answers or not.
#[test]
fn the_journal_is_quoted() {
    let server = server();
    let id = order(&server);
    server.script(Script::lost_reply().then(lookups_fail()));
    assert_eq!(simple(&server, &id.to_string(), &[]).code, 3);
    for (code, standing) in [(1, "unknown"), (0, "unknown"), (0, "captured")] {
        let asked = || capture_at(&server, &["status", &id.to_string()]);
        let (text, told) = (run(&mut asked()), run(asked().arg("--json")));
        assert_eq!(text.code, code, "{text:?}");
        let printed = format!("{}{}", text.stderr, text.stdout);
        let line = printed.lines().last().unwrap().trim_start().to_owned();
        let begin = format!("journal: {standing}, 100.00 USD, recorded 2");
        assert!(line.starts_with(&begin), "{begin}: {text:?}");
        let noted = &told.json()["journal"];
        let asked = (&noted["asked_amount"], &noted["asked_currency"]);
        assert_eq!(
            (&noted["standing"], asked),
            (&json!(standing), (&json!(10_000), &json!("USD")))
        );
        assert!(noted["recorded_at_ms"].is_u64() && noted["idempotency_key"].is_string());
        if code == 1 {
            server.clear_script();
        } else if standing == "unknown" {
            assert_eq!(simple(&server, &id.to_string(), &[]).code, 0);
        }
        let silent = run(asked_without(&server, &id.to_string()).arg("--json")).json();
        assert_eq!(silent["journal"], json!(null));
    }
}

fn asked_without(server: &Server, order: &str) -> Command {
    let mut command = capture_at(server, &["status", order]);
    command.arg("--no-journal");
    command
}

/// What is wrong with the journal does not keep the API from being asked, and no journal is made.
#[test]
fn a_broken_journal_is_a_warning() {
    let server = server();
    let id = order(&server).to_string();
    let place = directory("status-journal");
    fs::write(place.join("broken"), "a text").unwrap();
    for (name, lines) in [("broken", 1), ("absent", 0)] {
        let mut command = capture_at(&server, &["status", &id, "--journal"]);
        let told = run(command.arg(place.join(name)));
        assert_eq!((told.code, told.stderr.lines().count()), (0, lines), "{told:?}");
        assert_eq!(told.stderr.starts_with("warning: journal "), lines == 1, "{told:?}");
    }
    assert!(!place.join("absent").exists());
}
