//! What stands in the way, in text and JSON: of a login, of a connection, of a lookup; and when to
//! look again. Wrong credentials are blamed only when they are refused.

use std::time::{Duration, SystemTime};

use capture_sandbox::{Answer, Operation, Sandbox, Script};
use serde_json::{Value, json};

use super::command::{KEY, SECRET, capture, capture_at, each_transport, order, run, server};
use super::order::{lookups_fail, operations, outcome, simple};

const ORDER: [&str; 7] = [
    "order",
    "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81",
    "--amount",
    "1",
    "--currency",
    "USD",
    "--json",
];

const PAGE: &str = "<html>Please verify that you are human</html>";

fn page(status: u16) -> Answer {
    Answer::new(status).header("content-type", "text/html").body(PAGE)
}

/// A login that fails leaves the order alone, and each cause has its name, its advice and its wait.
#[test]
fn a_failed_login_names_its_cause() {
    let later = |status| Answer::new(status).header("retry-after", "3600");
    for (answer, cause, wait, advice) in [
        (Answer::new(400), "credentials_refused", None, "Check the app key and secret"),
        (page(404), "login_not_the_api", None, "Check the environment"),
        (page(403), "login_blocked", None, "firewall"),
        (page(503).header("retry-after", "3600"), "login_page", Some(3600), "firewall"),
        (later(503), "login_unavailable", Some(3600), "Wait"),
        (later(429), "login_throttled", Some(3600), "Wait"),
        (Answer::new(200).body("{}"), "login_without_token", None, "URL"),
    ] {
        each_transport(|transport| {
            let server = server();
            server.script(Script::status(answer.clone()).on(Operation::Token).times(9));
            let mut command = capture_at(&server, &ORDER);
            let told = run(command.args(["--transport", transport]));
            let json = told.json();
            assert_eq!((told.code, outcome(&json)), (2, ("nothing_done", cause)), "{told:?}");
            assert_eq!((&json["cause"], &json["retry_after_s"]), (&json!(cause), &json!(wait)));
            let next = json["next_step"].as_str().unwrap();
            assert!(next.contains(advice) && next.contains("the same key"), "{next}");
            assert_eq!(next.contains("secret"), cause == "credentials_refused", "{next}");
            assert!(!next.contains("earlier run"), "the journal knows of none: {next}");

            let plain = run(capture_at(&server, &ORDER[..6]).args(["--transport", transport]));
            let lines: Vec<&str> = plain.stdout.lines().collect();
            assert!(lines[0].starts_with("nothing done  "), "{plain:?}");
            assert!(lines[3].contains(advice), "{plain:?}");
            let waits = lines.get(4).copied();
            assert_eq!(waits, wait.map(|_| "  the API asked to wait 3600 s"), "{plain:?}");
            assert!(!plain.stdout.contains("not captured"), "{plain:?}");
        });
    }
}

/// What kept the request here has a name and advice of its own, with a login and without.
#[test]
fn a_request_that_was_not_sent_names_its_cause() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plain = server();
    let plain_port = plain.plain_url().replace("http:", "https:");
    let secured = Sandbox::builder().tls().start().unwrap();
    // A label of more than 63 bytes: no resolver asks anybody about it.
    let nowhere = format!("https://{}.invalid", "a".repeat(70));
    for (url, cause, advice) in [
        (format!("http://{closed}"), "connection_refused", "nothing listens there"),
        (nowhere, "name_not_resolved", "Check the host name"),
        (plain_port, "not_tls", "Check the port"),
        (secured.base_url(), "certificate", "trust its authority"),
    ] {
        each_transport(|transport| {
            for (variables, code) in [
                (&[("CAPTURE_TOKEN", "canary.token")][..], "never_sent"),
                (&[("CAPTURE_APP_KEY", KEY), ("CAPTURE_APP_SECRET", SECRET)], "login_not_sent"),
            ] {
                let mut command = capture(&ORDER);
                command.args(["--max-sends", "1", "--transport", transport]);
                command.env("CAPTURE_ENVIRONMENT", &url).envs(variables.iter().copied());
                let told = run(&mut command);
                let json = told.json();
                assert_eq!((told.code, outcome(&json)), (2, ("nothing_done", code)), "{told:?}");
                assert_eq!(json["cause"], cause, "{told:?}");
                let next = json["next_step"].as_str().unwrap();
                assert!(next.contains(advice) && next.contains("the same key"), "{told:?}");

                let mut status = capture(&["status", ORDER[1], "--json"]);
                status.args(["--transport", transport]);
                status.env("CAPTURE_ENVIRONMENT", &url).envs(variables.iter().copied());
                let told = run(&mut status);
                assert_eq!((told.code, &told.json()["cause"]), (1, &json!(cause)), "{told:?}");
            }
        });
    }
}

/// Each transport is the one that was asked for: a refused connection is told in its library's words.
#[test]
fn the_transport_is_the_chosen_one() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (all, hyper) = ("error sending request: client error (Connect)", "client error (Connect)");
    for (transport, begins) in [("reqwest", all), ("ureq", "Connection refused"), ("hyper", hyper)]
    {
        let order = [&ORDER[..], &["--max-sends", "1"]].concat();
        for arguments in [&order[..], &["status", ORDER[1], "--json"]] {
            let mut command = capture(arguments);
            command.env("CAPTURE_ENVIRONMENT", format!("http://{closed}"));
            command.env("CAPTURE_TOKEN", "canary.token").args(["--transport", transport]);
            let told = run(&mut command);
            let json = told.json();
            let says = json["says"].as_str().or(json["error"].as_str()).unwrap();
            assert!(says.contains(begins), "{transport}: {says}");
            assert_eq!(says.contains(all), transport == "reqwest", "{transport}: {says}");
            assert_eq!(says.contains(hyper), transport != "ureq", "{transport}: {says}");
        }
    }
}

/// An unknown outcome says what blocks the lookup, and when to look again.
#[test]
fn an_unknown_outcome_names_what_blocks_it() {
    let later = |status| Answer::new(status).header("retry-after", "900");
    for (answer, cause, wait, advice) in [
        (Answer::new(403), "lookup_refused", None, "may read orders"),
        (later(429), "lookup_throttled", Some(900), "Wait as long as the API asks"),
        (Answer::new(500), "lookup_unavailable", None, "Wait until the API works again"),
        (later(503), "lookup_unavailable", Some(900), "Wait until the API works again"),
    ] {
        let server = server();
        let order = order(&server);
        let lookups = Script::status(answer).on(Operation::Order).times(1000);
        server.script(Script::close_before().times(9).then(lookups));
        let told = simple(&server, &order.to_string(), &["--json", "--deadline", "2"]);
        let json = told.json();
        assert_eq!((told.code, outcome(&json)), (3, ("unknown", "no_reply")), "{told:?}");
        assert_eq!((&json["cause"], &json["retry_after_s"]), (&json!(cause), &json!(wait)));
        let due = Duration::from_millis(json["due_at_ms"].as_u64().unwrap());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let soon = Duration::from_secs(wait.unwrap_or(8));
        assert!(due > now.saturating_sub(soon) && due <= now + soon, "{due:?}: {told:?}");
        let next = json["next_step"].as_str().unwrap();
        assert!(next.starts_with("Money may have moved. Do not use a new key."), "{next}");
        assert!(next.contains(advice), "{next}");

        server.script(Script::close_before().times(9));
        let plain = simple(&server, &order.to_string(), &["--deadline", "2"]);
        let last = plain.stdout.lines().last().unwrap();
        assert!(last.starts_with("  look again after "), "{plain:?}");
        assert_eq!(last.ends_with(" GMT: the API asked to wait 900 s"), wait.is_some(), "{last}");
    }
}

/// A resumed capture that cannot log in says what blocks it now, not what happened back then.
#[test]
fn a_resumed_capture_that_cannot_log_in_says_so() {
    for (login, cause, says) in [
        (page(404), "login_not_the_api", "something that is not the API (status 404)"),
        (Answer::new(400), "credentials_refused", "refused the credentials"),
    ] {
        let server = server();
        let order = order(&server).to_string();
        let flags = ["--json"];
        server.script(Script::close_before().times(9).then(lookups_fail()));
        assert_eq!(simple(&server, &order, &flags).code, 3);
        server.script(Script::status(login).on(Operation::Token).times(9));
        for _ in 0..2 {
            let told = simple(&server, &order, &flags);
            let json = told.json();
            assert_eq!((told.code, outcome(&json)), (3, ("unknown", "no_reply")), "{told:?}");
            assert_eq!(json["cause"], cause, "{told:?}");
            assert!(json["says"].as_str().unwrap().contains(says), "{told:?}");
            assert_ne!(json["obstacle"], Value::Null);
            assert_eq!(operations(&json)[0], "capture", "the record goes on");
        }
    }
}

/// A server that does not read the literal content type: the advice names the switch, under the
/// literal only, and keeps the key.
#[test]
fn a_body_that_was_not_read_names_the_content_type() {
    let problem = |status: u16, what: &str| {
        let body = json!({ "title": "t", "status": status, "errors": [what] });
        Answer::new(status).body(body.to_string())
    };
    let fastify = json!({ "statusCode": 415, "message": "Unsupported Media Type" }).to_string();
    for (answer, code, is_unread) in [
        (problem(415, "Supported content types: application/json"), 1, true),
        (problem(422, "Request body is required"), 1, true),
        (Answer::new(415).body(fastify), 3, true),
        (problem(400, "card expired"), 1, false),
    ] {
        for (flags, is_literal) in
            [(&["--json"][..], true), (&["--json", "--content-type", "application/json"], false)]
        {
            let server = server();
            let order = order(&server).to_string();
            server.script(Script::status(answer.clone()).times(9).then(if code == 3 {
                lookups_fail()
            } else {
                Script::default()
            }));
            let told = simple(&server, &order, flags);
            assert_eq!(told.code, code, "{told:?}");
            let json = told.json();
            let next = json["next_step"].as_str().unwrap();
            let advised = is_unread && is_literal;
            assert_eq!(next.contains("--content-type application/json"), advised, "{next}");
            assert_eq!(next.contains("ContentType::Json"), advised, "{next}");
            assert!(!advised || !next.contains("with a new key"), "{next}");

            // The advice works: the record of such a refusal does not answer for the same key.
            if code == 1 && advised {
                server.clear_script();
                let json = ["--json", "--content-type", "application/json"];
                let again = simple(&server, &order, &json);
                assert_eq!(again.code, 0, "{again:?}");
                assert_eq!(again.json()["idempotency_key"], told.json()["idempotency_key"]);
            }
        }
    }
}
