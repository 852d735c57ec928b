//! Every scenario of `capture order` goes on: once its test has ended, each order's last command is run
//! with the network gone, and once more with the network back. It never forgets what it said.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex};
use std::thread;

use capture_core::OrderId;
use capture_journal::{Journal as _, Story, environment_name};
use capture_sandbox::Server;
use capture_sqlite::Sqlite;
use serde_json::Value;

use super::output::Run;

/// A sandbox, the journal of those who use it, and what they did.
pub(crate) struct Site {
    server: Server,
    directory: tempfile::TempDir,
}

#[derive(Default)]
struct Known {
    journal: PathBuf,
    /// The last command of each order, and what it said.
    last: HashMap<String, (Ran, Option<Said>)>,
}

/// A command that can be run again.
#[derive(Clone)]
struct Ran {
    program: OsString,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, Option<OsString>)>,
}

/// What a run said of its order.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    code: i32,
    outcome: String,
}

/// By the URL of each sandbox.
static SITES: LazyLock<Mutex<HashMap<String, Known>>> = LazyLock::new(Mutex::default);

/// The journal of all who use the sandbox at this URL.
pub(crate) fn journal(url: &str) -> Option<PathBuf> {
    SITES.lock().unwrap().get(url).map(|site| site.journal.clone())
}

/// Notes a command that was run, or that is on its way, if it captures an order at a known sandbox.
pub(crate) fn note(command: &Command, run: Option<&Run>) {
    let ran = Ran {
        program: command.get_program().into(),
        arguments: command.get_args().map(Into::into).collect(),
        variables: command.get_envs().map(|(k, v)| (k.into(), v.map(Into::into))).collect(),
    };
    let [verb, order, flags @ ..] = &ran.arguments[..] else { return };
    let said = run.map(Said::of);
    let keeps_no_record = flags
        .iter()
        .any(|flag| ["--dry-run", "--no-journal", "--help"].iter().any(|it| flag == it));
    if verb != "order" || keeps_no_record || matches!(said, Some(None)) {
        return;
    }
    let (order, url) = (order.to_string_lossy().into_owned(), ran.variable("CAPTURE_ENVIRONMENT"));
    if let Some(site) = SITES.lock().unwrap().get_mut(&url) {
        site.last.insert(order, (ran, said.flatten()));
        return;
    }
    // Elsewhere another run could change what the test asserts next, unless it has no network.
    let is_tunnelled = !ran.variable("CAPTURE_PROXY").is_empty();
    if let (Some(said), false) = (said.flatten(), is_tunnelled || url.is_empty()) {
        let gone = ran.without_network(&url, SOON);
        assert_eq!(Said::of(&gone), Some(said), "the second run, without a network: {gone:?}");
    }
}

impl Site {
    pub(crate) fn new(server: Server) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let journal = directory.path().join("captures.journal");
        let known = Known { journal, last: HashMap::new() };
        SITES.lock().unwrap().insert(server.base_url(), known);
        Self { server, directory }
    }
}

impl Deref for Site {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let url = self.server.base_url();
        let known = SITES.lock().unwrap().remove(&url).unwrap();
        if thread::panicking() {
            return;
        }
        self.server.clear_script();
        for (order, (ran, said)) in known.last {
            let gone = ran.without_network(&url, SOON);
            let back = ran.again(&url, LATER);
            let captures = order.parse().map_or(0, |order| self.server.ledger().captures(order));
            if let Err(why) = check(said.as_ref(), &gone, &back, captures) {
                panic!("order {order}: {why}\nfirst: {said:?}\nthen: {gone:?}\nlast: {back:?}");
            }
        }
    }
}

/// Deadlines. Without a network, one lookup is as good as many; with it, a refusal takes three.
const SOON: &str = "1";
const LATER: &str = "7";

/// A port at which nobody listens.
const NOBODY: &str = "http://127.0.0.1:1/v1";

impl Ran {
    fn variable(&self, name: &str) -> String {
        let found = self.variables.iter().find(|(known, _)| known == name);
        let value = found.and_then(|(_, value)| value.as_deref()).unwrap_or(OsStr::new(""));
        value.to_string_lossy().into_owned()
    }

    fn again(&self, url: &str, deadline: &str) -> Run {
        let mut command = Command::new(&self.program);
        let mut arguments = self.arguments.iter().peekable();
        while let Some(argument) = arguments.next() {
            if argument == "--deadline" {
                arguments.next();
            } else if argument != "--json" {
                command.arg(argument);
            }
        }
        command.args(["--json", "--deadline", deadline]);
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env("CAPTURE_ENVIRONMENT", url);
        Run::of(command.output().unwrap())
    }

    /// The journal goes where nobody listens, and back.
    fn without_network(&self, url: &str, deadline: &str) -> Run {
        let journal = PathBuf::from(self.variable("CAPTURE_JOURNAL"));
        rename(&journal, url, NOBODY);
        let run = self.again(NOBODY, deadline);
        rename(&journal, NOBODY, url);
        run
    }
}

/// Renames an environment of a journal.
fn rename(journal: &Path, from: &str, to: &str) {
    if !journal.exists() {
        return;
    }
    let file = rusqlite::Connection::open(journal).unwrap();
    let as_stored = |url: &str| environment_name(&url.parse().unwrap());
    let name = (as_stored(to), as_stored(from));
    file.execute("DELETE FROM environment WHERE name = ?", [&name.0]).unwrap();
    file.execute("UPDATE environment SET name = ? WHERE name = ?", [&name.0, &name.1]).unwrap();
}

impl Said {
    /// `None` where it got as far as no outcome.
    fn of(run: &Run) -> Option<Self> {
        let json = serde_json::from_str::<Value>(&run.stdout).ok();
        let outcome = match json {
            Some(json) => json["outcome"].as_str()?.to_owned(),
            None => run.stdout.lines().next()?.split_once("  ")?.0.replace(' ', "_"),
        };
        Some(Self { code: run.code, outcome })
    }
}

/// Whether three runs in a row, the second one without a network, kept their word.
fn check(first: Option<&Said>, gone: &Run, back: &Run, captures: usize) -> Result<(), String> {
    let (Some(then), Some(last)) = (Said::of(gone), Said::of(back)) else {
        return Err("a later run has no outcome".to_owned());
    };
    let is_decided = |said: &&Said| ["captured", "not_captured"].contains(&&*said.outcome);
    if first.is_some_and(|first| *first != then) {
        return Err("without a network it says something else".to_owned());
    }
    if let Some(first) = first.filter(is_decided) {
        if last != *first {
            return Err("what was decided is decided no longer".to_owned());
        }
        if [gone, back].iter().any(|run| run.json()["recorded_at_ms"].is_null()) {
            return Err("it does not answer from the record".to_owned());
        }
    }
    match (captures, &*last.outcome) {
        (0, _) | (1, "captured" | "unknown") => Ok(()),
        (1, _) => Err("the order is captured".to_owned()),
        _ => Err(format!("captured {captures} times")),
    }
}

/// The same for one order, with a command that forgets what it did in between.
pub(crate) fn check_a_forgetful_command(site: &Site, order: OrderId) -> Result<(), String> {
    let url = site.base_url();
    let last = SITES.lock().unwrap().get_mut(&url).unwrap().last.remove(&order.to_string());
    let (ran, said) = last.expect("the order was captured here");
    site.clear_script();
    let forget = || {
        let directory = site.directory.path();
        fs::remove_dir_all(directory).and_then(|()| fs::create_dir(directory)).unwrap();
    };
    forget();
    let gone = ran.again(NOBODY, SOON);
    forget();
    check(said.as_ref(), &gone, &ran.again(&url, LATER), site.ledger().captures(order))
}

/// What the journal of this sandbox has of an order.
pub(crate) fn stories(site: &Site, order: OrderId) -> Vec<Story> {
    let path = journal(&site.base_url()).unwrap();
    let mut journal = Sqlite::open(&path, &site.environment()).unwrap();
    journal.stories(order).unwrap()
}
