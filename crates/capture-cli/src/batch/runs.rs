//! `capture runs` and `capture results`: which lists there are, and what became of each line.

use std::fs;

use capture_journal::{Run, RunId, Stands, Tally, utc};
use serde::Serialize;

use super::args::{self, Format, Results};
use super::results::{self, Failed};
use crate::config::{self, BadInput};
use crate::exit::Exit;
use crate::journal;
use crate::output;
use crate::place;
use crate::store::Store;

pub(crate) fn runs(args: &args::Runs) -> Result<Exit, BadInput> {
    let mut journal = open(args)?;
    let runs = journal.runs().map_err(|lost| journal::failed(&lost))?;
    let mut told = Vec::new();
    for run in runs {
        let tally = tally(&mut journal, &run)?;
        if args.kept.json {
            told.push(Told {
                run: run.id.0,
                name: run.name,
                planned_at: utc(run.at),
                captures: run.captures,
                is_decided: tally.is_decided(),
                by_outcome: tally,
            });
        } else {
            let name = &run.name;
            output::line(&format!(
                "run {}  {}  {name}  {}",
                run.id.0,
                utc(run.at),
                summary(&tally)
            ));
        }
    }
    if args.kept.json {
        output::json(&told);
    }
    Ok(Exit::Yes)
}

pub(crate) fn results(args: &Results) -> Result<Exit, BadInput> {
    let mut journal = open(&args.of)?;
    let id = find(&mut journal, args.run)?.id;
    let written = match &args.file {
        Some(path) => {
            let format = results::format(path)?;
            let file = fs::File::create_new(path)
                .map_err(|error| BadInput::new("file", format!("{}: {error}", path.display())))?;
            results::write(&mut journal, id, format, false, file)
        }
        None => {
            let format = if args.of.kept.json { Format::Jsonl } else { Format::Csv };
            results::write(&mut journal, id, format, false, std::io::stdout().lock())
        }
    };
    match written {
        Ok(()) => Ok(Exit::Yes),
        Err(Failed::Journal(lost)) => Err(journal::failed(&lost)),
        Err(Failed::Io(error)) => {
            output::written(Err(error));
            Ok(if output::stdout_failed() || args.file.is_some() { Exit::No } else { Exit::Yes })
        }
    }
}

/// The list of this number.
pub(super) fn find(journal: &mut Store, number: i64) -> Result<Run, BadInput> {
    let run = journal.run(RunId(number)).map_err(|lost| journal::failed(&lost))?;
    run.ok_or_else(|| {
        let sentence = format!(
            "run {number}: the journal has no such list in this environment; see capture runs"
        );
        BadInput::new("run", sentence)
    })
}

pub(super) fn open(args: &args::Runs) -> Result<Store, BadInput> {
    let environment = config::environment(args.environment.as_deref())?;
    journal::read(&place::find(args.kept.journal.as_deref())?, &environment)
}

/// What a list comes to; counted only as long as something of it is open.
pub(crate) fn tally(journal: &mut Store, run: &Run) -> Result<Tally, BadInput> {
    match &run.ended {
        Some(tally) => Ok(tally.clone()),
        None => journal.tally(run.id).map_err(|lost| journal::failed(&lost)),
    }
}

/// In one line: how many stand where, with the money captured.
pub(crate) fn summary(tally: &Tally) -> String {
    let mut words = Vec::new();
    for stands in Stands::ALL {
        let count = tally.count(stands);
        if count > 0 {
            let money = tally.money(stands).join(", ");
            words.push(format!("{} {count} ({money})", stands.name().replace('_', " ")));
        }
    }
    words.join(", ")
}

/// One of `capture runs --json`.
#[derive(Serialize)]
struct Told {
    run: i64,
    name: String,
    planned_at: String,
    captures: u64,
    is_decided: bool,
    by_outcome: Tally,
}
