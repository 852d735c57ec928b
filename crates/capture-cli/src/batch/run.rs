//! `capture run` and `capture settle`: lists are worked off, and what is in doubt is looked at again.

use std::path::Path;
use std::time::Duration;

use capture_journal::{End, News, Pace, RunId, Stands, Tally};
use serde::Serialize;

use super::args::{Run, Settle, Until, Work};
use super::confirm::confirmed;
use super::plan::check;
use super::preflight;
use super::prepared::Prepared;
use super::progress::{Progress, tell_unrecorded};
use super::results;
use super::runs::{find, tally};
use crate::config::BadInput;
use crate::exit::Exit;
use crate::journal;
use crate::output;
use crate::store::Store;
use crate::transport::Client;

pub(crate) fn run(args: &Run) -> Result<Exit, BadInput> {
    let work = prepared(&args.work, &args.until)?;
    if let Some(out) = &args.out {
        results::format(out)?;
        let real = |path: &Path| path.canonicalize().ok();
        if args.file.as_deref().is_some_and(|file| real(file).is_some() && real(file) == real(out))
        {
            let sentence = format!("{}: is the list itself; write to another file", out.display());
            return Err(BadInput::new("out", sentence));
        }
    }
    let preflight = args.preflight.as_deref().map(preflight::most).transpose()?;
    let mut journal = work.open()?;
    let Some(file) = &args.file else { return every(&work, journal) };
    let json = args.work.connection.json;
    let checked = check(file, &args.list, &args.guards, &work.environment, &mut journal, json)?;
    let Some(checked) = checked else { return Ok(Exit::Nothing) };
    if checked.planned.is_none() || args.confirm.is_some() {
        confirmed(&checked, args.confirm.as_deref(), work.environment.is_production())?;
    }
    // A list that is done needs neither network nor credentials.
    if let Some(run) = checked.planned {
        let found = find(&mut journal, run.0)?;
        let tally = tally(&mut journal, &found)?;
        if tally.is_decided() && args.out.is_none() {
            let exit = exit_of(&tally, Some(End::Finished), false);
            output::note(&format!("run {}: nothing was sent now: the list was done before", run.0));
            tell(Some(run), Some(End::Finished), &tally, exit, json);
            return Ok(exit);
        }
    }
    // Without credentials nothing is planned.
    let client = work.connect(say_that_it_stops)?;
    if let (Some(most), None) = (preflight, checked.planned)
        && !preflight::passes(&checked, most, &work, &mut journal, &client)?
    {
        return Ok(Exit::Nothing);
    }
    if work.stop.is_stopped() {
        output::note("nothing was sent, and nothing was planned");
        return Ok(Exit::Nothing);
    }
    if preflight.is_some() && checked.planned.is_some() {
        output::note("no preflight: the list was planned before");
    }
    let run = journal.plan(&checked.name, &checked.id.0, &checked.guards);
    let run = run.map_err(|lost| journal::failed(&lost))?;
    let Some(run) = run else {
        let sentence =
            "the journal has changed while the file was read; run the same command again";
        return Err(BadInput::new("file", sentence));
    };
    work.off(&client, journal, Some(run), args.out.as_deref())
}

/// Every list that is not decided, the oldest first.
fn every(work: &Prepared<'_>, mut journal: Store) -> Result<Exit, BadInput> {
    let json = work.args.connection.json;
    let mut open = Vec::new();
    for run in journal.runs().map_err(|lost| journal::failed(&lost))? {
        let tally = tally(&mut journal, &run)?;
        if !tally.is_decided() {
            open.push((run.id, tally));
        }
    }
    drop(journal);
    if open.is_empty() {
        output::note("no list is open");
        return Ok(Exit::Yes);
    }
    let client = work.connect(say_that_it_stops)?;
    let mut worst = None;
    for (run, tally) in open {
        let exit = match work.stop.is_stopped() {
            // It was not reached.
            true => exit_of(&tally, Some(End::Stopped), true),
            false => {
                let done =
                    work.open().and_then(|journal| work.off(&client, journal, Some(run), None));
                // What became of it is not known, and the lists before it may have been sent.
                done.unwrap_or_else(|bad| {
                    output::error(
                        json,
                        &format!("run {}: {}", run.0, bad.sentence),
                        Some(bad.field),
                    );
                    Exit::Unknown
                })
            }
        };
        worst = Some(worst.map_or(exit, |worst| worse(worst, exit)));
    }
    Ok(worst.unwrap_or(Exit::Yes))
}

pub(crate) fn settle(args: &Settle) -> Result<Exit, BadInput> {
    let work = prepared(&args.work, &args.until)?;
    let journal = work.open()?;
    let client = work.connect(say_that_it_stops)?;
    work.off(&client, journal, None, None)
}

fn prepared<'a>(args: &'a Work, until: &Until) -> Result<Prepared<'a>, BadInput> {
    let mut work = Prepared::new(args)?;
    work.pace.settle_for = Duration::from_secs(until.settle_for);
    work.tells_events = until.events;
    Ok(work)
}

/// Ctrl-C or SIGTERM came.
fn say_that_it_stops() {
    output::note("stopping: nothing more begins; what is on its way is waited for");
}

impl Prepared<'_> {
    /// Works a list off, or everything that is open.
    fn off(
        &self,
        client: &Client,
        mut journal: Store,
        run: Option<RunId>,
        out: Option<&Path>,
    ) -> Result<Exit, BadInput> {
        let before = match run {
            Some(id) => {
                let found = find(&mut journal, id.0)?;
                if self.environment.is_production() {
                    output::note("PRODUCTION: real money");
                }
                output::note(&format!(
                    "run {}: {}, {} captures, journal {}",
                    id.0, found.name, found.captures, self.place
                ));
                tally(&mut journal, &found)?
            }
            None => Tally::default(),
        };
        let mut file = match (out, run) {
            (Some(out), Some(run)) => {
                Some(results::File::new(out, journal::read(&self.place, &self.environment)?, run)?)
            }
            _ => None,
        };
        let mut progress = Progress::new(before, run.is_some(), self.tells_events);
        let pace = Pace { run, only_open: run.is_none(), ..self.pace };
        let news = |news: News<'_>| match news {
            News::Ended(ended) => {
                progress.ended(ended);
                if let Some(file) = &mut file {
                    file.add(ended);
                }
            }
            News::Brake(brake) => progress.brakes(brake),
            News::Round(_) => progress.goes_round(),
            News::Lost(_) => {}
        };
        let end = client.run(journal, &pace, &self.stop, news);
        progress.end();
        let (end, mut is_lost) = match end {
            Ok(end) => (Some(end), false),
            Err(error) => {
                tell_unrecorded(&error.unrecorded, &error.lost);
                (None, true)
            }
        };
        // From here on something may have been sent, and no error may say otherwise.
        if let Some(Err(bad)) = file.as_mut().map(results::File::write_all) {
            output::note(&format!("warning: {}; capture results has every line", bad.sentence));
        }
        let after = match run.filter(|_| !is_lost).map(|run| self.note_end(run)) {
            Some(Ok(tally)) => tally,
            Some(Err(bad)) => {
                output::note(&format!(
                    "warning: what the list came to cannot be read: {}",
                    bad.sentence
                ));
                is_lost = true;
                progress.tally
            }
            None => progress.tally,
        };
        let exit = match is_lost {
            true => Exit::Unknown,
            false => exit_of(&after, end, progress.has_sent),
        };
        tell(run, end, &after, exit, self.args.connection.json);
        Ok(exit)
    }

    /// What the list came to, by the journal itself.
    fn note_end(&self, run: RunId) -> Result<Tally, BadInput> {
        let mut journal = self.open()?;
        let tally = journal.tally(run).map_err(|lost| journal::failed(&lost))?;
        journal.note_end(run, &tally).map_err(|lost| journal::failed(&lost))?;
        Ok(tally)
    }
}

/// The worst line decides.
fn exit_of(tally: &Tally, end: Option<End>, has_sent: bool) -> Exit {
    let count = |stands| tally.count(stands);
    if count(Stands::Unknown) + count(Stands::CapturedWithCaveat) > 0 {
        Exit::Unknown
    } else if count(Stands::Left) > 0 {
        let is_untouched = count(Stands::Left) == tally.captures();
        match (end, has_sent) {
            (Some(End::NoAccess), false) => Exit::Nothing,
            (Some(_), false) if is_untouched => Exit::Nothing,
            _ => Exit::Unsent,
        }
    } else if count(Stands::NotCaptured) > 0 {
        Exit::No
    } else {
        Exit::Yes
    }
}

/// The worse of two lists. "Nothing was sent" is true of both or of none.
fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit: Exit| match exit {
        Exit::Yes => 0,
        Exit::No => 1,
        Exit::Nothing | Exit::Unsent => 2,
        Exit::Unknown => 3,
    };
    match (one, other) {
        (Exit::Nothing, Exit::Nothing) => Exit::Nothing,
        _ if rank(one).max(rank(other)) == 2 => Exit::Unsent,
        _ if rank(one) >= rank(other) => one,
        _ => other,
    }
}

/// Why it ended, where that was not because everything is done.
fn stopped_by(end: Option<End>) -> Option<&'static str> {
    Some(match end {
        Some(End::Finished) => return None,
        Some(End::Stopped) => "a signal",
        Some(End::OneByOne) => "one of the first five, which go one by one, was not captured",
        Some(End::WrongFile) => "half of the first 50 were refused: perhaps it is the wrong list",
        Some(End::NoAccess) => "the API refuses the credentials",
        Some(End::Outage) => "the API was out of order for too long",
        None => "the journal failed",
    })
}

#[derive(Serialize)]
struct Told<'a> {
    run: Option<i64>,
    captures: u64,
    captured: u64,
    captured_with_caveat: u64,
    not_captured: u64,
    unknown: u64,
    left: u64,
    by_outcome: &'a Tally,
    stopped_by: Option<&'a str>,
    next_step: Option<&'a str>,
}

fn tell(run: Option<RunId>, end: Option<End>, tally: &Tally, exit: Exit, as_json: bool) {
    let next_step = match exit {
        Exit::Unknown | Exit::Unsent => Some(
            "run the same command again: what is decided stays, what is in doubt is looked up, and the rest is captured",
        ),
        Exit::Nothing => Some(
            "nothing was sent; check the network, the credentials and the environment, then run the same \
             command again",
        ),
        Exit::No => {
            Some("the lines that were not captured are in capture results, each with what to do")
        }
        Exit::Yes => None,
    };
    let stopped_by = stopped_by(end);
    if as_json {
        output::json(&Told {
            run: run.map(|run| run.0),
            captures: tally.captures(),
            captured: tally.count(Stands::Captured),
            captured_with_caveat: tally.count(Stands::CapturedWithCaveat),
            not_captured: tally.count(Stands::NotCaptured),
            unknown: tally.count(Stands::Unknown),
            left: tally.count(Stands::Left),
            by_outcome: tally,
            stopped_by,
            next_step,
        });
        return;
    }
    let name = run.map_or_else(|| "settled".to_owned(), |run| format!("run {}", run.0));
    output::line(&format!("{name}: {} captures", tally.captures()));
    for stands in Stands::ALL {
        let count = tally.count(stands);
        if count > 0 {
            let money = tally.money(stands).join(", ");
            output::line(&format!("  {:<20} {count:>8}  {money}", stands.name().replace('_', " ")));
        }
    }
    if let Some(why) = stopped_by {
        output::line(&format!("  stopped: {why}"));
    }
    if let Some(next) = next_step {
        output::line(&format!("  next: {next}"));
    }
}
