//! Runs the command that was built from this workspace, against a sandbox with known secrets.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use capture_core::{Money, OrderId};
use capture_sandbox::{Sandbox, Server, Settings};
use serde_json::Value;

pub(crate) use super::output::Run;
use super::scenario::{self, Site};

pub(crate) const TRANSPORTS: [&str; 3] = ["reqwest", "ureq", "hyper"];

/// Runs the test for each transport, in parallel: most of its time is waiting.
pub(crate) fn each_transport(test: impl Fn(&'static str) + Sync) {
    std::thread::scope(|scope| {
        for transport in TRANSPORTS {
            let test = &test;
            scope.spawn(move || test(transport));
        }
    });
}

pub(crate) const KEY: &str = "canary/key+=";
pub(crate) const SECRET: &str = "canary/secret+=";

/// The command with these arguments, none of this process's own settings, and a journal of its own.
pub(crate) fn capture(arguments: &[&str]) -> Command {
    static COMMANDS: AtomicUsize = AtomicUsize::new(0);
    let own = directory(&format!("own-{}", COMMANDS.fetch_add(1, Ordering::Relaxed)));
    let mut command = Command::new(binary());
    command.args(arguments).stdin(Stdio::null());
    for name in ["ENVIRONMENT", "TOKEN", "APP_KEY", "APP_SECRET", "PROXY"] {
        command.env_remove(format!("CAPTURE_{name}"));
    }
    // No test may touch the journal of the person who runs it.
    for name in ["HOME", "XDG_STATE_HOME", "LOCALAPPDATA"] {
        command.env(name, &own);
    }
    command.env("CAPTURE_JOURNAL", own.join("captures.journal"));
    command
}

/// The same, logged in to this sandbox, and with the journal of its site.
pub(crate) fn capture_at(server: &Server, arguments: &[&str]) -> Command {
    let mut command = capture(arguments);
    command.env("CAPTURE_ENVIRONMENT", server.base_url());
    command.env("CAPTURE_APP_KEY", KEY).env("CAPTURE_APP_SECRET", SECRET);
    if let Some(journal) = scenario::journal(&server.base_url()) {
        command.env("CAPTURE_JOURNAL", journal);
    }
    command
}

/// Runs it. What became of an order is held against two more runs, when the sandbox is dropped.
pub(crate) fn run(command: &mut Command) -> Run {
    let run = Run::of(command.output().expect("the command starts"));
    scenario::note(command, Some(&run));
    run
}

/// A sandbox for one test alone.
pub(crate) fn server() -> Site {
    let settings =
        Settings { app_key: KEY.into(), app_secret: SECRET.into(), ..Settings::default() };
    Site::new(Sandbox::builder().settings(settings).start().expect("a free port"))
}

/// An order of 100.00 USD that waits for its capture.
pub(crate) fn order(server: &Server) -> OrderId {
    server.create_order(Money::parse("100.00", "USD").expect("an amount"))
}

/// An empty directory for one test alone.
pub(crate) fn directory(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory for the test");
    path
}

/// The binary, built once per run of the tests. Cargo tells the path of a binary only to tests of
/// its own package, so this asks for it.
pub(crate) fn binary() -> &'static str {
    static BINARY: OnceLock<String> = OnceLock::new();
    BINARY.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--package", "capture-cli", "--message-format=json"]);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        // With the variables that cargo sets for this test, build scripts would count as stale.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&*name);
            }
        }
        let built = cargo.stderr(Stdio::inherit()).output().expect("cargo starts");
        assert!(built.status.success(), "the command does not build");
        let messages = String::from_utf8(built.stdout).expect("UTF-8");
        let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
        let mut executables = messages.filter_map(|message: Value| {
            (message["target"]["name"] == "capture").then_some(())?;
            message["executable"].as_str().map(str::to_owned)
        });
        executables.next().expect("cargo names the binary")
    })
}
