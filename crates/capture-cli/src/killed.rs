//! The demo's last stories: a process that is killed, and the run that settles what it left; one order, then
//! a whole file.

use std::env;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
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
    let order_id = order.to_string();
    let again = ["order", &order_id, "--amount", "100.00", "--currency", "USD", "--json"];
    let mut first = command(sandbox, &journal, &again)?.stdout(Stdio::null()).spawn()?;
    let began = Instant::now();
    while sandbox.ledger().captures(order) == 0 {
        waits(&mut first, began)?;
    }
    first.kill()?;
    first.wait()?;
    let captured = sandbox.ledger().captures(order);
    sandbox.clear_script();
    let second = command(sandbox, &journal, &again)?.output()?;
    let second = serde_json::from_slice(&second.stdout)?;
    Ok(Killed { process: first.id(), captured, second })
}

/// How a file went.
pub(crate) struct KilledFile {
    /// How many of its orders were captured when the process was killed.
    pub(crate) captured: usize,
    /// What the second run prints.
    pub(crate) second: String,
}

/// Captures a file of these orders, 100.00 USD each, in a process of its own; a reply is lost, the process is
/// killed amid the file, and the same command is run again.
pub(crate) fn kill_file(sandbox: &Server, orders: &[OrderId]) -> io::Result<KilledFile> {
    let directory = tempfile::tempdir()?;
    let (journal, file) =
        (directory.path().join("captures.journal"), directory.path().join("orders.csv"));
    let rows: String = orders.iter().map(|order| format!("{order},100.00,USD\n")).collect();
    fs::write(&file, format!("order_id,amount,currency\n{rows}"))?;
    let slow = Script::delayed(Duration::from_millis(50)).times(u32::MAX);
    sandbox.script(Script::lost_reply().skip(2).then(slow));
    let run =
        || command(sandbox, &journal, &["run", &file.to_string_lossy(), "--concurrency", "4"]);
    let captured = || {
        let ledger = sandbox.ledger();
        orders.iter().filter(|order| ledger.captures(**order) > 0).count()
    };
    let mut first = run()?.stdout(Stdio::null()).spawn()?;
    let began = Instant::now();
    while captured() < orders.len() / 2 {
        waits(&mut first, began)?;
    }
    first.kill()?;
    first.wait()?;
    let captured = captured();
    sandbox.clear_script();
    let second = run()?.output()?;
    Ok(KilledFile { captured, second: String::from_utf8_lossy(&second.stdout).into_owned() })
}

/// A moment longer, for a process that is still to be killed.
fn waits(process: &mut Child, began: Instant) -> io::Result<()> {
    if process.try_wait()?.is_none() && began.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(5));
        return Ok(());
    }
    let _ = process.kill();
    Err(io::Error::other("it ended before it could be killed"))
}

/// The command with nothing of this process's own settings.
fn command(sandbox: &Server, journal: &Path, arguments: &[&str]) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args(arguments);
    command.arg("--journal").arg(journal).env("CAPTURE_ENVIRONMENT", sandbox.base_url());
    command.env_remove("CAPTURE_TOKEN").env_remove("CAPTURE_PROXY");
    command.env("CAPTURE_APP_KEY", sandbox.app_key());
    command.env("CAPTURE_APP_SECRET", sandbox.app_secret());
    command.stdin(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}
