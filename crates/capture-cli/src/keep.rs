//! `capture journal`: looking after the file, or the database.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek as _, Write};
use std::path::Path;

use capture_core::{Environment, one_line};
use capture_journal::{Chain, Hash, KeepError, Lost, day, utc};
use capture_postgres::{Head, Verified};
use serde::Serialize;

use crate::args::{Keep, Kept};
use crate::config::{self, BadInput};
use crate::exit::Exit;
use crate::journal;
use crate::output;
use crate::place::{self, Place};
use crate::store::Store;

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
            let place = place::find(kept.journal.as_deref())?;
            let pruned = match journal::open(&place, &Place::ANY)? {
                Store::File(mut file) => file.prune(moment),
                Store::Database(mut database) => database.prune(moment),
            };
            let count = pruned.map_err(|error| refuse("before", &one_line(&error)))?;
            Ok(done(kept, "removed", count))
        }
        Keep::Backup { file, kept } => {
            let name = file.display();
            let Store::File(journal) = there(kept)? else {
                let why =
                    "a database is backed up with its own tools, such as pg_dump --schema capture";
                return Err(refuse("journal", &why));
            };
            let copied = journal.back_up(file);
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
    let (records, found) = match there(kept)? {
        Store::File(mut file) => {
            let mut found = file.check().map_err(|error| failed(&error))?;
            let chain = file.verify(None).map_err(|error| failed(&error))?;
            let broken = chain.broken_at.iter();
            found.extend(broken.map(|number| format!("the chain is broken at record {number}")));
            (chain.records, found)
        }
        Store::Database(mut database) => {
            let mut found = database.check().map_err(|error| failed(&error))?;
            let chains = database.verify(&[]).map_err(|error| failed(&error))?;
            let broken = chains.broken_at.iter();
            found.extend(
                broken.map(|(fence, number)| {
                    format!("chain {} is broken at record {number}", fence.0)
                }),
            );
            (chains.records, found)
        }
    };
    if kept.json {
        #[derive(Serialize)]
        struct Checked<'a> {
            records: i64,
            faults: &'a [String],
        }
        output::json(&Checked { records, faults: &found });
    } else if found.is_empty() {
        output::line(&format!("sound: {records} records"));
    } else {
        found.iter().for_each(|fault| output::line(fault));
        output::line("next: keep it as it is, and restore the newest backup elsewhere to compare");
    }
    Ok(if found.is_empty() { Exit::Yes } else { Exit::No })
}

fn verify(kept: &Kept, head: Option<&str>) -> Result<Exit, BadInput> {
    let rule = "must be 64 hexadecimal digits, as verify printed them";
    let noted =
        head.map(|text| hash(text).ok_or_else(|| refuse("head", &format!("--head: {rule}"))));
    let noted = noted.transpose()?;
    let mut file = match there(kept)? {
        Store::File(file) => file,
        Store::Database(mut database) => {
            let noted = Vec::from_iter(noted);
            let verified = database.verify(&noted).map_err(|error| failed(&error))?;
            return Ok(tell_chains(&verified, !noted.is_empty(), kept.json));
        }
    };
    let verified = file.verify(noted.as_ref()).map_err(|error| failed(&error))?;
    let chain = verified.chain();
    let pruned = verified.pruned.map(|(number, at)| (number, utc(at)));
    if kept.json {
        #[derive(Serialize)]
        struct Walked<'a> {
            #[serde(flatten)]
            chain: &'a Chain,
            pruned_to: Option<i64>,
            pruned_at: Option<&'a str>,
            has_head: Option<bool>,
        }
        output::json(&Walked {
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

/// Of a database: a chain for each opening that recorded something.
fn tell_chains(verified: &Verified, is_noted: bool, json: bool) -> Exit {
    #[derive(Serialize)]
    struct Told {
        records: i64,
        heads: Vec<Chain>,
        has_head: Option<bool>,
    }
    let chain = |head: &Head| {
        let broken = verified.broken_at.iter().find(|(fence, _)| *fence == head.fence);
        Chain::new(head.records, &head.hash, broken.map(|(_, number)| *number))
    };
    let heads: Vec<_> = verified.heads.iter().map(chain).collect();
    let has_head = is_noted.then_some(verified.missing.is_empty());
    if json {
        output::json(&Told { records: verified.records, heads, has_head });
    } else {
        let (count, records) = (heads.len(), verified.records);
        match verified.broken_at.len() {
            0 => output::line(&format!("unbroken: {records} records in {count} chains")),
            broken => output::line(&format!("{broken} of {count} chains are broken")),
        }
        for (head, chain) in verified.heads.iter().zip(&heads) {
            let broken = chain.broken_at.map_or_else(String::new, |number| {
                format!("  broken at record {number}: it was edited, removed or inserted")
            });
            let (fence, records) = (head.fence.0, head.records);
            output::line(&format!("head of {fence}: {}  {records} records{broken}", chain.head));
        }
        match has_head {
            Some(true) => output::line("the noted head is in a chain"),
            Some(false) => output::line("the noted head is NOT in a chain"),
            None => {}
        }
    }
    let is_well = verified.broken_at.is_empty() && has_head != Some(false);
    if is_well { Exit::Yes } else { Exit::No }
}

fn export(kept: &Kept, environment: &Environment, file: Option<&Path>) -> Result<usize, BadInput> {
    let mut journal = journal::read(&place::find(kept.journal.as_deref())?, environment)?;
    let mut export = |to: &mut dyn Write| match &mut journal {
        Store::File(file) => file.export(to),
        Store::Database(database) => database.export(to),
    };
    let exported = match file {
        None => export(&mut io::stdout().lock()),
        Some(path) => File::create_new(path).map_err(KeepError::from).and_then(|file| {
            let mut to = BufWriter::new(file);
            let count = export(&mut to)?;
            to.flush()?;
            to.get_ref().sync_all()?;
            Ok(count)
        }),
    };
    exported.map_err(|error| refuse("file", &one_line(&error)))
}

fn import(kept: &Kept, environment: &Environment, file: &Path) -> Result<usize, BadInput> {
    let mut journal = journal::open(&place::find(kept.journal.as_deref())?, environment)?;
    let mut import = |from: &mut dyn BufRead| match &mut journal {
        Store::File(file) => file.import(from),
        Store::Database(database) => database.import(from),
    };
    let imported = match file.to_str() {
        // Whole before the journal is locked: others work with it, and a pipe may be slow.
        Some("-") => spooled(io::stdin().lock())
            .map_err(KeepError::from)
            .and_then(|file| import(&mut BufReader::new(file))),
        _ => File::open(file)
            .map_err(KeepError::from)
            .and_then(|file| import(&mut BufReader::new(file))),
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
fn there(kept: &Kept) -> Result<Store, BadInput> {
    journal::read(&place::find(kept.journal.as_deref())?, &Place::ANY)
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
