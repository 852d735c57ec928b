//! Child processes, for what a process cannot find out about itself: the server, the program that
//! counts allocations, callgrind, and peak memory.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead as _, BufReader};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::clients;

/// The server, until it is dropped.
pub struct ServerProcess {
    child: Child,
    /// Where it is, as [`Endpoint`](crate::endpoint::Endpoint) reads it.
    pub endpoint: String,
}

impl ServerProcess {
    pub fn start() -> Self {
        let mut command = Command::new(this());
        let command = command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("this program");
        let mut endpoint = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut endpoint).expect("its endpoint");
        Self { child, endpoint: endpoint.trim().to_owned() }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take()); // it ends with its input
        let _ = self.child.wait();
    }
}

/// What one operation asks of the allocator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocations {
    pub allocs: u64,
    pub reallocs: u64,
    pub bytes: u64,
}

impl Allocations {
    pub fn calls(self) -> u64 {
        self.allocs + self.reallocs
    }
}

/// The allocations of each benchmark, counted by the program beside this one.
pub fn allocations(endpoint: &str) -> BTreeMap<String, Allocations> {
    let output = output(Command::new(this().with_file_name("capture-count")).arg(endpoint));
    let line = |line: &str| {
        let mut words = line.split(' ');
        let name = words.next()?.to_owned();
        let mut next = || words.next()?.parse().ok();
        Some((name, Allocations { allocs: next()?, reallocs: next()?, bytes: next()? }))
    };
    output.lines().map(|text| line(text).expect("a line of counts")).collect()
}

/// Instructions of one operation of each benchmark, where valgrind is installed.
pub fn instructions(names: &[&str], endpoint: &str) -> Vec<Option<u64>> {
    let next = AtomicUsize::new(0);
    let found: Vec<_> = names.iter().map(|_| OnceLock::new()).collect();
    // Counting is not timing: all processors may do it at once.
    let work = || {
        loop {
            let at = next.fetch_add(1, Relaxed);
            let Some((name, found)) = names.get(at).zip(found.get(at)) else { break };
            let _ = found.set(count(name, endpoint));
        }
    };
    if has_valgrind() {
        let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(work);
            }
        });
    }
    found.into_iter().map(OnceLock::into_inner).collect()
}

/// The difference of two run lengths under callgrind. The kernel's timing makes a client wait, wake
/// and read its clock more often, never less often: the least of three runs is steady.
fn count(name: &str, endpoint: &str) -> u64 {
    let (short, long) = if clients::is_client(name) { (200, 1_700) } else { (200, 700) };
    let times = if clients::is_client(name) && clients::is_gated(name) { 3 } else { 1 };
    let once =
        || (collected(name, long, endpoint) - collected(name, short, endpoint)) / (long - short);
    (0..times).map(|_| once()).min().unwrap_or_default()
}

/// All instructions of a process that does the operation so many times.
fn collected(name: &str, count: u64, endpoint: &str) -> u64 {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(this());
    command.args(["repeat", name, &count.to_string(), endpoint]);
    let output = command.output().expect("valgrind");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let (_, collected) = said.split_once("Collected : ").expect("callgrind's summary");
    let digits = collected.split_whitespace().next().expect("a number");
    digits.parse().expect("a number")
}

/// Whether valgrind is installed.
pub fn has_valgrind() -> bool {
    let mut probe = Command::new("valgrind");
    let probe = probe.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

/// Captures in a fresh process: CPU nanoseconds of each, and the process's peak memory in KiB; `None`
/// if the machine was too busy for every capture to get its reply in time.
pub fn grow(name: &str, in_flight: usize, total: usize, endpoint: &str) -> Option<(f64, u64)> {
    let counts = [in_flight.to_string(), total.to_string()];
    let mut command = Command::new(this());
    let output = command.args(["grow", name]).args(counts).arg(endpoint).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    let (cpu, memory) = text.trim().split_once(' ')?;
    Some((cpu.parse().ok()?, memory.parse().ok()?))
}

/// Crates in the normal build of a package, itself included.
pub fn crates(package: &str) -> usize {
    let cargo = env::var("CARGO").unwrap_or("cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    command.args(["tree", "--locked", "-p", package, "-e", "normal", "--prefix", "none"]);
    let tree = output(&mut command);
    let names = tree.lines().map(|line| line.trim_end_matches(" (*)"));
    names.collect::<std::collections::BTreeSet<_>>().len()
}

fn this() -> PathBuf {
    env::current_exe().expect("this program's path")
}

fn output(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output().expect("a program of ours");
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).expect("text")
}
