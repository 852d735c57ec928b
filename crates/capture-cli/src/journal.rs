//! The command's journal: how it is opened, and what is said then.

use std::fmt;

use capture_core::{Capture, Environment, IdempotencyKey, OrderId, one_line};
use capture_journal::{Journal as _, Lost, Standing, Story, decisive, unix_ms, utc};
use capture_postgres::Postgres;
use capture_sqlite::{OpenError, Sqlite};
use serde::Serialize;

use crate::args::Journal;
use crate::config::BadInput;
use crate::output;
use crate::place::{self, Place};
use crate::store::Store;

/// Where the journal is; `None` with `--no-journal`.
pub(crate) fn wanted(args: &Journal) -> Result<Option<Place>, BadInput> {
    if args.no_journal { Ok(None) } else { place::find(args.journal.as_deref()).map(Some) }
}

/// Opens the journal, and says aloud if it is not the one that was left there.
pub(crate) fn open(place: &Place, environment: &Environment) -> Result<Store, BadInput> {
    match place {
        Place::File(path) => told(place, Sqlite::open(path, environment)),
        Place::Database { config, options } => {
            opened(Postgres::open_with(config, environment, options))
        }
    }
}

/// The same for a command that only looks at it, so that it must be there.
pub(crate) fn read(place: &Place, environment: &Environment) -> Result<Store, BadInput> {
    match place {
        Place::File(path) if !path.exists() => {
            Err(refuse(&format!("journal {place}: there is none")))
        }
        Place::File(path) => told(place, Sqlite::open_to_read(path, environment)),
        Place::Database { config, options } => {
            opened(Postgres::open_to_read(config, environment, options))
        }
    }
}

fn opened(opened: Result<Postgres, capture_postgres::OpenError>) -> Result<Store, BadInput> {
    opened.map(Store::Database).map_err(|error| refuse(&one_line(&error)))
}

fn told(place: &Place, opened: Result<Sqlite, OpenError>) -> Result<Store, BadInput> {
    let journal = opened.map_err(|error| {
        let way_out = match error {
            OpenError::Place { .. } => "; give another file by --journal FILE",
            _ => "",
        };
        refuse(&format!("{}{way_out}", one_line(&error)))
    })?;
    if let Some(noticed) = journal.restored_at() {
        output::note(&format!(
            "warning: an older copy was put in the place of journal {place} (noticed {}): captures since \
             that copy are missing in it, so each order is looked up before it is sent",
            utc(noticed)
        ));
    }
    Ok(Store::File(journal))
}

/// All that the journal has of an order.
pub(crate) fn stories(journal: &mut Store, order: OrderId) -> Result<Vec<Story>, BadInput> {
    journal.stories(order).map_err(|error| failed(&error))
}

/// What was asked for of an order before, if there is a journal that can be opened.
pub(crate) fn asked(args: &Journal, environment: &Environment, order: OrderId) -> Vec<Capture> {
    let Ok(Some(place)) = wanted(args) else { return Vec::new() };
    if !place.is_there() {
        return Vec::new();
    }
    let journal = read(&place, environment).ok();
    let stories = journal.and_then(|mut journal| journal.stories(order).ok()).unwrap_or_default();
    stories.iter().map(|story| story.capture).collect()
}

/// How a capture stands: `ready`, `claimed` (a process is at it now), `interrupted` (one was), `unknown`,
/// `captured` or `not_captured`.
pub(crate) fn standing(journal: &mut Store, story: &Story) -> Result<&'static str, BadInput> {
    Ok(match story.standing() {
        Standing::Claimed(..) if !journal.is_held(story).map_err(|lost| failed(&lost))? => {
            "interrupted"
        }
        standing => standing.name(),
    })
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
pub(crate) fn noted(place: &Place, environment: &Environment, order: OrderId) -> Option<Noted> {
    if !place.is_there() {
        return None;
    }
    let found = read(place, environment).and_then(|mut journal| {
        let stories = stories(&mut journal, order)?;
        let standing = decisive(&stories).map(|story| standing(&mut journal, story));
        Ok((stories, standing.transpose()?))
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
