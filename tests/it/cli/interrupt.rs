//! Ctrl-C and SIGTERM: a capture ends at once, with its outcome and all its attempts, whatever hangs.

#![cfg(unix)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use capture_sandbox::Script;
use serde_json::json;

use super::command::{KEY, Run, SECRET, TRANSPORTS, capture, capture_at, order, server};
use super::order::{operations, outcome, simple};
use super::scenario::{self, stories};

/// No timeout of the command itself may end what the signal has to end.
pub(crate) const PATIENT: [&str; 4] = ["--attempt-timeout", "3600", "--deadline", "3600"];

const HANGS: Duration = Duration::from_secs(3600);

#[test]
fn an_interrupted_capture_is_unknown_and_can_be_resumed() {
    for (transport, signal) in TRANSPORTS.into_iter().zip(["INT", "TERM", "INT"]) {
        let server = server();
        let order = order(&server);
        let flags = ["--json", "--transport", transport];
        server.script(Script::close_before().then(Script::delayed(HANGS)));

        let mut command = capture_at(&server, &["order", &order.to_string()]);
        command.args(["--amount", "100.00", "--currency", "USD"]).args(flags).args(PATIENT);
        let child = started(&mut command);
        // The money moves, and then nothing comes.
        while server.ledger().captures(order) == 0 {
            thread::yield_now();
        }
        send(signal, child.id());
        let run = ended(child);
        let json = run.json();
        assert_eq!(run.code, 3, "{transport}: {run:?}");
        assert_eq!((outcome(&json), &json["cause"]), (("unknown", "no_reply"), &json!("stopped")));
        assert_eq!(operations(&json), ["capture", "lookup", "capture"], "{run:?}");
        let last = json["attempts"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["operation"], &last["phase"]), (&json!("capture"), &json!("maybe_sent")));
        let recorded = stories(&server, order).remove(0).entries.remove(0).outcome;
        assert_eq!(recorded.attempts().len(), 4, "the login as well: {recorded:?}");

        server.clear_script();
        let run = simple(&server, &order.to_string(), &flags);
        assert_eq!(run.code, 0, "{transport}: {run:?}");
        assert_eq!(operations(&run.json()), ["capture", "lookup", "capture", "lookup"]);
        assert_eq!(server.ledger().captures(order), 1);
    }
}

/// The login hangs: no capture was sent, and the journal knows it.
#[test]
fn an_interrupted_login_has_sent_nothing() {
    for (transport, signal) in TRANSPORTS.into_iter().zip(["TERM", "INT", "TERM"]) {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut command = capture(&["order", "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81", "--json"]);
        command.args(["--amount", "100.00", "--currency", "USD", "--transport", transport]);
        command.args(PATIENT);
        command.env("CAPTURE_APP_KEY", KEY).env("CAPTURE_APP_SECRET", SECRET);
        command.env("CAPTURE_ENVIRONMENT", format!("http://{}", silent.local_addr().unwrap()));
        let child = started(&mut command);
        let (mut login, _) = silent.accept().unwrap();
        login.read_exact(&mut [0; 20]).unwrap();
        send(signal, child.id());
        let run = ended(child);
        let json = run.json();
        assert_eq!((run.code, outcome(&json)), (2, ("nothing_done", "never_sent")), "{run:?}");
        assert_eq!((&json["cause"], &json["attempts"]), (&json!("stopped"), &json!([])));
        assert!(json["says"].as_str().unwrap().contains("no capture was sent"), "{run:?}");
    }
}

/// A wait ends as well: what was refused before it is in the record.
#[test]
fn an_interrupted_wait_keeps_its_attempts() {
    let server = server();
    let order = order(&server);
    server.script(Script::status(429).times(100));
    let mut command = capture_at(&server, &["order", &order.to_string(), "--json"]);
    command.args(["--amount", "100.00", "--currency", "USD", "--max-sends", "100"]);
    let child = started(command.args(PATIENT));
    while server.transcript().len() < 3 {
        thread::yield_now();
    }
    send("TERM", child.id());
    let run = ended(child);
    let json = run.json();
    assert!(operations(&json).len() >= 2, "{run:?}");
    assert_eq!(server.ledger().captures(order), 0);
}

/// The outcome cannot be written, because nobody reads: the second signal ends the process.
#[cfg(target_os = "linux")]
#[test]
fn a_second_signal_ends_a_process_that_hangs_in_a_pipe() {
    let server = server();
    let order = order(&server);
    server.script(Script::close_before().then(Script::delayed(HANGS)));
    let (reader, mut writer) = std::io::pipe().unwrap();
    // Exactly what such a pipe holds.
    writer.write_all(&[b'x'; 64 * 1024]).unwrap();
    let mut command = capture_at(&server, &["order", &order.to_string(), "--json"]);
    command.args(["--amount", "100.00", "--currency", "USD"]).args(PATIENT);
    command.stdout(writer).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    while server.ledger().captures(order) == 0 {
        thread::yield_now();
    }
    send("TERM", child.id());
    // The outcome is recorded, and printed after that.
    while stories(&server, order)[0].entries.is_empty() {
        thread::sleep(Duration::from_millis(20));
    }
    send("TERM", child.id());
    assert_eq!(guarded(child).status.code(), Some(3));
    drop(reader);
}

/// It hangs before anything is decided, and a killed process knows nothing: that is "unknown".
#[cfg(target_os = "linux")]
#[test]
fn a_second_signal_before_the_outcome_is_unknown() {
    let server = server();
    let order = order(&server);
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&[b'x'; 64 * 1024]).unwrap(); // so that not even the first line is written
    let mut command = capture_at(&server, &["order", &order.to_string()]);
    command.args(["--amount", "100.00", "--currency", "USD"]).stderr(writer);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    while !catches_signals(child.id()) {
        thread::yield_now();
    }
    // Two signals that come at once are one, so it gets some more, for a minute.
    let status = (0..3_000).find_map(|_| {
        send("TERM", child.id());
        thread::sleep(Duration::from_millis(20));
        child.try_wait().unwrap()
    });
    assert_eq!(status.expect("the second one ends it").code(), Some(3));
    assert_eq!(server.transcript().len(), 0, "it hung before it sent anything");
    drop(reader);
}

/// Whether SIGTERM no longer just ends this process.
#[cfg(target_os = "linux")]
fn catches_signals(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & (1 << 14) != 0
}

pub(crate) fn started(command: &mut Command) -> Child {
    scenario::note(command, None);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

pub(crate) fn ended(child: Child) -> Run {
    Run::of(guarded(child))
}

/// The output of a process that has to end by itself; one that hangs is killed, which is an error.
fn guarded(child: Child) -> std::process::Output {
    let (id, (done, over)) = (child.id(), mpsc::channel::<()>());
    let watchdog = thread::spawn(move || {
        if over.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
            send("KILL", id);
        }
    });
    let output = child.wait_with_output().unwrap();
    drop(done);
    watchdog.join().unwrap();
    output
}

pub(crate) fn send(signal: &str, process: u32) {
    let kill = Command::new("kill").args([&format!("-{signal}"), &process.to_string()]).status();
    assert!(kill.unwrap().success());
}
