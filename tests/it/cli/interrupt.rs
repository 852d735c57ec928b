//! Ctrl-C: a capture in flight ends as unknown, a sandbox just stops.

#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use capture_sandbox::Script;

use super::command::{Run, TRANSPORTS, capture_at, directory, order, server};
use super::order::{operations, outcome, simple};

#[test]
fn an_interrupted_capture_is_unknown_and_can_be_resumed() {
    for (transport, signal) in TRANSPORTS.into_iter().zip(["INT", "TERM", "INT"]) {
        let server = server();
        let order = order(&server);
        let file = directory(&format!("interrupt-{transport}")).join("order.ticket");
        let flags = ["--json", "--transport", transport, "--ticket", file.to_str().unwrap()];
        server.script(Script::delayed(Duration::from_secs(3600)).times(1000));

        let mut command = capture_at(&server, &["order", &order.to_string()]);
        command.args(["--amount", "100.00", "--currency", "USD"]).args(flags);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The line with the key comes before the first send; whether that happened does not matter.
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        send(signal, child.id());
        let mut output = child.wait_with_output().unwrap();
        output.stderr.extend(line.into_bytes());
        stderr.read_to_end(&mut output.stderr).unwrap();

        let run = Run::of(output);
        assert_eq!(run.code, 3, "{transport}: {run:?}");
        assert_eq!(outcome(&run.json()), ("unknown", "interrupted"));

        server.clear_script();
        let run = simple(&server, &order.to_string(), &flags);
        assert_eq!(run.code, 0, "{transport}: {run:?}");
        assert_eq!(operations(&run.json())[0], "lookup");
        assert_eq!(server.ledger().captures(order), 1);
        assert!(!file.exists());
    }
}

pub(crate) fn send(signal: &str, process: u32) {
    let kill = Command::new("kill").args([&format!("-{signal}"), &process.to_string()]).status();
    assert!(kill.unwrap().success());
}
