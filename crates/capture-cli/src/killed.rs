//! The demo's last story: a process that is killed while it waits for its reply, and the run that settles
//! what it left.

use std::env;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use capture_core::{Operation, OrderId};
use capture_sandbox::{Script, Server};
use serde::Deserialize;

/// How it went.
pub(crate) struct Killed {
    pub(crate) process: u32,
    /// How often the order was captured when the process was killed.
    pub(crate) captured: usize,
    pub(crate) second: Second,
}

/// What the second run says, as JSON.
#[derive(Deserialize)]
pub(crate) struct Second {
    pub(crate) outcome: String,
    pub(crate) code: String,
    pub(crate) says: String,
    pub(crate) attempts: Vec<Sent>,
}

#[derive(Deserialize)]
pub(crate) struct Sent {
    pub(crate) operation: Operation,
    pub(crate) status: Option<u16>,
    pub(crate) says: String,
}

/// The reply never comes.
const NEVER: Duration = Duration::from_secs(3600);

/// How long the first process may take to send its capture.
const PATIENCE: Duration = Duration::from_secs(30);

/// Captures this order of 100.00 USD in a process of its own, kills that, and runs the same command again.
pub(crate) fn kill(sandbox: &Server, order: OrderId) -> io::Result<Killed> {
    let directory = tempfile::tempdir()?;
    let journal = directory.path().join("captures.journal");
    sandbox.script(Script::delayed(NEVER));
    let mut first = command(sandbox, order, &journal)?.stdout(Stdio::null()).spawn()?;
    let began = Instant::now();
    while sandbox.ledger().captures(order) == 0 && first.try_wait()?.is_none() {
        if began.elapsed() > PATIENCE {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    first.kill()?;
    first.wait()?;
    let captured = sandbox.ledger().captures(order);
    sandbox.clear_script();
    let second = command(sandbox, order, &journal)?.output()?;
    let second = serde_json::from_slice(&second.stdout)?;
    Ok(Killed { process: first.id(), captured, second })
}

/// `capture order` with nothing of this process's own settings.
fn command(sandbox: &Server, order: OrderId, journal: &Path) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args([
        "order",
        &order.to_string(),
        "--amount",
        "100.00",
        "--currency",
        "USD",
        "--json",
    ]);
    command.arg("--journal").arg(journal).env("CAPTURE_ENVIRONMENT", sandbox.base_url());
    command.env_remove("CAPTURE_TOKEN").env_remove("CAPTURE_PROXY");
    command.env("CAPTURE_APP_KEY", sandbox.app_key());
    command.env("CAPTURE_APP_SECRET", sandbox.app_secret());
    command.stdin(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}
