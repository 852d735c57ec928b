//! The foreman: what to claim, when to start it, when to slow down, when to stop. No IO, no clock.
//!
//! Its rules:
//! - A capture is started only once the turn that claimed it has returned.
//! - What a capture came to is told only once the turn that recorded it has returned.
//! - Claims run ahead of the sends, so that no send waits for the disk.
//! - A throttled reply slows all, and is no capture's last word: the capture is put back.
//! - One that stays in doubt delays no other.
//! - What is claimed is started only while it is surely held: after a stall the journal is asked first.
//! - Once it stops, nothing is started; what was claimed and not started is given back.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime};

use capture_core::driver::Now;
use capture_core::{Attempt, Obstacle, Operation, Outcome, Phase, Reason, Ticket};

use crate::breaker::{Breaker, Came};
use crate::journal::{Fence, Held, How, Turn, Turned, Want, Work};
use crate::pace::Pace;
use crate::rate::Rate;

/// Works off the captures of a journal, many at once. It decides; its driver acts.
#[derive(Debug)]
pub struct Foreman {
    pace: Pace,
    rate: Rate,
    again_rate: Rate,
    breaker: Breaker,
    /// Claimed, and not yet started.
    fresh: VecDeque<Work>,
    again: VecDeque<Work>,
    running: BTreeMap<Held, Running>,
    /// To be recorded by the next turn.
    settled: Vec<Settled>,
    turn: Option<Turning>,
    /// The number of the latest turn.
    fence: Option<Fence>,
    /// Until when what is claimed is surely held, by both clocks; `None` for as long as it lives.
    sure_until: Option<(Duration, Option<SystemTime>)>,
    /// When to look for more; `None` once nothing is left.
    look_at: Option<Duration>,
    /// How many of the first captures have been captured one by one.
    one_by_one: usize,
    /// When something was last decided.
    decided_at: Duration,
    end: Option<End>,
}

/// What the driver does next. It asks again after each.
#[derive(Debug)]
pub enum Move {
    /// Make this turn, and hand in what it returns.
    Turn(Turn),
    /// Start this, and hand in what it came to.
    Start(Work),
    /// Wait until this time by the monotonic clock, until a turn returns or until a capture ends.
    Wait(Option<Duration>),
    /// Everything is recorded.
    Done(End),
}

/// Why the work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing is left that can be decided now.
    Finished,
    /// Its owner stopped it.
    Stopped,
    /// One of the first captures, which go one by one, was not captured.
    OneByOne,
    /// Half of the first 50 decisions were "no": perhaps the list is the wrong one.
    WrongFile,
    /// The API refuses the credentials.
    NoAccess,
    /// The API was out of order for too long.
    Outage,
}

/// What became of one capture, recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The capture.
    pub held: Held,
    /// Whether it had perhaps been sent before.
    pub was_open: bool,
    /// Whether this holder may have sent it.
    pub was_sent: bool,
    /// What the evidence of all holders comes to.
    pub outcome: Outcome,
}

#[derive(Debug)]
struct Running {
    was_open: bool,
    /// What is known of it should its driver go.
    dropped: Ticket,
}

#[derive(Debug)]
struct Settled {
    held: Held,
    was_open: bool,
    was_sent: bool,
    outcome: Outcome,
}

#[derive(Debug)]
struct Turning {
    /// Each with whether it was open, and sent.
    settled: Vec<(Held, bool, bool)>,
    wanted: usize,
    asked_at: Now,
}

/// After a crash so many interrupted captures are looked up at once, and then one in each interval: as much
/// as the client's retry budget gives.
const LOOKUPS_AT_ONCE: u32 = 80;
const LOOKUP_INTERVAL: Duration = Duration::from_millis(125);

/// How often one that found nothing looks again.
const IDLE: Duration = Duration::from_secs(1);

impl Foreman {
    /// One that begins now.
    #[must_use]
    pub fn new(pace: Pace, now: Now) -> Self {
        Self {
            pace: Pace { concurrency: pace.concurrency.max(1), ..pace },
            rate: Rate::new(pace.per_second),
            again_rate: Rate::every(LOOKUP_INTERVAL, LOOKUPS_AT_ONCE),
            breaker: Breaker::default(),
            fresh: VecDeque::new(),
            again: VecDeque::new(),
            running: BTreeMap::new(),
            settled: Vec::new(),
            turn: None,
            fence: None,
            sure_until: None,
            look_at: Some(now.monotonic()),
            one_by_one: 0,
            decided_at: now.monotonic(),
            end: None,
        }
    }

    /// What to do now.
    pub fn next(&mut self, now: Now) -> Move {
        if self.end.is_none() {
            self.end = self.ends(now.monotonic());
        }
        if self.end.is_some() {
            self.give_back();
        }
        if let Some(turn) = self.next_turn(now) {
            return Move::Turn(turn);
        }
        match (self.end, self.turn.is_none() && self.running.is_empty()) {
            (Some(end), true) => Move::Done(end),
            (Some(_), false) => Move::Wait(None),
            (None, _) => match self.next_start(now) {
                Ok(work) => Move::Start(work),
                Err(at) => Move::Wait(at.into_iter().chain(self.wakes_at(now.monotonic())).min()),
            },
        }
    }

    /// A turn has returned.
    #[must_use]
    pub fn turned(&mut self, turned: Turned, now: Now) -> Vec<Ended> {
        let turning = self.turn.take().expect("a turn was under way");
        let wanted = turning.wanted;
        let asked_at = turning.asked_at;
        self.rate.share(turned.sharers);
        self.sure_until = turned.held_for.map(|held_for| {
            (asked_at.monotonic() + held_for, asked_at.wall().checked_add(held_for))
        });
        if self.fence.replace(turned.fence).is_some_and(|before| before != turned.fence) {
            // It was taken for one that has ended, and others may have begun what it had not.
            self.give_back();
        }
        if wanted > 0 {
            let is_short = turned.work.len() < wanted;
            self.look_at = match turned.later {
                _ if !is_short => Some(now.monotonic()),
                later => later.map(|later| monotonic(later, now)),
            };
            if turned.work.is_empty() {
                let soon = now.monotonic() + IDLE;
                self.look_at = self.look_at.map(|at| at.max(soon));
            }
            if self.pace.stays {
                let idle = now.monotonic() + IDLE;
                self.look_at = Some(self.look_at.map_or(idle, |at| at.min(idle)));
            }
        }
        for work in turned.work {
            match work.how {
                How::Fresh(_) => self.fresh.push_back(work),
                How::Resume(_) => self.again.push_back(work),
            }
        }
        let ended = turning.settled.into_iter().zip(turned.told);
        ended
            .map(|((held, was_open, was_sent), outcome)| Ended {
                held,
                was_open,
                was_sent,
                outcome,
            })
            .collect()
    }

    /// A capture has ended.
    pub fn finished(&mut self, held: Held, outcome: Outcome, now: Now) {
        let may_have_sent = |attempt: &Attempt| {
            attempt.operation == Operation::Capture && attempt.phase != Phase::NotSent
        };
        let was_sent = outcome.attempts_this_run().iter().any(may_have_sent);
        self.ended(held, was_sent, outcome, now);
    }

    fn ended(&mut self, held: Held, was_sent: bool, outcome: Outcome, now: Now) {
        let was_open = self.running.remove(&held).expect("it was started").was_open;
        self.learn(was_open, &outcome, now.monotonic());
        self.settled.push(Settled { held, was_open, was_sent, outcome });
        // It may be due again some time.
        self.look_at = Some(now.monotonic());
    }

    /// A capture has ended without a word.
    pub fn vanished(&mut self, held: Held, now: Now) {
        let ticket = self.running[&held].dropped.clone();
        self.ended(held, true, Outcome::Unknown(ticket), now);
    }

    /// The API asked to slow down, and perhaps how long to wait; a driver that hears of it before the
    /// capture ends says so.
    pub fn throttled(&mut self, wait: Option<Duration>, now: Now) {
        self.rate.throttled(wait, now.monotonic());
    }

    /// The API said that it is out of order (503), and its driver heard of it.
    pub fn unavailable(&mut self, now: Now) {
        self.rate.unavailable(now.monotonic());
    }

    /// More may be due now, as somebody said: it looks without waiting until it would by itself.
    pub fn look(&mut self, now: Now) {
        self.look_at = Some(now.monotonic());
    }

    /// Starts nothing more. What is on its way is waited for.
    pub fn stop(&mut self) {
        self.end.get_or_insert(End::Stopped);
    }

    /// Everything in hand, should the driver go without a word: what the journal has to learn.
    pub fn abandon(&mut self) -> Vec<(Held, Outcome)> {
        self.end.get_or_insert(End::Stopped);
        self.give_back();
        let running = std::mem::take(&mut self.running).into_iter();
        let mut left: Vec<_> =
            running.map(|(held, it)| (held, Outcome::Unknown(it.dropped))).collect();
        left.extend(self.settled.drain(..).map(|it| (it.held, it.outcome)));
        left
    }

    /// What has ended and is not yet recorded.
    pub fn unrecorded(&mut self) -> Vec<Outcome> {
        self.settled.drain(..).map(|it| it.outcome).collect()
    }

    /// How many captures are on their way.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Why nothing more begins, once that is so.
    #[must_use]
    pub fn ending(&self) -> Option<End> {
        self.end
    }

    /// How many captures are claimed: on their way, not yet started, or not yet recorded.
    #[must_use]
    pub fn in_hand(&self) -> usize {
        self.running.len() + self.fresh.len() + self.again.len() + self.settled.len()
    }

    /// What holds the sends back now.
    #[must_use]
    pub fn brake(&mut self, now: Now) -> Option<Brake> {
        let now = now.monotonic();
        self.rate.recover(now);
        if let Some((_, next)) = self.breaker.outage() {
            return Some(Brake::Outage { next_try: next.saturating_sub(now) });
        }
        if let Some(until) = self.rate.paused_until(now) {
            return Some(Brake::Wait(until - now));
        }
        self.rate.per_second().filter(|_| self.rate.is_braked()).map(Brake::Slowed)
    }

    fn ends(&self, now: Duration) -> Option<End> {
        // A service ends only when it is stopped, or when the API refuses the credentials.
        if self.pace.stays {
            return None;
        }
        if self.breaker.is_wrong_file() {
            return Some(End::WrongFile);
        }
        let outage = self.breaker.outage();
        if outage.is_some_and(|(since, _)| now >= since + self.pace.give_up_after) {
            return Some(End::Outage);
        }
        let is_idle = self.turn.is_none()
            && self.settled.is_empty()
            && self.running.is_empty()
            && self.fresh.is_empty()
            && self.again.is_empty();
        let until = self.decided_at + self.pace.settle_for;
        let is_over = self.look_at.is_none_or(|at| at > now && (at > until || now >= until));
        (is_idle && is_over).then_some(End::Finished)
    }

    fn next_turn(&mut self, now: Now) -> Option<Turn> {
        if self.turn.is_some() {
            return None;
        }
        let wanted = self.wanted(now.monotonic());
        if self.settled.is_empty() && wanted == 0 && !self.has_to_ask(now) {
            return None;
        }
        let settled: Vec<_> = std::mem::take(&mut self.settled);
        self.turn = Some(Turning {
            settled: settled.iter().map(|it| (it.held, it.was_open, it.was_sent)).collect(),
            wanted,
            asked_at: now,
        });
        let Pace { only_open, run, .. } = self.pace;
        let shares_rate = self.end.is_none();
        Some(Turn {
            at: now.wall(),
            settled: settled.into_iter().map(|it| (it.held, it.outcome)).collect(),
            asks: Vec::new(),
            want: Want { most: wanted, only_open, run, shares_rate },
        })
    }

    /// Whether something could be started, were it surely held.
    fn has_to_ask(&self, now: Now) -> bool {
        !self.is_sure(now)
            && self.running.len() < self.pace.concurrency
            && self.rate.paused_until(now.monotonic()).is_none()
            && !(self.fresh.is_empty() && self.again.is_empty())
    }

    /// Whether it surely holds what it has claimed. A machine that was asleep may show it by one clock alone.
    fn is_sure(&self, now: Now) -> bool {
        self.sure_until.is_none_or(|(monotonic, wall)| {
            now.monotonic() < monotonic && wall.is_none_or(|wall| now.wall() < wall)
        })
    }

    /// How much to claim. A claim costs a flush, so that a few alone are not worth one.
    fn wanted(&self, now: Duration) -> usize {
        // A turn that records something looks for more besides: it costs no further flush.
        let is_due = !self.settled.is_empty() || self.look_at.is_some_and(|at| at <= now);
        if self.end.is_some() || !is_due {
            return 0;
        }
        let claimed = self.fresh.len() + self.again.len();
        let (all, most) = match self.breaker.outage() {
            Some(_) => (1, 1),
            None if self.is_one_by_one() => (1, 1),
            None => {
                let all = self.pace.concurrency.saturating_add(self.pace.ahead);
                (all, all.saturating_sub(self.running.len() + claimed))
            }
        };
        let is_worth_it = claimed == 0 || !self.settled.is_empty() || most * 4 >= all;
        if !is_worth_it || (all == 1 && claimed + self.running.len() > 0) { 0 } else { most }
    }

    fn is_one_by_one(&self) -> bool {
        self.one_by_one < self.pace.one_by_one
    }

    /// The next capture to start, or when one may start.
    fn next_start(&mut self, now: Now) -> Result<Work, Option<Duration>> {
        let at = now.monotonic();
        if self.running.len() >= self.pace.concurrency {
            return Err(None);
        }
        if let Some(until) = self.rate.paused_until(at) {
            return Err(Some(until));
        }
        // A turn is under way.
        if !self.is_sure(now) {
            return Err(None);
        }
        let mut wait = None;
        if !self.again.is_empty() {
            match self.again_rate.begin(at) {
                Ok(()) => return Ok(self.start(true, now)),
                Err(at) => wait = Some(at),
            }
        }
        if self.fresh.is_empty() {
            return Err(wait);
        }
        let is_alone = self.running.is_empty();
        match self.breaker.outage() {
            Some((_, next)) if at < next => return Err(wait.into_iter().chain([next]).min()),
            Some(_) if !is_alone => return Err(wait),
            None if self.is_one_by_one() && !is_alone => return Err(wait),
            _ => {}
        }
        match self.rate.begin(at) {
            Ok(()) => Ok(self.start(false, now)),
            Err(at) => Err(wait.into_iter().chain([at]).min()),
        }
    }

    fn start(&mut self, was_open: bool, now: Now) -> Work {
        let queue = if was_open { &mut self.again } else { &mut self.fresh };
        let work = queue.pop_front().expect("one is ready");
        let dropped = match &work.how {
            How::Fresh(capture) => Ticket::interrupted(*capture, now.wall()),
            How::Resume(ticket) => ticket.clone(),
        };
        self.running.insert(work.held, Running { was_open, dropped });
        work
    }

    /// What an outcome says about the API, the list and the credentials.
    fn learn(&mut self, was_open: bool, outcome: &Outcome, now: Duration) {
        let came = match outcome {
            Outcome::Captured(_) => Came::Captured,
            Outcome::NotCaptured(refusal) if refusal.reason().is_decided() => Came::Refused,
            _ => Came::Undecided,
        };
        if came != Came::Undecided {
            self.decided_at = now;
        }
        // What one capture was asked to wait for (429, 503, the login too) is meant for all.
        outcome.retry_after().into_iter().for_each(|wait| self.rate.pause(wait, now));
        let is_throttled = match outcome {
            Outcome::Unknown(ticket) => {
                let is_refused = match ticket.obstacle() {
                    Obstacle::Unauthorized => true,
                    Obstacle::NoToken(why) => why.is_lasting(),
                    _ => false,
                };
                if is_refused {
                    self.end.get_or_insert(End::NoAccess);
                }
                false
            }
            Outcome::NotCaptured(refusal) => match refusal.reason() {
                Reason::Throttled(wait) => {
                    self.rate.throttled(*wait, now);
                    true
                }
                Reason::Unauthorized | Reason::Forbidden(_) => {
                    self.end.get_or_insert(End::NoAccess);
                    false
                }
                Reason::NoToken(why) if why.is_lasting() => {
                    self.end.get_or_insert(End::NoAccess);
                    false
                }
                _ => false,
            },
            _ => false,
        };
        if was_open {
            if came != Came::Undecided {
                self.breaker.answered();
            }
            return;
        }
        self.breaker.record(came, now);
        if self.is_one_by_one() && !is_throttled {
            match came {
                Came::Captured => self.one_by_one += 1,
                Came::Refused | Came::Undecided => {
                    self.end.get_or_insert(End::OneByOne);
                }
            }
        }
    }

    fn give_back(&mut self) {
        for work in self.fresh.drain(..).chain(self.again.drain(..)) {
            let was_open = matches!(work.how, How::Resume(_));
            let outcome = work.how.untouched();
            self.settled.push(Settled { held: work.held, was_open, was_sent: false, outcome });
        }
    }

    /// When something changes by itself.
    fn wakes_at(&self, now: Duration) -> Option<Duration> {
        let outage = self.breaker.outage().filter(|_| !self.pace.stays);
        let outage = outage.map(|(since, _)| since + self.pace.give_up_after);
        // What is past waits for something to end.
        [self.look_at, outage].into_iter().flatten().filter(|at| *at > now).min()
    }
}

/// What holds the sends back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Brake {
    /// The API asked to wait, and for so long.
    Wait(Duration),
    /// The API asked to slow down: so many a second begin now.
    Slowed(f64),
    /// The API seems out of order; the next one is tried after this time.
    Outage {
        /// How long until then.
        next_try: Duration,
    },
}

/// A time of the wall clock by the monotonic one.
fn monotonic(wall: SystemTime, now: Now) -> Duration {
    now.monotonic() + wall.duration_since(now.wall()).unwrap_or_default()
}
