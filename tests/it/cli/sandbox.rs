//! `capture sandbox` as a process of its own, as the README describes it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::command::{TRANSPORTS, capture, directory, run};

#[test]
fn one_shell_serves_and_another_captures() {
    let sandbox = Running::start(&[]);
    for transport in TRANSPORTS {
        let body = r#"{"amount": 10000, "currency": "USD"}"#;
        let order = sandbox.ask("POST", "/_sandbox/orders", body)["orderId"].clone();
        let order = order.as_str().unwrap();
        let mut command = sandbox.client(&["order", order, "--amount", "100.00"]);
        let captured = run(command.args(["--currency", "USD", "--transport", transport]));
        assert_eq!(captured.code, 0, "{transport}: {captured:?}");
        let status = run(&mut sandbox.client(&["status", order, "--transport", transport]));
        assert_eq!(status.code, 0, "{transport}: {status:?}");
        assert!(status.stdout.starts_with("Completed  "), "{status:?}");
        let ledger = sandbox.ask("GET", "/_sandbox/ledger", "");
        let entries = ledger["captures"].as_array().unwrap().iter();
        assert_eq!(entries.filter(|entry| entry["order"] == order).count(), 1, "{ledger}");
    }
}

#[test]
fn the_seed_decides_the_ids() {
    let order = |seed: &str| {
        let sandbox = Running::start(&["--seed", seed]);
        sandbox.ask("POST", "/_sandbox/orders", r#"{"amount": 10000, "currency": "USD"}"#)
    };
    let [first, again, other] = ["7", "7", "8"].map(|seed| order(seed)["orderId"].clone());
    assert!(first.is_string() && first == again && first != other, "{first} {again} {other}");
}

#[test]
fn a_script_makes_it_misbehave() {
    let sandbox = Running::start(&["--port", "0", "--script", "lost-reply", "--seed", "7"]);
    let body = r#"{"amount": 10000, "currency": "USD"}"#;
    let order = sandbox.ask("POST", "/_sandbox/orders", body)["orderId"].clone();
    let order = order.as_str().unwrap();
    let mut command = sandbox.client(&["order", order, "--amount", "100.00", "--json"]);
    let captured = run(command.args(["--currency", "USD"]));
    assert_eq!(captured.json()["code"], "order_status", "{captured:?}");

    let refused = run(&mut capture(&["sandbox", "--port", "0", "--script", "lost-replies"]));
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("is not a preset (lost-reply, "), "{refused:?}");

    let file = directory("script-marked").join("script.json");
    let name = file.to_str().unwrap();
    let long = format!("\u{feff}{{\"preset\": \"lost-reply\"}}{}", " ".repeat(100_000));
    std::fs::write(&file, long).unwrap();
    let sandbox = Running::start(&["--port", "0", "--script", name]);
    let rules = sandbox.ask("GET", "/_sandbox/script", "");
    assert_eq!(rules["rules"].as_array().unwrap().len(), 1, "{rules}");
    let endless = vec![b' '; 1024 * 1024 + 1];
    for (text, why) in [
        (&b"\xff\xfe{\0}\0"[..], "is in UTF-16; save it as UTF-8"),
        (&endless, "is larger than 1024 KiB"),
    ] {
        std::fs::write(&file, text).unwrap();
        let refused = run(&mut capture(&["sandbox", "--port", "0", "--script", name]));
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains(why), "{refused:?}");
    }
}

/// What reads the file of a batch reads this one, and what it says is true of the sandbox.
#[test]
fn its_orders_are_in_the_file_before_it_listens() {
    let folder = directory("sandbox-export");
    let [file, again] = ["one.csv", "two.csv"].map(|name| folder.join(name));
    let start = |file: &std::path::Path| {
        let file = file.to_str().unwrap();
        let orders = ["--orders", "12345", "--window", "10m..2h", "--seed", "7"];
        Running::start(&[&orders[..], &["--export", file]].concat())
    };
    let sandbox = start(&file);
    let mut rows = Vec::new();
    let opened = std::fs::File::open(&file).unwrap();
    let read = capture_bulk::read(opened, &capture_bulk::Options::default(), |row| {
        let reference = row.reference.map(str::to_owned);
        rows.push((row.capture, row.capture_before.expect("a time"), reference));
        Ok(())
    });
    assert_eq!(read.unwrap().rows, 12_345);
    assert_eq!(rows[12_344].2.as_deref(), Some("shop-0012345"));
    let summary = sandbox.ask("GET", "/_sandbox/summary", "");
    assert_eq!(summary["orders"], json!({ "CAPTUREREQUIRED": 12_345 }));

    let (last, seen) = (&rows[12_344], sandbox.ask("GET", "/_sandbox/orders", ""));
    let seen = seen["orders"].as_array().unwrap().last().unwrap().clone();
    let money = last.0.money();
    assert_eq!(seen["order"], json!(last.0.order_id()));
    assert_eq!(seen["amount"], json!(money.minor_units()));
    assert_eq!(seen["currency"], json!(money.currency().code()));
    let now = sandbox.ask("GET", "/_sandbox/clock", "")["now_ms"].as_u64().unwrap() / 1000;
    let until = last.1.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() - now;
    assert!(until.abs_diff(seen["seconds_left"].as_u64().unwrap()) <= 2, "{until} {seen}");
    assert!(rows.iter().all(|row| {
        let left = row.1.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() - now;
        (600 - 60..=7200).contains(&left)
    }));
    let amount = money.decimal();
    let order = last.0.order_id().to_string();
    let mut command = sandbox.client(&["order", &order, "--amount", &amount]);
    let captured = run(command.args(["--currency", money.currency().code()]));
    assert_eq!(captured.code, 0, "{captured:?}");

    // The seed decides all of it, except when the day begins.
    let _other = start(&again);
    let without_times = |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let cut = |line: &str| {
            let cells: Vec<_> = line.split(',').collect();
            [cells[0], cells[1], cells[2], cells[4]].join(",")
        };
        text.lines().map(cut).collect::<Vec<_>>()
    };
    assert_eq!(without_times(&file), without_times(&again));

    for (flags, why) in [
        (&["--export", "x.csv"][..], "--orders <N>"),
        (&["--orders", "0"], "0 is not in 1..=1000000"),
        (&["--orders", "1", "--window", "7d"], "window \"7d\": must be two lengths of time"),
        (&["--orders", "1", "--export", folder.to_str().unwrap()], "cannot be written"),
    ] {
        let refused = run(capture(&["sandbox", "--port", "0"]).args(flags));
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains(why), "{refused:?}");
    }
}

#[test]
fn with_tls_it_writes_the_authority_to_trust() {
    let file = std::env::temp_dir().join(format!("capture-authority-{}", std::process::id()));
    let sandbox = Running::start(&["--tls", file.to_str().unwrap()]);
    let pem = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
    assert!(sandbox.ready["base_url"].as_str().unwrap().starts_with("https://127.0.0.1:"));
    assert_eq!(sandbox.ask("GET", "/_sandbox/ledger", "")["captures"], json!([]));
    // The command trusts public authorities only, so it sends nothing, and says why.
    let order = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";
    let mut command = sandbox.client(&["order", order, "--amount", "1.00", "--currency", "USD"]);
    let refused = run(&mut command);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stdout.to_lowercase().contains("certificate"), "{refused:?}");

    let folder = std::env::temp_dir();
    let refused = run(&mut capture(&["sandbox", "--port", "0", "--tls", folder.to_str().unwrap()]));
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.starts_with("error: tls "), "{refused:?}");
}

#[test]
fn without_json_it_prints_lines_to_copy() {
    let mut child = capture(&["sandbox", "--listen", "127.0.0.1:0"]);
    let mut child = Stopped(child.stdout(Stdio::piped()).spawn().unwrap());
    let stdout = BufReader::new(child.0.stdout.take().unwrap());
    let mut lines = stdout.lines().map(Result::unwrap);
    let mut exports = Vec::new();
    let order = loop {
        let line = lines.next().expect("the line that captures").trim().to_owned();
        if let Some((name, value)) = line.strip_prefix("export ").and_then(|l| l.split_once('=')) {
            exports.push((name.to_owned(), value.trim_matches('\'').to_owned()));
        }
        if let Some(arguments) = line.strip_prefix("capture ") {
            break arguments.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        }
    };
    let order: Vec<&str> = order.iter().map(String::as_str).collect();
    let run = run(capture(&order).envs(exports));
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn an_address_that_cannot_be_bound_is_refused() {
    // Other machines are allowed in with a warning; this address is nobody's.
    let nobodys = ["sandbox", "--listen", "192.0.2.1:0", "--allow-remote"];
    let refused = run(&mut capture(&nobodys));
    let (warning, error) = refused.stderr.split_once('\n').unwrap();
    assert!(warning.starts_with("warning: other machines can reach"), "{refused:?}");
    assert!(error.starts_with("error: listen \"192.0.2.1:0\": "), "{refused:?}");
    assert_eq!((refused.code, error.contains("loopback")), (2, false), "{refused:?}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().map(|address| (address.to_string(), taken)).unwrap();
    for (listen, why) in [
        (taken.0.as_str(), "is in use; choose another port, or 0 for a free one"),
        ("0.0.0.0:0", "must be a loopback address"),
        ("[::]:0", "must be a loopback address"),
        ("192.0.2.1:8787", "must be a loopback address"),
        ("localhost:0", "must be an address and a port"),
        ("127.0.0.1", "must be an address and a port"),
        ("127.0.0.1:99999", "must be an address and a port"),
        ("", "must be an address and a port"),
    ] {
        for json in [false, true] {
            let mut command = capture(&["sandbox", "--listen", listen]);
            let run = run(if json { command.arg("--json") } else { &mut command });
            assert_eq!(run.code, 2, "{run:?}");
            let begin = format!("error: listen \"{listen}\": {why}");
            assert!(run.stderr.starts_with(&begin), "{begin}: {run:?}");
            assert_eq!(run.stderr.lines().count(), 1);
            if json {
                assert_eq!(run.json()["field"], "listen");
            } else {
                assert_eq!(run.stdout, "");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_signal_stops_it() {
    for signal in ["INT", "TERM"] {
        let mut sandbox = Running::start(&[]);
        super::interrupt::send(signal, sandbox.process.0.id());
        assert_eq!(sandbox.process.0.wait().unwrap().code(), Some(0), "{signal}");
        let mut rest = String::new();
        sandbox.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "the ready line is all that it says");
    }
}

/// A sandbox process and what its ready line says.
struct Running {
    process: Stopped,
    stdout: BufReader<ChildStdout>,
    ready: Value,
}

/// A process that ends with the test.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut command = capture(&["sandbox", "--listen", "127.0.0.1:0", "--json"]);
        let command = command.args(arguments);
        let mut process = Stopped(command.stdout(Stdio::piped()).spawn().unwrap());
        let mut stdout = BufReader::new(process.0.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert!(ready.as_object().unwrap().keys().eq([
            "app_key",
            "app_secret",
            "base_url",
            "plain_url"
        ]));
        Self { process, stdout, ready }
    }

    /// The command in another shell.
    fn client(&self, arguments: &[&str]) -> Command {
        let mut command = capture(arguments);
        for (name, member) in
            [("ENVIRONMENT", "base_url"), ("APP_KEY", "app_key"), ("APP_SECRET", "app_secret")]
        {
            command.env(format!("CAPTURE_{name}"), self.ready[member].as_str().unwrap());
        }
        command
    }

    /// One request by hand, as a test in any language makes it.
    fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let host = self.ready["plain_url"].as_str().unwrap().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        write!(stream, "{head}content-length: {length}\r\n\r\n{body}").unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{reply}"));
        assert!(head.starts_with("HTTP/1.1 20"), "{reply}");
        assert_ne!(json!(body), json!(""));
        serde_json::from_str(body).unwrap()
    }
}
