//! The durable client for code that blocks.

use std::fmt;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use capture_client::Stop;
use capture_client::blocking::{Client, Transport};
use capture_core::{Capture, OrderId, Outcome};

use crate::begin::{Begun, DurableError, Recorded};
use crate::drive::{Heard, News, ROUND, Run, RunError};
use crate::foreman::{End, Move};
use crate::journal::{Held, How, Journal, Work};
use crate::pace::Pace;
use crate::story::Story;
use crate::writer::{Hold, Writer};

/// The same as [`crate::Durable`], for code that blocks.
pub struct Durable<T> {
    client: Client<T>,
    writer: Writer,
}

impl<T: Transport> Durable<T> {
    /// This client over this journal, which must be of the client's environment.
    pub fn new(client: Client<T>, journal: impl Journal + 'static) -> Self {
        Self { client, writer: Writer::new(journal) }
    }

    /// The same journal under another client, such as one with another policy or a trace header.
    #[must_use]
    pub fn with_client(&self, client: Client<T>) -> Self {
        Self { client, writer: self.writer.clone() }
    }

    /// The plain client, which keeps no record.
    #[must_use]
    pub fn client(&self) -> &Client<T> {
        &self.client
    }

    /// Captures, once: the outcome is the recorded one if there is one.
    ///
    /// # Errors
    /// Another process is at it, the order was asked for with other values, or the journal failed.
    pub fn capture(&self, capture: &Capture) -> Result<Recorded, DurableError> {
        match pollster::block_on(self.writer.begin(capture))? {
            Begun::Decided(recorded) => Ok(recorded),
            Begun::Work(hold) => self.work(hold),
        }
    }

    /// Writes the capture down, to be done by [`settle_next`](Self::settle_next). It is durable when
    /// this returns; a decided order answers from the record.
    ///
    /// # Errors
    /// As [`Durable::capture`].
    pub fn enqueue(&self, capture: &Capture) -> Result<Option<Recorded>, DurableError> {
        pollster::block_on(self.writer.enqueue(capture))
    }

    /// Does one capture that is due: one that was written down, interrupted or in doubt. `None` if there
    /// is none.
    ///
    /// # Errors
    /// When the journal failed.
    pub fn settle_next(&self) -> Result<Option<Recorded>, DurableError> {
        match pollster::block_on(self.writer.next())? {
            Some(hold) => self.work(hold).map(Some),
            None => Ok(None),
        }
    }

    /// Works off what is due in the journal, many at once, each in a thread of its own, until nothing is left
    /// that can be decided or until it is stopped: then nothing more begins, and what is on its way is
    /// waited for.
    ///
    /// # Errors
    /// When the journal failed.
    ///
    /// # Panics
    /// When the transport does; what it was at is in doubt then, and everything else is recorded.
    pub fn run(
        &self,
        pace: &Pace,
        stop: &Stop,
        mut news: impl FnMut(News<'_>),
    ) -> Result<End, RunError> {
        let heard = Heard::default();
        let client = self.client.with_observer(heard.clone());
        let mut run = Run::new(&self.writer, *pace, client.now(), heard);
        let (happens, happened) = mpsc::channel();
        let (hands_out, handed) = mpsc::channel();
        let handed = Mutex::new(handed);
        thread::scope(|scope| {
            let hands_out = hands_out;
            let mut threads = 0;
            loop {
                run.tell_brake(client.now(), &mut news);
                let until = match run.next(client.now()) {
                    Move::Turn(turn) => {
                        let happens = happens.clone();
                        run.turns(turn, client.now(), move || drop(happens.send(Happened::Turned)));
                        continue;
                    }
                    Move::Start(work) => {
                        if run.foreman.running() > threads {
                            let (client, handed, happens) = (&client, &handed, happens.clone());
                            scope.spawn(move || works(client, handed, &happens));
                            threads += 1;
                        }
                        hands_out.send(work).expect("the threads outlive the loop");
                        continue;
                    }
                    Move::Done(end) => return Ok(end),
                    Move::Wait(until) => until,
                };
                run.tell_round(None, &mut news);
                let wait = until.map(|until| until.saturating_sub(client.now().monotonic()));
                match happened.recv_timeout(wait.unwrap_or(LOOKS_UP).min(LOOKS_UP)) {
                    Ok(Happened::Finished(held, outcome)) => {
                        run.foreman.finished(held, *outcome, client.now());
                    }
                    Ok(Happened::Panicked(held)) => {
                        run.foreman.vanished(held, client.now());
                        run.foreman.stop();
                    }
                    Ok(Happened::Turned) | Err(_) => {}
                }
                match run.try_turned() {
                    Some(Ok(turned)) => run.turned(turned, client.now(), &mut news),
                    Some(Err(lost)) => {
                        news(News::Lost(&lost));
                        run.turning = None;
                        while run.foreman.running() > 0 {
                            run.tell_round(None, &mut news);
                            match happened.recv_timeout(ROUND) {
                                Ok(Happened::Finished(held, outcome)) => {
                                    run.foreman.finished(held, *outcome, client.now());
                                }
                                Ok(Happened::Panicked(held)) => {
                                    run.foreman.vanished(held, client.now());
                                }
                                _ => {}
                            }
                        }
                        return Err(run.lose(lost));
                    }
                    None => {}
                }
                if stop.is_stopped() {
                    run.foreman.stop();
                }
            }
        })
    }

    /// All that is recorded of an order, one story for each capture of it, oldest first.
    ///
    /// # Errors
    /// When the journal failed.
    pub fn stories(&self, order: OrderId) -> Result<Vec<Story>, DurableError> {
        pollster::block_on(self.writer.read(order))
    }

    fn work(&self, mut hold: Hold) -> Result<Recorded, DurableError> {
        let outcome = match hold.begin() {
            How::Fresh(capture) => self.client.capture(&capture),
            How::Resume(ticket) => self.client.resume(ticket),
        };
        pollster::block_on(hold.end(outcome))
    }
}

/// What the threads tell the loop.
enum Happened {
    /// The turn under way has returned.
    Turned,
    Finished(Held, Box<Outcome>),
    Panicked(Held),
}

/// How long the loop waits at most before it sees that it was stopped.
const LOOKS_UP: Duration = Duration::from_millis(50);

/// A thread that does what it is handed.
fn works<T: Transport>(
    client: &Client<T>,
    handed: &Mutex<Receiver<Work>>,
    happens: &Sender<Happened>,
) {
    loop {
        let work = handed.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Work { held, how }) = work else { return };
        let _watched = Watched { held, happens };
        let outcome = match how {
            How::Fresh(capture) => client.capture(&capture),
            How::Resume(ticket) => client.resume(ticket),
        };
        let _ = happens.send(Happened::Finished(held, Box::new(outcome)));
    }
}

/// Says that a capture panicked; the scope passes the panic on once all have ended.
struct Watched<'a> {
    held: Held,
    happens: &'a Sender<Happened>,
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.happens.send(Happened::Panicked(self.held));
        }
    }
}

impl<T: Transport> Clone for Durable<T> {
    fn clone(&self) -> Self {
        self.with_client(self.client.clone())
    }
}

impl<T> fmt::Debug for Durable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Durable").field("client", &self.client).finish_non_exhaustive()
    }
}
