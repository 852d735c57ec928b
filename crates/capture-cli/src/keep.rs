//! `capture journal`: looking after the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _, Write};
use std::path::Path;

use capture_core::{Environment, one_line};
use capture_journal::{Chain, Hash, Lost, day, utc};
use capture_sqlite::{KeepError, Sqlite};
use serde::Serialize;

use crate::args::{Keep, Kept};
use crate::config::{self, BadInput};
use crate::exit::Exit;
use crate::journal;
use crate::output;

/// Does one thing to the journal.
pub(crate) fn run(keep: &Keep) -> Result<Exit, BadInput> {
    match keep {
        Keep::Check(kept) => check(kept),
        Keep::Verify { head, kept } => verify(kept, head.as_deref()),
        Keep::Export { environment, file, kept } => {
            let environment = config::environment(environment.as_deref())?;
            // The lines may be on stdout.
            output::note(&format!("exported: {}", export(kept, &environment, file.as_deref())?));
            Ok(Exit::Yes)
        }
        Keep::Import { environment, file, kept } => {
            let environment = config::environment(environment.as_deref())?;
            let count = import(kept, &environment, file)?;
            Ok(done(kept, "imported", count))
        }
        Keep::Prune { before, kept } => {
            let rule = "must be a day such as 2026-10-01";
            let moment = day(before)
                .ok_or_else(|| BadInput::new("before", format!("--before \"{before}\": {rule}")))?;
            // It must be there: nothing is made only to be shortened.
            drop(there(kept)?);
            let path = journal::place(kept.journal.as_deref())?;
            let mut journal = journal::open(&path, &Environment::Sandbox)?;
            let count = journal.prune(moment).map_err(|error| refuse("before", &error))?;
            Ok(done(kept, "removed", count))
        }
        Keep::Backup { file, kept } => {
            let name = file.display();
            let copied = there(kept)?.back_up(file);
            copied.map_err(|error| refuse("file", &format!("{name}: {}", one_line(&error))))?;
            output::note(&format!("copied to {name}"));
            Ok(done(kept, "copied", 1))
        }
    }
}

impl Keep {
    /// Which journal, and how to answer.
    pub(crate) fn kept(&self) -> &Kept {
        match self {
            Self::Check(kept)
            | Self::Verify { kept, .. }
            | Self::Backup { kept, .. }
            | Self::Export { kept, .. }
            | Self::Import { kept, .. }
            | Self::Prune { kept, .. } => kept,
        }
    }
}

fn check(kept: &Kept) -> Result<Exit, BadInput> {
    let mut journal = there(kept)?;
    let mut found = journal.check().map_err(|error| failed(&error))?;
    let chain = journal.verify(None).map_err(|error| failed(&error))?;
    if let Some(number) = chain.broken_at {
        found.push(format!("the chain is broken at record {number}"));
    }
    if kept.json {
        #[derive(Serialize)]
        struct Checked<'a> {
            records: i64,
            faults: &'a [String],
        }
        output::json(&Checked { records: chain.records, faults: &found });
    } else if found.is_empty() {
        output::line(&format!("sound: {} records", chain.records));
    } else {
        found.iter().for_each(|fault| output::line(fault));
        output::line("next: keep the file, and restore the newest backup in its place");
    }
    Ok(if found.is_empty() { Exit::Yes } else { Exit::No })
}

fn verify(kept: &Kept, head: Option<&str>) -> Result<Exit, BadInput> {
    let rule = "must be 64 hexadecimal digits, as verify printed them";
    let noted =
        head.map(|text| hash(text).ok_or_else(|| refuse("head", &format!("--head: {rule}"))));
    let noted = noted.transpose()?;
    let verified = there(kept)?.verify(noted.as_ref()).map_err(|error| failed(&error))?;
    let chain = verified.chain();
    let pruned = verified.pruned.map(|(number, at)| (number, utc(at)));
    if kept.json {
        #[derive(Serialize)]
        struct Verified<'a> {
            #[serde(flatten)]
            chain: &'a Chain,
            pruned_to: Option<i64>,
            pruned_at: Option<&'a str>,
            has_head: Option<bool>,
        }
        output::json(&Verified {
            chain: &chain,
            pruned_to: pruned.as_ref().map(|(number, _)| *number),
            pruned_at: pruned.as_ref().map(|(_, at)| at.as_str()),
            has_head: verified.has_noted,
        });
    } else {
        output::line(&match chain.broken_at {
            None => format!("unbroken: {} records", chain.records),
            Some(number) => {
                format!("broken at record {number}: it was edited, removed or inserted")
            }
        });
        if let Some((number, at)) = &pruned {
            output::line(&format!("records up to {number} were pruned at {at}"));
        }
        match verified.has_noted {
            Some(true) => output::line("the noted head is in the chain"),
            Some(false) => output::line("the noted head is NOT in the chain"),
            None => {}
        }
        output::line(&format!("head: {}", chain.head));
    }
    let is_well = chain.broken_at.is_none() && verified.has_noted != Some(false);
    Ok(if is_well { Exit::Yes } else { Exit::No })
}

fn export(kept: &Kept, environment: &Environment, file: Option<&Path>) -> Result<usize, BadInput> {
    let mut journal = journal::read(&journal::place(kept.journal.as_deref())?, environment)?;
    let exported = match file {
        None => journal.export(io::stdout().lock()),
        Some(path) => File::create_new(path).map_err(KeepError::from).and_then(|file| {
            let mut to = BufWriter::new(file);
            let count = journal.export(&mut to)?;
            to.flush()?;
            to.get_ref().sync_all()?;
            Ok(count)
        }),
    };
    exported.map_err(|error| refuse("file", &one_line(&error)))
}

fn import(kept: &Kept, environment: &Environment, file: &Path) -> Result<usize, BadInput> {
    let mut journal = journal::open(&journal::place(kept.journal.as_deref())?, environment)?;
    let imported = match file.to_str() {
        // Whole before the journal is locked: others work with it, and a pipe may be slow.
        Some("-") => spooled(io::stdin().lock())
            .map_err(KeepError::from)
            .and_then(|file| journal.import(BufReader::new(file))),
        _ => File::open(file)
            .map_err(KeepError::from)
            .and_then(|file| journal.import(BufReader::new(file))),
    };
    let name = file.display();
    imported.map_err(|error| {
        refuse("file", &format!("{name}: {}; nothing was imported", one_line(&error)))
    })
}

fn spooled(mut from: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut from, &mut file)?;
    file.rewind()?;
    Ok(file)
}

/// The journal, of whatever environment.
fn there(kept: &Kept) -> Result<Sqlite, BadInput> {
    journal::read(&journal::place(kept.journal.as_deref())?, &Environment::Sandbox)
}

fn done(kept: &Kept, what: &str, count: usize) -> Exit {
    match kept.json {
        true => output::json(&BTreeMap::from([(what, count)])),
        false => output::note(&format!("{what}: {count}")),
    }
    Exit::Yes
}

fn hash(text: &str) -> Option<Hash> {
    let digits = text.as_bytes();
    let mut hash = Hash::default();
    if digits.len() != 2 * hash.len() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

fn failed(error: &Lost) -> BadInput {
    refuse("journal", &one_line(error))
}

fn refuse(field: &'static str, why: &dyn std::fmt::Display) -> BadInput {
    BadInput::new(field, why.to_string())
}
