//! `capture plan`: a file is checked line by line, and held to what the journal knows. Nothing is sent.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use capture_bulk::{Format, Options, PlanId, Planner, ReadError, Table, read};
use capture_core::{Capture, Environment, Outcome, Refusal, limits, one_line};
use capture_journal::{Answer, Deadlines, KnownLine, Line, RunId, Standing, environment_name, utc};
use serde::Serialize;

use super::args::{self, List, Plan};
use super::guards::{self, Guards};
use super::runs::{find, summary, tally};
use crate::config::{self, BadInput};
use crate::exit::Exit;
use crate::journal;
use crate::output;
use crate::place;
use crate::store::Store;

/// A file without a fault, staged in the journal.
pub(crate) struct Checked {
    pub(crate) name: String,
    pub(crate) table: Table,
    pub(crate) id: PlanId,
    /// The list, where it was planned before.
    pub(crate) planned: Option<RunId>,
    /// How many of its orders the journal has already, captured and open.
    pub(crate) captured: u64,
    pub(crate) open: u64,
    /// What it was held to, as flags.
    pub(crate) guards: String,
}

pub(crate) fn run(args: &Plan) -> Result<Exit, BadInput> {
    let environment = config::environment(args.environment.as_deref())?;
    let place = place::find(args.kept.journal.as_deref())?;
    let mut journal = journal::open(&place, &environment)?;
    let json = args.kept.json;
    let checked = check(&args.file, &args.list, &args.guards, &environment, &mut journal, json)?;
    let Some(checked) = checked else { return Ok(Exit::Nothing) };
    let deadlines = journal.deadlines(SystemTime::now(), Some(args::RATE));
    let deadlines = deadlines.map_err(|lost| journal::failed(&lost))?;
    if json {
        output::json(&Planned::new(&checked, &deadlines));
    } else {
        checked.print(&deadlines);
        if let Some(run) = checked.planned {
            let run = find(&mut journal, run.0)?;
            let tally = tally(&mut journal, &run)?;
            output::line(&format!("  {}", summary(&tally)));
            if tally.is_decided() {
                output::line("nothing was sent, and nothing is left to do");
                return Ok(Exit::Yes);
            }
        }
        output::line("nothing was sent; to capture these:");
        output::line(&format!(
            "  capture run {} --confirm {}",
            args.file.display(),
            checked.confirmation()
        ));
    }
    Ok(Exit::Yes)
}

/// So many lines are staged together.
const AT_ONCE: usize = 1000;

/// Checks every line and stages it; `None` once faults have been printed.
pub(crate) fn check(
    file: &Path,
    list: &List,
    guards: &Guards,
    environment: &Environment,
    journal: &mut Store,
    json: bool,
) -> Result<Option<Checked>, BadInput> {
    let name = file.file_name().map_or_else(
        || "stdin".to_owned(),
        |name| {
            if file == Path::new("-") { "stdin".to_owned() } else { name.to_string_lossy().into() }
        },
    );
    let refuse = |why: String| BadInput::new("file", format!("{}: {why}", file.display()));
    let input: Box<dyn Read> = match file == Path::new("-") {
        true => Box::new(io::stdin().lock()),
        false => Box::new(File::open(file).map_err(|error| refuse(error.to_string()))?),
    };
    let limits = guards.limits()?;
    let history = journal.history(SystemTime::now()).map_err(|lost| journal::failed(&lost))?;
    let mut guard = limits::Check::new(&limits, &history);
    let as_text = serde_json::to_string(&limits).expect("plain values");
    let mut planner = Planner::new(&environment_name(environment), &as_text);
    let mut lines = Vec::with_capacity(AT_ONCE);
    let mut staging = journal.stage();
    let read = read(input, &options(file, list)?, |row| {
        planner.add(row);
        // A repeated line is one capture.
        if row.is_repeat {
            return Ok(());
        }
        guard.add(row.line, row.capture.money());
        lines.push(Line {
            line: row.line,
            capture: row.capture,
            reference: row.reference.map(str::to_owned),
            capture_before: row.capture_before,
        });
        if lines.len() < AT_ONCE {
            return Ok(());
        }
        let staged = journal.stage_lines(&lines);
        lines.clear();
        staged.map_err(|lost| {
            staging = Err(lost);
            io::Error::other("the journal failed")
        })
    });
    staging.and_then(|()| journal.stage_lines(&lines)).map_err(|lost| journal::failed(&lost))?;
    let table = match read {
        Ok(table) => table,
        Err(ReadError::Io(error)) => return Err(refuse(error.to_string())),
        Err(ReadError::Faults(faults)) => {
            tell_faults(&faults.named(&name).to_string(), &faults, json);
            return Ok(None);
        }
        Err(error) => return Err(refuse(one_line(&error))),
    };
    tell_table(&name, &table);
    let id = planner.finish();
    let planned = journal.planned(&id.0).map_err(|lost| journal::failed(&lost))?;
    let guards = limits.to_string();
    let mut checked = Checked { name, table, id, planned, captured: 0, open: 0, guards };
    // What was approved before was within its limits then, and its lines are told in its results.
    if checked.planned.is_some() {
        return Ok(Some(checked));
    }
    let mut obstacles = Obstacles::default();
    let known = journal.known_lines(&mut |known| match &known.answer {
        Answer::Decided(Outcome::Captured(_), _) => checked.captured += 1,
        Answer::Queued | Answer::Busy(_) => checked.open += 1,
        _ => obstacles.add(&known),
    });
    known.map_err(|lost| journal::failed(&lost))?;
    if !obstacles.is_empty() {
        obstacles.tell(&checked.name, json);
        return Ok(None);
    }
    let tripped = guard.finish();
    if !tripped.is_empty() {
        guards::tell(&checked.name, &tripped, json);
        return Ok(None);
    }
    Ok(Some(checked))
}

fn options(file: &Path, list: &List) -> Result<Options, BadInput> {
    let mut options = Options::default();
    let format = match list.format {
        Some(args::Format::Csv) => Some(Format::Csv),
        Some(args::Format::Jsonl) => Some(Format::JsonLines),
        None => Format::of_path(file),
    };
    if let Some(format) = format {
        options = options.format(format);
    }
    if let Some(columns) = &list.columns {
        options = options.columns(columns.parse()?);
    }
    Ok(options)
}

/// What a person should know about how the file was read.
fn tell_table(name: &str, table: &Table) {
    if let Some(separator) = table.separator {
        output::note(&format!("{name}: {} rows, separated by {separator}", table.rows));
    }
    if !table.ignored_columns.is_empty() {
        output::note(&format!(
            "{name}: columns that are not used: {}",
            table.ignored_columns.join(", ")
        ));
    }
    if table.empty_rows > 0 {
        output::note(&format!("{name}: {} empty rows at the end", table.empty_rows));
    }
    for repeat in table.repeats.iter().take(10) {
        output::note(&format!(
            "{name}:{}: the same as line {}; it is captured once",
            repeat.line, repeat.first_line
        ));
    }
    if table.repeats.len() > 10 {
        output::note(&format!("{name}: {} more lines are repeated", table.repeats.len() - 10));
    }
}

/// A machine gets the object that a person gets as text.
fn tell_faults(text: &str, faults: &impl Serialize, json: bool) {
    text.lines().for_each(output::note);
    output::note("nothing was sent");
    if json {
        #[derive(Serialize)]
        struct Faulty<'a, F> {
            error: &'a str,
            field: &'a str,
            #[serde(flatten)]
            faults: &'a F,
        }
        output::json(&Faulty {
            error: "the file has faults; nothing was sent",
            field: "file",
            faults,
        });
    }
}

/// A refused order can be asked for again under a new key. In a file with keys every line has one.
fn way_out(refusal: Option<&Refusal>, otherwise: &str) -> String {
    match refusal.and_then(Refusal::new_key) {
        Some(key) => format!(
            "to ask the API again, put the line in a file of its own, with a column key and the key {key}"
        ),
        None => otherwise.to_owned(),
    }
}

/// Lines that the journal stands in the way of.
#[derive(Default, Serialize)]
pub(super) struct Obstacles {
    problems: Vec<Obstacle>,
    more: u64,
    #[serde(skip)]
    count: u64,
}

#[derive(Serialize)]
struct Obstacle {
    line: u32,
    field: &'static str,
    value: String,
    why: String,
}

impl Obstacles {
    const MOST: usize = 100;

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn add(&mut self, known: &KnownLine) {
        let why = match &known.answer {
            Answer::Decided(outcome, at) => {
                let refusal = match outcome {
                    Outcome::NotCaptured(refusal) => Some(refusal),
                    _ => None,
                };
                let way_out = way_out(refusal, "take the line out");
                format!("{outcome} (recorded {}); {way_out}", utc(*at))
            }
            Answer::Other(other) => {
                let refusal = match &other.standing {
                    Standing::NotCaptured(refusal, _) => Some(refusal),
                    _ => None,
                };
                let way_out = way_out(refusal, "take the line out, or ask for the same");
                format!(
                    "it was asked for with {}, key {}, on {}, and is {}; {way_out}",
                    other.capture.money(),
                    other.capture.idempotency_key(),
                    utc(other.asked_at),
                    other.standing.name().replace('_', " ")
                )
            }
            _ => "the journal has it".to_owned(),
        };
        self.push(known.line, &known.capture, why);
    }

    pub(super) fn push(&mut self, line: u32, capture: &Capture, why: String) {
        self.count += 1;
        if self.problems.len() == Self::MOST {
            self.more += 1;
            return;
        }
        let value = capture.order_id().to_string();
        self.problems.push(Obstacle { line, field: "order_id", value, why });
    }

    pub(super) fn tell(&self, name: &str, json: bool) {
        let mut text = String::new();
        for Obstacle { line, field, value, why } in &self.problems {
            text += &format!("{name}:{line}: {field} {value}: {why}\n");
        }
        text += &format!("{} lines of {name} cannot be captured as they are", self.count);
        tell_faults(&text, self, json);
    }
}

impl Checked {
    /// How many are captured at most once, and for how much.
    pub(crate) fn captures(&self) -> u64 {
        self.table.totals.iter().map(|total| total.captures).sum()
    }

    /// What a person types to approve it.
    pub(crate) fn confirmation(&self) -> String {
        let totals = self.table.totals.iter().map(|total| total.to_string().replace(' ', ""));
        format!("{}:{}", self.captures(), totals.collect::<Vec<_>>().join(","))
    }

    fn print(&self, deadlines: &Deadlines) {
        output::line(&format!("plan {}  {}  {} captures", self.id, self.name, self.captures()));
        for total in &self.table.totals {
            output::line(&format!("  {:>8} captures, {total}", total.captures));
        }
        if self.captured + self.open > 0 {
            output::line(&format!(
                "  the journal has {} of them as captured, and {} as open",
                self.captured, self.open
            ));
        }
        let Deadlines { known, first, past, too_soon } = *deadlines;
        if let Some(first) = first {
            output::line(&format!("  {known} have a deadline, the first {}", utc(first)));
        }
        if past > 0 {
            output::line(&format!("  {past} deadlines are over: such an order may be void"));
        }
        if too_soon > 0 {
            output::line(&format!(
                "  {too_soon} more come before their turn; a higher --rate would do, if the API allows it"
            ));
        }
        if let Some(run) = self.planned {
            output::line(&format!("  planned before, as run {}: it goes on", run.0));
        }
    }
}

/// `capture plan --json`.
#[derive(Serialize)]
struct Planned {
    plan: String,
    name: String,
    captures: u64,
    totals: Vec<String>,
    captured_before: u64,
    open_before: u64,
    with_deadline: u32,
    first_deadline: Option<String>,
    deadlines_past: u32,
    deadlines_too_soon: u32,
    guards: String,
    run: Option<i64>,
    confirm: String,
}

impl Planned {
    fn new(checked: &Checked, deadlines: &Deadlines) -> Self {
        Self {
            plan: checked.id.to_string(),
            name: checked.name.clone(),
            captures: checked.captures(),
            totals: checked.table.totals.iter().map(ToString::to_string).collect(),
            captured_before: checked.captured,
            open_before: checked.open,
            with_deadline: deadlines.known,
            first_deadline: deadlines.first.map(utc),
            deadlines_past: deadlines.past,
            deadlines_too_soon: deadlines.too_soon,
            guards: checked.guards.clone(),
            run: checked.planned.map(|run| run.0),
            confirm: checked.confirmation(),
        }
    }
}
