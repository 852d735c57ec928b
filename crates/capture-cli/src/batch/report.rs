//! `capture report`: what became of a list, as one HTML file.

use std::ops::ControlFlow;
use std::time::SystemTime;

use capture_bulk::Head;
use capture_journal::environment_name;
use serde::Serialize;

use super::args::Report;
use super::runs;
use crate::config::{self, BadInput};
use crate::exit::Exit;
use crate::file::{self, Readers};
use crate::journal;
use crate::output;
use crate::store::Store;

pub(crate) fn run(args: &Report) -> Result<Exit, BadInput> {
    let environment = config::environment(args.of.environment.as_deref())?;
    let mut journal = runs::open(&args.of)?;
    let run = runs::find(&mut journal, args.run)?;
    let id = run.id;
    let journal_head = match &mut journal {
        Store::File(file) => Some(file.head().map_err(|lost| journal::failed(&lost))?),
        // It has a chain for each opening.
        Store::Database(_) => None,
    };
    let mut report = capture_bulk::Report::new(Head {
        run,
        environment: environment_name(&environment),
        journal_head,
        made_at: SystemTime::now(),
    });
    let read = journal.lines(id, &mut |line, story| {
        report.add(&line, &story);
        ControlFlow::Continue(())
    });
    read.map_err(|lost| journal::failed(&lost))?;
    let path = args.html.display();
    // It has references and amounts, as the journal has, which only its owner can read.
    file::write(&args.html, report.html().as_bytes(), Readers::Owner)
        .map_err(|error| BadInput::new("html", format!("{path}: {error}")))?;
    if args.of.kept.json {
        output::json(&Told {
            run: id.0,
            html: path.to_string(),
            captures: report.tally().captures(),
        });
    } else {
        output::line(&format!("run {}: {}", id.0, runs::summary(report.tally())));
        output::line(&format!("  report: {path}"));
    }
    Ok(Exit::Yes)
}

/// `capture report --json`.
#[derive(Serialize)]
struct Told {
    run: i64,
    html: String,
    captures: u64,
}
