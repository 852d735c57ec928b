//! What every command that works off the journal prepares: where, with what, how fast, and what a signal does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use capture_client::Stop;
use capture_core::{Environment, Policy, Resend, Setup};
use capture_journal::Pace;

use super::args::Work;
use crate::args;
use crate::config::{self, BadInput};
use crate::exit::Exit;
use crate::journal;
use crate::place::{self, Place};
use crate::route::Route;
use crate::store::Store;
use crate::transport::Client;

/// Where, with what and how it is worked off.
pub(super) struct Prepared<'a> {
    pub(super) args: &'a Work,
    pub(super) environment: Environment,
    pub(super) place: Place,
    pub(super) pace: Pace,
    /// Whether events are printed while it works.
    pub(super) tells_events: bool,
    policy: Policy,
    /// Nothing more begins.
    pub(super) stop: Stop,
    /// What is on its way ends, too.
    pub(super) end: Stop,
}

impl<'a> Prepared<'a> {
    pub(super) fn new(args: &'a Work) -> Result<Self, BadInput> {
        let environment = config::environment(args.connection.environment.as_deref())?;
        let is_named = args.journal.is_some() || std::env::var_os("CAPTURE_JOURNAL").is_some();
        if environment.is_production() && !is_named {
            let sentence = "journal: against production, name the journal of the lists by --journal FILE or \
                            CAPTURE_JOURNAL";
            return Err(BadInput::new("journal", sentence));
        }
        let place = place::find(args.journal.as_deref())?;
        let per_second = match &*args.rate {
            "none" => None,
            rate => match rate.parse::<u32>() {
                Ok(rate @ 1..=10_000) => Some(rate),
                _ => {
                    let sentence = format!("rate {rate}: must be 1 to 10000, or none");
                    return Err(BadInput::new("rate", sentence));
                }
            },
        };
        let timeout = args.connection.attempt_timeout.as_deref();
        let is_keyed = args.resend == args::Resend::Keyed;
        let resend = if is_keyed { Resend::Keyed } else { Resend::Never };
        let concurrency = usize::from(args.concurrency);
        let pace = Pace {
            concurrency,
            // A doubt that cannot be sent again is expensive.
            ahead: if is_keyed { concurrency * 4 } else { 0 },
            per_second,
            one_by_one: if environment.is_production() { 5 } else { 0 },
            ..Pace::default()
        };
        let deadline = args.deadline.as_deref();
        let policy = config::policy(timeout, deadline, None)?.with_resend(resend);
        let (stop, end) = (Stop::new(), Stop::new());
        Ok(Self { args, environment, place, pace, tells_events: false, policy, stop, end })
    }

    pub(super) fn open(&self) -> Result<Store, BadInput> {
        journal::open(&self.place, &self.environment)
    }

    /// The client. `stops` is called when the first signal comes, in a thread of its own.
    pub(super) fn connect(
        &self,
        stops: impl Fn() + Send + Sync + 'static,
    ) -> Result<Client, BadInput> {
        let route = Route::new(&self.args.connection, &self.environment)?;
        let tokens = config::tokens(self.args.connection.credentials.as_deref())?;
        let setup = Setup::new(&self.environment, tokens)
            .with_policy(self.policy)
            .with_content_type(self.args.content_type.parse()?);
        let client = Client::new(self.args.connection.transport, setup, &route)?;
        self.stop_when_interrupted(stops)?;
        Ok(client.with_stop(&self.end))
    }

    /// The first signal drains; after a while, what is on its way is ended as unknown. The second one ends
    /// the process at once: the journal is whole.
    fn stop_when_interrupted(
        &self,
        stops: impl Fn() + Send + Sync + 'static,
    ) -> Result<(), BadInput> {
        let (stop, end, grace) = (self.stop.clone(), self.end.clone(), self.args.grace);
        let (was_told, stops) = (Arc::new(AtomicBool::new(false)), Arc::new(stops));
        ctrlc::set_handler(move || {
            if was_told.swap(true, Ordering::Relaxed) {
                std::process::exit(Exit::Unknown as i32);
            }
            let end = end.clone();
            thread::spawn(move || {
                thread::sleep(Duration::from_secs(grace));
                end.stop();
            });
            let (says, said) = mpsc::channel();
            let stops = Arc::clone(&stops);
            thread::spawn(move || {
                stops();
                let _ = says.send(());
            });
            // The reader of what is said may have stopped reading.
            let _ = said.recv_timeout(Duration::from_secs(1));
            stop.stop();
        })
        .map_err(|error| BadInput::new("signal", format!("Ctrl-C cannot be watched: {error}")))
    }
}
