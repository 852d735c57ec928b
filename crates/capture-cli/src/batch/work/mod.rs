//! `capture work`: the journal is drained as a service, until a signal.

mod health;
mod log;
mod metrics;
mod notify;
mod pages;
mod reopen;
mod rounds;
mod state;

use std::sync::Arc;

use capture_core::one_line;
use capture_journal::{End, News, Pace, RunError, Stands};
use serde::Serialize;
use tracing::{error, info};

use super::args::Service;
use super::prepared::Prepared;
use crate::config::BadInput;
use crate::exit::Exit;
use crate::journal;
use crate::output;
use log::TARGET;
use notify::Notify;
use rounds::Rounds;
use state::{Seen, State};

pub(crate) fn run(args: &Service) -> Result<Exit, BadInput> {
    log::begin(args.log);
    let work = Prepared::new(&args.work)?;
    let listener = args.health.as_deref().map(health::bind).transpose()?;
    let (state, notify) = (State::new(), Arc::new(Notify::new()));
    let mut rounds = Rounds::new(&state, &notify);
    let Some(mut journal) = work.open_in_time(&mut rounds)? else { return Ok(Exit::Nothing) };
    let client = work.connect({
        let (state, notify) = (state.clone(), Arc::clone(&notify));
        move || {
            state.ends("it is stopping");
            notify.say("STOPPING=1\nSTATUS=waiting for what is on its way");
            info!(target: TARGET, "stopping: nothing more begins; what is on its way is waited for");
        }
    })?;
    let client = client.with_observer(state.clone());
    let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
    if let Some(listener) = listener {
        let (place, environment) = (work.place.clone(), work.environment.clone());
        let read = move || journal::read(&place, &environment).ok();
        let pages = pages::pages(state.clone(), read);
        health::serve(listener, pages)
            .map_err(|error| BadInput::new("health", format!("health: {error}")))?;
    }
    info!(
        target: TARGET,
        version = env!("CARGO_PKG_VERSION"),
        environment = %work.environment.base_url(),
        production = work.environment.is_production(),
        journal = %work.place,
        health = address.map(tracing::field::display),
        "started"
    );
    notify.say("READY=1\nSTATUS=started");
    // A service has no list: nothing goes one by one, and refusals say nothing about one.
    let pace = Pace { stays: true, one_by_one: 0, ..work.pace };
    let end = loop {
        let end = client.run(journal, &pace, &work.stop, |news| match news {
            News::Ended(ended) => {
                state.ended(ended);
                log::ended(ended);
            }
            News::Brake(brake) => {
                state.brakes(brake);
                log::brakes(brake);
            }
            News::Round(round) => rounds.goes_round(round),
            News::Lost(lost) => {
                error!(target: TARGET, "{}; nothing more begins", one_line(lost));
                match work.goes_on_without_journal() {
                    true => state.journal_is_there(false),
                    false => state.ends("the journal failed"),
                }
            }
        });
        let Err(failed) = end else { break end };
        reopen::tell_unrecorded(&failed);
        if !work.goes_on_without_journal() {
            break Err(failed);
        }
        journal = match work.open_in_time(&mut rounds) {
            Ok(Some(journal)) => journal,
            Ok(None) => break Ok(End::Stopped),
            // Captures have been sent by now, and no error may say otherwise.
            Err(bad) => {
                error!(target: TARGET, "{}", bad.sentence);
                state.ends("the journal failed");
                break Err(failed);
            }
        };
    };
    notify.say("STOPPING=1");
    let mut seen = state.seen();
    // What was on its way when the journal was lost is known to the journal alone.
    let mut in_journal = if seen.has_lost_journal { None } else { Some(0) };
    if (seen.doubts() > 0 || seen.has_lost_journal)
        && let Ok(mut journal) = journal::read(&work.place, &work.environment)
    {
        seen.ask(&mut journal);
        in_journal = in_journal.or_else(|| journal.open_now().ok().map(|open| open.unknown));
    }
    Ok(tell(&seen, &end, in_journal, args.work.connection.json))
}

#[derive(Serialize)]
struct Told<'a> {
    captured: u64,
    captured_with_caveat: u64,
    not_captured: u64,
    unknown: u64,
    stopped_by: &'a str,
    next_step: Option<&'a str>,
}

/// How it ended.
///
/// `in_journal` is how many the journal has in doubt that this process does not know of; `None` if nobody can say.
fn tell(seen: &Seen, end: &Result<End, RunError>, in_journal: Option<u64>, as_json: bool) -> Exit {
    let captured = seen.count(Stands::Captured);
    let captured_with_caveat = seen.count(Stands::CapturedWithCaveat);
    // To the journal, what could not be recorded is in doubt.
    let unrecorded = end.as_ref().err().map_or(0, |failed| failed.unrecorded.len() as u64);
    let unknown = (seen.doubts() + unrecorded).max(in_journal.unwrap_or(1));
    let not_captured = seen.count(Stands::NotCaptured);
    let (stopped_by, exit) = match end {
        Err(_) => ("the journal failed", Exit::Unknown),
        Ok(End::Stopped) if unknown == 0 => ("a signal", Exit::Yes),
        Ok(End::Stopped) => ("a signal", Exit::Unknown),
        Ok(_) => {
            let exit = match (unknown, seen.has_sent) {
                (0, false) => Exit::Nothing,
                (0, true) => Exit::Unsent,
                _ => Exit::Unknown,
            };
            ("the API refuses the credentials", exit)
        }
    };
    let next_step = match exit {
        Exit::Yes => None,
        Exit::Unknown => Some("start it again: what is in doubt is looked up first"),
        _ => Some("check the credentials and the environment, then start it again"),
    };
    info!(
        target: TARGET, captured, captured_with_caveat, not_captured, unknown, stopped_by, next_step,
        exit_code = exit as u8, "ended"
    );
    if as_json {
        output::json(&Told {
            captured,
            captured_with_caveat,
            not_captured,
            unknown,
            stopped_by,
            next_step,
        });
    }
    exit
}
