//! Runs the command that was built from this workspace, against a sandbox with known secrets.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use capture_core::{Money, OrderId};
use capture_sandbox::{Sandbox, Server, Settings};
use serde_json::Value;

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

/// Every secret contains this word, and no output of any run may.
pub(crate) const CANARY: &str = "canary";

pub(crate) const KEY: &str = "canary/key+=";
pub(crate) const SECRET: &str = "canary/secret+=";

/// The output of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The one object on stdout.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        assert!(self.stdout.ends_with('\n'), "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The output of a finished process, which must be free of secrets.
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let code = output.status.code().expect("the process was not killed");
        let run = Self { code, stdout: text(output.stdout), stderr: text(output.stderr) };
        for shown in [&run.stdout, &run.stderr] {
            // Every token that the sandbox grants begins with the second one.
            assert!(!shown.contains(CANARY) && !shown.contains("eyJ"), "a secret leaked: {run:?}");
            assert!(!shown.contains("panicked"), "{run:?}");
        }
        run
    }
}

/// The command with these arguments and none of this process's own settings.
pub(crate) fn capture(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).stdin(Stdio::null());
    for name in ["ENVIRONMENT", "TOKEN", "APP_KEY", "APP_SECRET", "PROXY"] {
        command.env_remove(format!("CAPTURE_{name}"));
    }
    command
}

/// The same, logged in to this sandbox.
pub(crate) fn capture_at(server: &Server, arguments: &[&str]) -> Command {
    let mut command = capture(arguments);
    command.env("CAPTURE_ENVIRONMENT", server.base_url());
    command.env("CAPTURE_APP_KEY", KEY).env("CAPTURE_APP_SECRET", SECRET);
    command
}

pub(crate) fn run(command: &mut Command) -> Run {
    Run::of(command.output().expect("the command starts"))
}

/// A sandbox for one test alone.
pub(crate) fn server() -> Server {
    let settings =
        Settings { app_key: KEY.into(), app_secret: SECRET.into(), ..Settings::default() };
    Sandbox::builder().settings(settings).start().expect("a free port")
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
fn binary() -> &'static str {
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
