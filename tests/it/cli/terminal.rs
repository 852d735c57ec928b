//! What a terminal, a pipe and a reader of help get: safe text, and no panic.

use std::fs;
use std::process::Stdio;

use capture_sandbox::{Answer, Operation, Script};
use serde_json::json;

use super::command::{Run, capture, capture_at, directory, each_transport, order, run, server};
use super::order::{lookups_fail, simple};

const ORDER: [&str; 6] =
    ["order", "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81", "--amount", "100.00", "--currency", "USD"];

#[test]
fn a_dry_run_shows_the_request_and_sends_nothing() {
    let server = server();
    let url = format!("{}/v1/capture", server.base_url().trim_end_matches("/v1"));
    let body = r#"{"idempotencyKey":"fe01d52b-4545-5e48-9327-be11f353a985","orderId":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","amount":10000,"currency":"USD"}"#;
    let headers = [
        ("authorization", "Bearer ***"),
        ("accept", "application/json"),
        ("content-type", "application/*+json"),
        ("user-agent", concat!("capture/", env!("CARGO_PKG_VERSION"))),
        ("accept-encoding", "identity"),
        ("connection", "close"),
    ];
    // With credentials and without: they are not read.
    let mut without = capture(&ORDER);
    without.env("CAPTURE_ENVIRONMENT", server.base_url());
    for mut command in [capture_at(&server, &ORDER), without] {
        let plain = run(command.arg("--dry-run"));
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        assert_eq!((plain.code, plain.stderr.as_str()), (0, ""));
        assert_eq!(plain.stdout, format!("POST {url}\n{lines}\n{body}\n"));
        let told = run(command.arg("--json"));
        let headers: serde_json::Map<_, _> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let expect = json!({ "method": "POST", "url": url, "headers": headers, "body": body });
        assert_eq!((told.code, told.json()), (0, expect));
    }
    let mut plain = capture(&ORDER);
    plain.args(["--dry-run", "--environment", "production", "--content-type", "application/json"]);
    let run = run(plain.args(["--key", "11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81"]));
    assert!(run.stdout.starts_with("POST https://api.flex-charge.com/v1/capture\n"), "{run:?}");
    assert!(run.stdout.contains("\ncontent-type: application/json\n"), "{run:?}");
    assert!(run.stdout.contains(r#"{"idempotencyKey":"11111111-"#), "{run:?}");
    assert_eq!(server.transcript().len(), 0);
}

#[test]
fn control_characters_from_the_network_never_arrive_raw() {
    // Escape, the one-byte form of "ESC [", a bidirectional override, a line break.
    let hostile = "paid\u{1b}[2J\u{9b}31m\u{202e}\r\nSUCCESS";
    let body = json!({ "status": "FAILED", "success": true, "errors": [hostile] }).to_string();
    let problem = json!({ "title": hostile, "status": 404, "errors": { hostile: [hostile] } });
    each_transport(|transport| {
        let word = json!({ "status": hostile, "success": true }).to_string();
        for answer in [
            Answer::new(200).body(body.clone()),
            Answer::new(400).body(problem.to_string()),
            Answer::new(200).body(word),
            Answer::new(307).header("location", "https://evil.example/\u{9b}31m"),
        ] {
            for flags in [&["--transport", transport][..], &["--transport", transport, "--json"]] {
                let server = server();
                let order = order(&server).to_string();
                server.script(Script::status(answer.clone()).then(lookups_fail()));
                let run = safe(simple(&server, &order, flags));
                assert_ne!(run.code, 0, "{run:?}");
            }
        }
        let server = server();
        let answer = Answer::new(404).body(problem.to_string());
        server.script(Script::status(answer).on(Operation::Order).times(2));
        for flags in [&["--transport", transport][..], &["--transport", transport, "--json"]] {
            let run = safe(run(capture_at(&server, &["status", ORDER[1]]).args(flags)));
            assert!(run.stderr.contains(r"paid\u{1b}[2J"), "{run:?}");
        }
    });
}

fn safe(run: Run) -> Run {
    for text in [&run.stdout, &run.stderr] {
        let unsafe_one = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(unsafe_one), "{run:?}");
        assert!(!text.contains("\nSUCCESS"), "{run:?}");
    }
    run
}

#[test]
fn a_closed_pipe_changes_no_exit_code() {
    let server = server();
    let captured = order(&server).to_string();
    let refused = order(&server).to_string();
    for (arguments, code) in [
        (&["order", &captured, "--amount", "100.00", "--currency", "USD"][..], 0),
        (&["order", &captured, "--amount", "100.00", "--currency", "USD", "--json"], 0),
        (&["order", &refused, "--amount", "99.00", "--currency", "USD"], 1),
        (&["order", "nonsense", "--amount", "99.00", "--currency", "USD", "--json"], 2),
        (&["order", &captured, "--amount", "100.00", "--currency", "USD", "--dry-run"], 0),
        (&["status", &captured], 0),
        (&["explain", &captured], 0),
        (&["completions", "bash"], 0),
        (&["man"], 0),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["demo"], 0),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = capture_at(&server, arguments);
        let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let run = Run::of(child.wait_with_output().unwrap());
        assert_eq!(run.code, code, "{arguments:?}: {run:?}");
    }
}

/// A disk that is full: what only prints was not done, and an order keeps its outcome.
#[cfg(target_os = "linux")]
#[test]
fn what_could_not_be_printed_is_not_done_and_is_said_once() {
    let server = server();
    let captured = order(&server).to_string();
    for (arguments, code) in [
        (&["order", &captured, "--amount", "100.00", "--currency", "USD"][..], 0),
        (&["order", &captured, "--amount", "100.00", "--currency", "USD", "--dry-run"], 1),
        (&["status", &captured], 1),
        (&["status", &captured, "--json"], 1),
        (&["explain", &captured], 1),
        (&["explain", &captured, "--json"], 1),
        (&["completions", "bash"], 1),
        (&["man"], 1),
        (&["--help"], 1),
        (&["order", "--help"], 1),
        (&["--version"], 1),
        (&["demo"], 1),
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = capture_at(&server, arguments);
        let child = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let run = Run::of(child.wait_with_output().unwrap());
        assert_eq!(run.code, code, "{arguments:?}: {run:?}");
        assert_eq!(run.stderr.matches("stdout cannot be written").count(), 1, "{run:?}");
    }
}

#[test]
fn stderr_may_be_closed_as_well() {
    let server = server();
    let order = order(&server).to_string();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = capture_at(&server, &["order", &order, "--amount", "100.00"]);
    let child = command.args(["--currency", "USD"]).stderr(writer).stdout(Stdio::piped());
    let run = Run::of(child.spawn().unwrap().wait_with_output().unwrap());
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.starts_with("captured"), "{run:?}");
}

#[test]
fn help_version_completions_and_man_pages() {
    for (arguments, expect) in [
        (
            &["--help"][..],
            &["CAPTURE_ENVIRONMENT", "Exit codes:", "3  unknown", "capture demo"][..],
        ),
        (
            &["order", "--help"],
            &["--journal <FILE>", "--no-journal", "Exit codes:", "idempotency_key", "exit code 3"],
        ),
        (&["status", "-h"], &["status_name"]),
        (&["explain", "-h"], &["--bundle <FILE>", "blocked_by"]),
        (&["sandbox", "-h"], &["127.0.0.1:8787", "base_url"]),
        (
            &["work", "--help"],
            &["--health <ADDRESS:PORT>", "WATCHDOG=1", "/metrics", "Exit codes:"],
        ),
        (&["--version"], &[env!("CARGO_PKG_VERSION")]),
        (&["completions", "bash"], &["_capture()", "--currency"]),
        (&["completions", "zsh"], &["#compdef capture"]),
        (&["completions", "fish"], &["complete -c capture"]),
        (&["completions", "powershell"], &["Register-ArgumentCompleter"]),
        (&["completions", "elvish"], &["edit:completion"]),
        (&["journal", "-h"], &["verify", "has_head", "30 days"]),
        (&["journal", "prune", "-h"], &["--before <DAY>"]),
        (
            &["man"],
            &[
                ".TH capture 1",
                ".TH capture-order 1",
                ".TH capture-journal-verify 1",
                "Exit codes:",
            ],
        ),
    ] {
        let run = run(&mut capture(arguments));
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{arguments:?}: {run:?}");
        for text in expect {
            assert!(run.stdout.contains(text), "{arguments:?} lacks {text}: {}", run.stdout);
        }
        assert!(!run.stdout.contains('\u{1b}'), "no colour in a pipe");
    }
    let directory = directory("man-pages").join("made/by/the/command");
    let run = run(capture(&["man", "--dir"]).arg(&directory));
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    let names = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    let journal = ["-backup", "-check", "-export", "-import", "-prune", "-verify", ""];
    let commands =
        ["completions", "demo", "due", "explain"].map(|name| format!("-{name}")).into_iter();
    let commands = commands.chain(journal.map(|name| format!("-journal{name}")));
    let rest = [
        "-man", "-order", "-plan", "-report", "-results", "-run", "-runs", "-sandbox", "-settle",
        "-status", "-work", "",
    ];
    let rest = rest.map(str::to_owned);
    let expect = commands.chain(rest).map(|name| format!("capture{name}.1"));
    assert_eq!(names, expect.collect::<Vec<_>>());
}
