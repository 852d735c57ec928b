//! The command's journal: where it is, and what is said when it is opened.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use capture_core::{Capture, Environment, IdempotencyKey, OrderId, one_line};
use capture_journal::{Journal as _, Lost, Standing, Story, decisive, unix_ms, utc};
use capture_sqlite::{OpenError, Sqlite};
use serde::Serialize;

use crate::args::Journal;
use crate::config::BadInput;
use crate::output;

const FILE: &str = "captures.journal";

/// The journal's file; `None` with `--no-journal`.
pub(crate) fn wanted(args: &Journal) -> Result<Option<PathBuf>, BadInput> {
    if args.no_journal { Ok(None) } else { place(args.journal.as_deref()).map(Some) }
}

/// The journal's file, by flag, by variable or in the state directory.
pub(crate) fn place(flag: Option<&Path>) -> Result<PathBuf, BadInput> {
    const VARIABLE: &str = "CAPTURE_JOURNAL";
    if let Some(path) = flag {
        return Ok(path.to_owned());
    }
    match env::var_os(VARIABLE) {
        Some(path) if path.is_empty() => {
            Err(refuse(&format!("{VARIABLE} is set but empty; give it a value or unset it")))
        }
        Some(path) => Ok(path.into()),
        None => state_directory().map(|directory| directory.join(FILE)).ok_or_else(|| {
            refuse(
                "there is no home directory to keep the journal in; give --journal FILE, or \
                 --no-journal to keep a record yourself",
            )
        }),
    }
}

/// Opens the journal, and says aloud if it is not the one that was left there.
pub(crate) fn open(path: &Path, environment: &Environment) -> Result<Sqlite, BadInput> {
    told(path, Sqlite::open(path, environment))
}

/// The same for a command that only looks at it, so that it must be there.
pub(crate) fn read(path: &Path, environment: &Environment) -> Result<Sqlite, BadInput> {
    if !path.exists() {
        return Err(refuse(&format!("journal {}: there is none", path.display())));
    }
    told(path, Sqlite::open_to_read(path, environment))
}

fn told(path: &Path, opened: Result<Sqlite, OpenError>) -> Result<Sqlite, BadInput> {
    let journal = opened.map_err(|error| {
        let way_out = match error {
            OpenError::Place { .. } => "; give another file by --journal FILE",
            _ => "",
        };
        refuse(&format!("{}{way_out}", one_line(&error)))
    })?;
    if let Some(noticed) = journal.restored_at() {
        output::note(&format!(
            "warning: an older copy was put in the place of journal {} (noticed {}): captures since \
             that copy are missing in it, so each order is looked up before it is sent",
            path.display(),
            utc(noticed)
        ));
    }
    Ok(journal)
}

/// All that the journal has of an order.
pub(crate) fn stories(journal: &mut Sqlite, order: OrderId) -> Result<Vec<Story>, BadInput> {
    journal.stories(order).map_err(|error| failed(&error))
}

/// What was asked for of an order before, if there is a journal that can be opened.
pub(crate) fn asked(args: &Journal, environment: &Environment, order: OrderId) -> Vec<Capture> {
    let Ok(Some(path)) = wanted(args) else { return Vec::new() };
    if !path.exists() {
        return Vec::new();
    }
    let stories =
        Sqlite::open_to_read(&path, environment).map(|mut journal| journal.stories(order));
    let stories = stories.ok().and_then(Result::ok).unwrap_or_default();
    stories.iter().map(|story| story.capture).collect()
}

/// How a capture stands: `ready`, `claimed` (a process is at it now), `interrupted` (one was), `unknown`,
/// `captured` or `not_captured`.
pub(crate) fn standing(journal: &Sqlite, story: &Story) -> &'static str {
    match story.standing() {
        Standing::Claimed(..) if !journal.is_held(story) => "interrupted",
        standing => standing.name(),
    }
}

/// What the journal has of an order, in short.
#[derive(Serialize)]
pub(crate) struct Noted {
    pub(crate) standing: &'static str,
    /// When the outcome was recorded; null where none was.
    recorded_at_ms: Option<i64>,
    idempotency_key: IdempotencyKey,
    asked_amount: u32,
    asked_currency: String,
    #[serde(skip)]
    line: String,
}

impl fmt::Display for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// The same of a journal that need not be there. One that cannot be read is a warning: it was not asked
/// for.
pub(crate) fn noted(path: &Path, environment: &Environment, order: OrderId) -> Option<Noted> {
    if !path.exists() {
        return None;
    }
    let found = read(path, environment).and_then(|mut journal| {
        let stories = stories(&mut journal, order)?;
        let standing = decisive(&stories).map(|story| standing(&journal, story));
        Ok((stories, standing))
    });
    let (stories, standing) = match found {
        Ok(found) => found,
        Err(bad) => {
            output::note(&format!("warning: {}", bad.sentence));
            return None;
        }
    };
    let story = decisive(&stories)?;
    let money = story.capture.money();
    let standing = standing?;
    let recorded = story.entries.last().map(|entry| entry.at);
    let when = recorded.map_or_else(
        || format!("asked for at {}", utc(story.asked_at)),
        |at| format!("recorded {}", utc(at)),
    );
    Some(Noted {
        standing,
        recorded_at_ms: recorded.map(unix_ms),
        idempotency_key: story.capture.idempotency_key(),
        asked_amount: money.minor_units(),
        asked_currency: money.currency().to_string(),
        line: format!("journal: {}, {money}, {when}", standing.replace('_', " ")),
    })
}

/// The journal failed before anything was sent.
pub(crate) fn failed(error: &Lost) -> BadInput {
    refuse(&format!("nothing was sent: {}", one_line(error)))
}

fn refuse(sentence: &str) -> BadInput {
    BadInput::new("journal", sentence)
}

/// Where a program keeps what must outlive it. The rules are few, and the usual crates know no state
/// directory of macOS and Windows.
fn state_directory() -> Option<PathBuf> {
    let home = || absolute(env::home_dir().map(PathBuf::into_os_string));
    let state = if cfg!(windows) {
        absolute(env::var_os("LOCALAPPDATA"))
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Application Support"))
    } else {
        let state = absolute(env::var_os("XDG_STATE_HOME"));
        state.or_else(|| home().map(|home| home.join(".local/state")))
    };
    state.map(|state| state.join("capture"))
}

/// A relative path would lead to another journal from another directory. XDG ignores it too.
fn absolute(path: Option<OsString>) -> Option<PathBuf> {
    path.map(PathBuf::from).filter(|path| path.is_absolute())
}
