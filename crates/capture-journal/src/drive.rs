//! Drives a foreman over a client and the journal: in async code here, in code that blocks beside it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use capture_client::{Event, Observer, Stop, Transport};
use capture_core::driver::Now;
use capture_core::{Finding, Outcome, Reason};
use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::durable::Durable;
use crate::foreman::{Brake, End, Ended, Foreman, Move};
use crate::journal::{Held, How, Lost, Turn, Turned};
use crate::pace::Pace;
use crate::writer::Writer;

/// What a run tells while it works.
#[derive(Debug)]
pub enum News<'a> {
    /// A capture ended, and is recorded.
    Ended(&'a Ended),
    /// What holds the sends back has changed.
    Brake(Option<Brake>),
    /// The work goes round, once a second at least: a turn of the journal has returned, or nothing is to do
    /// and no turn is under way. While a turn hangs there is none, which is how a watchdog notices.
    Round(Round),
    /// The journal failed. Nothing more begins; what is on its way is waited for, and cannot be recorded.
    Lost(&'a Lost),
}

/// One round of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// How long the turn took, if one has returned.
    pub turn: Option<Duration>,
    /// How many captures are on their way.
    pub running: usize,
    /// How many captures are claimed: on their way, not yet started, or not yet recorded.
    pub in_hand: usize,
    /// Why nothing more begins, once that is so.
    pub ends: Option<End>,
}

/// The journal failed amid a run: nothing more was started.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the journal failed; {} outcomes are not recorded", .unrecorded.len())]
pub struct RunError {
    /// What was on its way came to this. To the journal these captures are in doubt, and the next run
    /// looks them up.
    pub unrecorded: Vec<Outcome>,
    /// How the journal failed.
    #[source]
    pub lost: Arc<Lost>,
}

impl<T: Transport> Durable<T> {
    /// Works off what is due in the journal, many at once, until nothing is left that can be decided or
    /// until it is stopped: then nothing more begins, and what is on its way is waited for.
    ///
    /// Dropping the future leaves what is on its way in doubt, and gives the rest back.
    ///
    /// # Errors
    /// When the journal failed.
    pub async fn run(
        &self,
        pace: &Pace,
        stop: &Stop,
        mut news: impl FnMut(News<'_>),
    ) -> Result<End, RunError> {
        let heard = Heard::default();
        let client = self.client().with_observer(heard.clone());
        let mut run = Run::new(self.writer(), *pace, client.now(), heard);
        let mut flights = FuturesUnordered::new();
        let mut stopped = pin!(stop.stopped());
        loop {
            let is_stopped = stop.is_stopped();
            if is_stopped {
                run.foreman.stop();
            }
            run.tell_brake(client.now(), &mut news);
            let until = match run.next(client.now()) {
                Move::Turn(turn) => {
                    run.turns(turn, client.now(), || {});
                    continue;
                }
                Move::Start(work) => {
                    let client = &client;
                    flights.push(async move {
                        let outcome = match work.how {
                            How::Fresh(capture) => client.capture(&capture).await,
                            How::Resume(ticket) => client.resume(ticket).await,
                        };
                        (work.held, outcome)
                    });
                    continue;
                }
                Move::Done(end) => return Ok(end),
                Move::Wait(until) => until,
            };
            run.tell_round(None, &mut news);
            let wait = until.map(|until| until.saturating_sub(client.now().monotonic()));
            let mut rung = pin!(self.writer().wake().woken());
            let mut sleep = pin!(client.sleep(wait.map_or(ROUND, |wait| wait.min(ROUND))));
            let woken = poll_fn(|cx| {
                let turned = run.turning.as_mut().map(|answer| Pin::new(answer).poll(cx));
                if let Some(Poll::Ready(turned)) = turned {
                    let closed = |_| Err(Arc::new(Lost::Closed));
                    return Poll::Ready(Woken::Turned(turned.unwrap_or_else(closed)));
                }
                if let Poll::Ready(Some((held, outcome))) = flights.poll_next_unpin(cx) {
                    return Poll::Ready(Woken::Finished(held, outcome));
                }
                let is_over = run.heard.is_new()
                    || (run.turning.is_none() && rung.as_mut().poll(cx).is_ready())
                    || (!is_stopped && stopped.as_mut().poll(cx).is_ready())
                    || sleep.as_mut().poll(cx).is_ready();
                if is_over { Poll::Ready(Woken::Time) } else { Poll::Pending }
            });
            match woken.await {
                Woken::Turned(Ok(turned)) => run.turned(turned, client.now(), &mut news),
                Woken::Turned(Err(lost)) => {
                    news(News::Lost(&lost));
                    run.turning = None;
                    loop {
                        run.tell_round(None, &mut news);
                        match select(flights.next(), pin!(client.sleep(ROUND))).await {
                            Either::Left((Some((held, outcome)), _)) => {
                                run.foreman.finished(held, outcome, client.now());
                            }
                            Either::Left((None, _)) => return Err(run.lose(lost)),
                            Either::Right(_) => {}
                        }
                    }
                }
                Woken::Finished(held, outcome) => {
                    run.foreman.finished(held, outcome, client.now());
                }
                Woken::Time => {}
            }
        }
    }
}

/// What a wait ended with.
enum Woken {
    Turned(Result<Turned, Arc<Lost>>),
    Finished(Held, Outcome),
    Time,
}

/// How often it goes round at least.
pub(crate) const ROUND: Duration = Duration::from_secs(1);

/// A foreman at work. If its driver goes without a word, the journal learns what was in hand.
pub(crate) struct Run {
    writer: Writer,
    pub(crate) foreman: Foreman,
    heard: Heard,
    /// The turn under way, and what it records.
    pub(crate) turning: Option<oneshot::Receiver<Result<Turned, Arc<Lost>>>>,
    turning_since: Duration,
    recording: Vec<Outcome>,
    brake: Option<Brake>,
    is_lost: bool,
}

impl Run {
    pub(crate) fn new(writer: &Writer, pace: Pace, now: Now, heard: Heard) -> Self {
        Self {
            writer: writer.clone(),
            foreman: Foreman::new(pace, now),
            heard,
            turning: None,
            turning_since: Duration::ZERO,
            recording: Vec::new(),
            brake: None,
            is_lost: false,
        }
    }

    pub(crate) fn next(&mut self, now: Now) -> Move {
        match self.heard.take() {
            Some(Slow::Throttled(wait)) => self.foreman.throttled(wait, now),
            Some(Slow::Unavailable) => self.foreman.unavailable(now),
            None => {}
        }
        // What rings amid a turn may have come too late for it.
        if self.turning.is_none() && self.writer.wake().take() {
            self.foreman.look(now);
        }
        let next = self.foreman.next(now);
        if let Move::Turn(turn) = &next {
            self.recording = turn.settled.iter().map(|(_, outcome)| outcome.clone()).collect();
        }
        next
    }

    pub(crate) fn turns(&mut self, turn: Turn, now: Now, wake: impl FnOnce() + Send + 'static) {
        self.turning_since = now.monotonic();
        self.turning = Some(self.writer.turn(turn, wake));
    }

    pub(crate) fn turned(&mut self, turned: Turned, now: Now, news: &mut impl FnMut(News<'_>)) {
        self.turning = None;
        self.recording.clear();
        let ended = self.foreman.turned(turned, now);
        ended.iter().for_each(|ended| news(News::Ended(ended)));
        self.tell_round(Some(now.monotonic().saturating_sub(self.turning_since)), news);
    }

    pub(crate) fn tell_round(&self, turn: Option<Duration>, news: &mut impl FnMut(News<'_>)) {
        if self.turning.is_none() {
            let (running, in_hand) = (self.foreman.running(), self.foreman.in_hand());
            let ends = self.foreman.ending();
            news(News::Round(Round { turn, running, in_hand, ends }));
        }
    }

    /// What the turn under way returned, if it has.
    pub(crate) fn try_turned(&mut self) -> Option<Result<Turned, Arc<Lost>>> {
        match self.turning.as_mut()?.try_recv() {
            Ok(turned) => Some(turned),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Closed) => Some(Err(Arc::new(Lost::Closed))),
        }
    }

    pub(crate) fn tell_brake(&mut self, now: Now, news: &mut impl FnMut(News<'_>)) {
        let brake = self.foreman.brake(now);
        if kind(brake) != kind(self.brake) {
            news(News::Brake(brake));
        }
        self.brake = brake;
    }

    /// The journal is lost: what was recorded by the turn, or was to be by the next, is not.
    pub(crate) fn lose(&mut self, lost: Arc<Lost>) -> RunError {
        self.is_lost = true;
        let mut unrecorded = std::mem::take(&mut self.recording);
        unrecorded.extend(self.foreman.unrecorded());
        RunError { unrecorded, lost }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.writer.leaves();
        if self.is_lost {
            return;
        }
        let mut settled = self.foreman.abandon();
        if let Some(turning) = &mut self.turning {
            turning.close();
            if let Ok(Ok(turned)) = turning.try_recv() {
                settled.extend(turned.work.into_iter().map(|it| (it.held, it.how.untouched())));
            }
        }
        self.writer.note(settled);
    }
}

/// How a brake is told apart from the one before.
fn kind(brake: Option<Brake>) -> u8 {
    match brake {
        None => 0,
        Some(Brake::Wait(_)) => 1,
        Some(Brake::Slowed(_)) => 2,
        Some(Brake::Outage { .. }) => 3,
    }
}

/// Hears throttled replies as they come, which is long before their captures end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Option<Slow>>>);

/// What a reply asks for; the greater one counts more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slow {
    Unavailable,
    Throttled(Option<Duration>),
}

impl Heard {
    fn is_new(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn take(&self) -> Option<Slow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Observer for Heard {
    fn observe(&self, event: &Event<'_>) {
        let Event::Attempted { attempt, .. } = event else { return };
        let slow = match (&attempt.finding, attempt.status) {
            (Finding::Refused(Reason::Throttled(wait)), _) => Slow::Throttled(*wait),
            (_, Some(429)) => Slow::Throttled(None),
            (_, Some(503)) => Slow::Unavailable,
            _ => return,
        };
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *heard = (*heard).max(Some(slow));
    }
}
