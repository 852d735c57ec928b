//! The results of a list: every line with what became of it, as CSV or JSON lines.

use std::borrow::Cow;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use capture_core::{Attempt, Operation, Outcome, Phase};
use capture_journal::{Ended, Journal as _, Line, Lost, RunId, Stands, Story, utc};
use serde::Serialize;
use tempfile::NamedTempFile;

use super::args::Format;
use crate::config::BadInput;
use crate::store::Store;

/// One line of the results. The order of the fields is that of the columns.
#[derive(Serialize)]
struct Told<'a> {
    line: u32,
    order_id: String,
    amount: String,
    currency: String,
    reference: Option<&'a str>,
    capture_before: Option<String>,
    outcome: &'static str,
    code: Option<&'static str>,
    reason: Option<String>,
    amount_verified: bool,
    idempotency_key: String,
    attempts: usize,
    request_id: Option<String>,
    recorded_at: Option<String>,
    next_step: Option<String>,
}

const HEADER: &str = "line,order_id,amount,currency,reference,capture_before,outcome,code,reason,\
amount_verified,idempotency_key,attempts,request_id,recorded_at,next_step\n";

impl<'a> Told<'a> {
    fn new(line: &'a Line, story: &Story, is_amid: bool) -> Self {
        let money = line.capture.money();
        let outcome = story.told();
        let outcome = outcome.filter(|outcome| !is_amid || Stands::after(outcome).is_decided());
        let is_capture =
            |it: &&Attempt| it.operation == Operation::Capture && it.phase != Phase::NotSent;
        let attempts = outcome.as_ref().map_or(&[][..], Outcome::attempts);
        Self {
            line: line.line,
            order_id: line.capture.order_id().to_string(),
            amount: money.decimal(),
            currency: money.currency().to_string(),
            reference: line.reference.as_deref(),
            capture_before: line.capture_before.map(utc),
            outcome: match Stands::of(story) {
                // A run is at work on it, or was: only the journal knows.
                Stands::Left | Stands::Unknown if is_amid => "pending",
                stands => stands.name(),
            },
            code: outcome.as_ref().map(Outcome::code),
            reason: outcome.as_ref().map(ToString::to_string),
            amount_verified: matches!(&outcome, Some(Outcome::Captured(it)) if it.amount_verified()),
            idempotency_key: line.capture.idempotency_key().to_string(),
            attempts: attempts.iter().filter(is_capture).count(),
            request_id: attempts.iter().rev().find_map(|it| it.request_id.clone()),
            recorded_at: story.entries.last().map(|entry| utc(entry.at)),
            next_step: outcome.as_ref().map(|it| it.next_step().into_owned()),
        }
    }

    fn write(&self, to: &mut impl Write, format: Format) -> io::Result<()> {
        match format {
            Format::Jsonl => {
                serde_json::to_writer(&mut *to, self)?;
                to.write_all(b"\n")
            }
            Format::Csv => {
                fn text(text: &Option<String>) -> Cow<'_, str> {
                    cell(text.as_deref().unwrap_or(""))
                }
                writeln!(
                    to,
                    "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
                    self.line,
                    self.order_id,
                    self.amount,
                    self.currency,
                    cell(self.reference.unwrap_or("")),
                    text(&self.capture_before),
                    self.outcome,
                    self.code.unwrap_or(""),
                    text(&self.reason),
                    self.amount_verified,
                    self.idempotency_key,
                    self.attempts,
                    text(&self.request_id),
                    text(&self.recorded_at),
                    text(&self.next_step),
                )
            }
        }
    }
}

/// A field of CSV. A spreadsheet would run what begins like a formula.
fn cell(text: &str) -> Cow<'_, str> {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t']);
    let is_plain = !text.contains([',', '"', '\n', '\r', ';']) && !is_formula;
    if is_plain {
        return text.into();
    }
    let mark = if is_formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\"")).into()
}

/// Every line of a list; what is not decided is `pending` while a run that has just begun is at it.
pub(crate) fn write(
    journal: &mut Store,
    run: RunId,
    format: Format,
    is_amid: bool,
    to: impl Write,
) -> Result<(), Failed> {
    let mut to = BufWriter::new(to);
    if format == Format::Csv {
        to.write_all(HEADER.as_bytes())?;
    }
    let mut written = Ok(());
    journal.lines(run, &mut |line, story| {
        written = Told::new(&line, &story, is_amid).write(&mut to, format);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written?;
    Ok(to.flush()?)
}

/// Why results could not be written.
pub(crate) enum Failed {
    Journal(Lost),
    Io(io::Error),
}

impl From<Lost> for Failed {
    fn from(lost: Lost) -> Self {
        Self::Journal(lost)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A file of results: a line for each capture as it ends, and at the end all of them in the order of the
/// list.
pub(crate) struct File {
    path: PathBuf,
    format: Format,
    journal: Store,
    run: RunId,
    appended: BufWriter<std::fs::File>,
}

/// The format by the file's name.
pub(crate) fn format(path: &Path) -> Result<Format, BadInput> {
    match path.extension().and_then(|it| it.to_str()) {
        Some("csv") => Ok(Format::Csv),
        Some("jsonl" | "ndjson") => Ok(Format::Jsonl),
        _ => Err(BadInput::new("out", format!("{}: must end in .csv or .jsonl", path.display()))),
    }
}

impl File {
    /// Begins with what the list has come to before.
    pub(crate) fn new(path: &Path, journal: Store, run: RunId) -> Result<Self, BadInput> {
        let format = format(path)?;
        let failed =
            |error: io::Error| BadInput::new("out", format!("{}: {error}", path.display()));
        let open = || OpenOptions::new().append(true).create(true).open(path);
        let appended = BufWriter::new(open().map_err(failed)?);
        let mut file = Self { path: path.to_owned(), format, journal, run, appended };
        file.write(true)?;
        file.appended = BufWriter::new(open().map_err(failed)?);
        Ok(file)
    }

    /// A capture ended. What cannot be written now is written at the end.
    pub(crate) fn add(&mut self, ended: &Ended) {
        let (intent, order) = (ended.held.intent, ended.outcome.capture().order_id());
        let Ok(stories) = self.journal.stories(order) else { return };
        let Some(story) = stories.iter().find(|story| story.intent == intent) else { return };
        let lines = self.journal.lines_of(intent).unwrap_or_default();
        for (_, line) in lines.iter().filter(|(run, _)| *run == self.run) {
            let result = Told::new(line, story, false).write(&mut self.appended, self.format);
            drop(result.and_then(|()| self.appended.flush()));
        }
    }

    /// All lines, in the order of the list, in place of what was appended.
    pub(crate) fn write_all(&mut self) -> Result<(), BadInput> {
        self.write(false)
    }

    fn write(&mut self, is_amid: bool) -> Result<(), BadInput> {
        let failed = |error: &dyn std::fmt::Display| {
            BadInput::new("out", format!("{}: {error}", self.path.display()))
        };
        let directory = self.path.parent().filter(|it| !it.as_os_str().is_empty());
        let mut new =
            NamedTempFile::new_in(directory.unwrap_or(Path::new("."))).map_err(|it| failed(&it))?;
        match write(&mut self.journal, self.run, self.format, is_amid, new.as_file_mut()) {
            Ok(()) => {}
            Err(Failed::Journal(lost)) => return Err(failed(&lost)),
            Err(Failed::Io(error)) => return Err(failed(&error)),
        }
        new.as_file().sync_all().map_err(|it| failed(&it))?;
        new.persist(&self.path).map_err(|it| failed(&it.error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_are_quoted_and_never_run() {
        for (text, expect) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("-5", "\"'-5\""),
            ("@x", "\"'@x\""),
            ("two\nlines", "\"two\nlines\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), expect);
        }
    }
}
