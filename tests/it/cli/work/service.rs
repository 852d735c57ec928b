//! A running `capture work`: its log as it comes, its health port, its end.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use capture_core::{Capture, IdempotencyKey, Money, OrderId, Setup};
use capture_journal::blocking::Durable;
use capture_sqlite::Sqlite;
use serde_json::Value;

use super::super::command::{Run, capture_at, directory, server};
use super::super::interrupt::{ended, send};
use super::super::scenario::Site;

/// A sandbox, a journal, and a program that writes into it.
pub(super) struct Shop {
    pub(super) server: Site,
    directory: PathBuf,
    enqueues: Durable<capture_ureq::Ureq>,
}

impl Shop {
    pub(super) fn new(name: &str) -> Self {
        let (server, directory) = (server(), directory(&format!("work-{name}")));
        let setup = Setup::new(&server.environment(), server.credentials());
        let client = capture_ureq::Client::new(setup).unwrap();
        let journal = Sqlite::open(&directory.join("captures.journal"), &server.environment());
        Self { enqueues: Durable::new(client, journal.unwrap()), server, directory }
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.directory.join("captures.journal")
    }

    pub(super) fn open(&self) -> Sqlite {
        Sqlite::open(&self.journal(), &self.server.environment()).unwrap()
    }

    /// Writes so many captures of 100.00 USD down, by the library.
    pub(super) fn enqueue(&self, count: usize) -> Vec<OrderId> {
        let money = Money::parse("100.00", "USD").unwrap();
        let enqueue = |_| {
            let order = self.server.create_order(money);
            let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
            assert_eq!(self.enqueues.enqueue(&capture).unwrap(), None);
            order
        };
        (0..count).map(enqueue).collect()
    }

    /// How many of them were captured; none of them twice.
    pub(super) fn captured(&self, orders: &[OrderId]) -> usize {
        let ledger = self.server.ledger();
        let times: Vec<_> = orders.iter().map(|order| ledger.captures(*order)).collect();
        assert!(times.iter().all(|times| *times < 2), "{times:?}");
        times.iter().sum()
    }

    /// With these flags alone.
    pub(super) fn bare(&self, flags: &[&str]) -> Command {
        let mut command = capture_at(&self.server, &["work", "--json"]);
        command.args(flags).env("CAPTURE_JOURNAL", self.journal());
        command
    }

    pub(super) fn command(&self, flags: &[&str]) -> Command {
        self.bare(&[&["--rate", "none", "--health", "127.0.0.1:0"], flags].concat())
    }

    /// Starts it, and waits until it says so.
    pub(super) fn start(&self, flags: &[&str]) -> Service {
        Service::start(&mut self.command(flags))
    }
}

/// A process of `capture work`.
pub(in super::super) struct Service {
    child: Option<Child>,
    log: Arc<Mutex<String>>,
    reads: Option<JoinHandle<()>>,
}

impl Service {
    pub(in super::super) fn start(command: &mut Command) -> Self {
        let service = Self::launch(command);
        service.wait("that it starts", || !service.events("started").is_empty());
        service
    }

    /// The same, and does not wait for it.
    pub(in super::super) fn launch(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (log, stderr) = (Arc::new(Mutex::new(String::new())), child.stderr.take().unwrap());
        let reads = thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in BufReader::new(stderr).lines() {
                    *log.lock().unwrap() += &format!("{}\n", line.unwrap());
                }
            }
        });
        Self { child: Some(child), log, reads: Some(reads) }
    }

    pub(in super::super) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub(in super::super) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The events whose message begins so. Each line of the log is one object.
    pub(in super::super) fn events(&self, message: &str) -> Vec<Value> {
        let events = self.log().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let events: Vec<Value> = events;
        let is = |event: &Value| event["message"].as_str().unwrap().starts_with(message);
        events.into_iter().filter(is).collect()
    }

    pub(in super::super) fn wait(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < Duration::from_secs(60), "{what}: {}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(in super::super) fn address(&self) -> String {
        self.events("started")[0]["health"].as_str().unwrap().to_owned()
    }

    /// The status, the head and the body at this path.
    pub(in super::super) fn get(&self, path: &str) -> (u16, String, String) {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address()))
    }

    pub(in super::super) fn ask(&self, request: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let _ = stream.write_all(request.as_bytes());
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        let reply = String::from_utf8(reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap_or((&reply, ""));
        let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, head.to_ascii_lowercase(), body.to_owned())
    }

    pub(in super::super) fn health(&self) -> (u16, Value) {
        let (status, _, body) = self.get("/health");
        (status, serde_json::from_str(&body).unwrap())
    }

    /// SIGTERM, and how it ended.
    pub(in super::super) fn stop(mut self) -> Run {
        send("TERM", self.id());
        self.end()
    }

    pub(in super::super) fn end(&mut self) -> Run {
        let mut run = ended(self.child.take().unwrap());
        self.reads.take().unwrap().join().unwrap();
        run.stderr = self.log();
        for secret in ["canary", "eyJ", "panicked"] {
            assert!(!run.stderr.contains(secret), "{secret}: {run:?}");
        }
        run
    }

    pub(in super::super) fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
