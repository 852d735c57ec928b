//! The world: hosts with foremen, one journal, one API, and a queue of what happens next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::time::{Duration, SystemTime};

use capture_core::driver::Now;
use capture_core::{Outcome, Reason, Refusal};
use capture_journal::{Ask, End, Fence, Foreman, Held, How, Move, Pace, Turn, Turned, Want, Work};

use super::misuse::Misuse;
use super::order::{Fate, Order, Rule};
use super::trouble::Trouble;
use crate::leases::{BEAT, LEASE, Store};
use crate::simulation::Chance;

/// What a world came to.
#[derive(Debug, Default)]
pub struct Report {
    /// The rules that were broken, with an account of each.
    pub broken: BTreeMap<Rule, String>,
    /// How often what went wrong, or was done.
    pub counts: BTreeMap<&'static str, u64>,
    /// When the last foreman ended.
    pub ended_at: Duration,
    /// How many orders there were.
    pub orders: usize,
    /// When the last first send of a fleet began.
    pub begun_at: Duration,
    /// How many first sends of a fleet were beyond the rate at most, over any time.
    pub beyond: f64,
}

/// A request on its way.
#[derive(Clone)]
struct Flight {
    host: usize,
    life: u64,
    work: Work,
    order: usize,
    fate: Fate,
    /// Whether its driver started it behind the foreman's back.
    is_outside: bool,
}

pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) misuse: Option<Misuse>,
    pub(crate) pace: Pace,
    pub(crate) store: Store,
    pub(crate) now: Duration,
    pub(crate) queue: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    numbers: u64,
    pub(crate) orders: Vec<Order>,
    pub(crate) hosts: Vec<Host>,
    flights: Vec<Flight>,
    pub(crate) outage: (Duration, Duration),
    /// When a host was last opened.
    pub(crate) opened_at: Duration,
    deaths: u64,
    /// Whether nothing goes wrong any more.
    pub(crate) is_calm: bool,
    /// Whether the hosts have leases and clocks of their own.
    pub(crate) is_fleet: bool,
    /// Whether the API answers well, whatever becomes of the hosts: some replies only take long.
    pub(crate) is_api_well: bool,
    /// Whether no host opens the journal any more.
    pub(crate) is_closing: bool,
    /// The trouble of a fleet that does not happen.
    pub(crate) off: BTreeSet<Trouble>,
    /// When the latest first send of all began, and how many were beyond the rate then.
    pub(crate) meter: (Duration, f64),
    pub(crate) end: Duration,
    pub(crate) report: Report,
}

pub(crate) struct Host {
    pub(crate) fence: Fence,
    foreman: Foreman,
    life: u64,
    is_over: bool,
    pub(crate) is_stopped: bool,
    turn: Option<Turning>,
    /// How many shared the rate when it came.
    sharers: Option<u32>,
    pub(crate) running: usize,
    pub(crate) wait_until: Duration,
    pub(crate) starts: VecDeque<Duration>,
    pub(crate) begun_in_outage: usize,
    blocked_until: Duration,
    /// When its driver looks again.
    wakes_at: Duration,
    clock: Clock,
    /// It stands still until then.
    stalls_until: Duration,
    /// It does not reach the journal until then.
    cut_off_until: Duration,
}

/// A turn under way, when it began, and what it returns if it has taken place.
struct Turning {
    turn: Turn,
    began: Duration,
    turned: Option<Turned>,
}

/// A host's wall clock.
#[derive(Clone, Copy)]
struct Clock {
    /// How far it is off, in milliseconds.
    off: i64,
    /// When it is set, and by how much.
    jump: Option<(Duration, i64)>,
}

impl Clock {
    fn at(self, now: Duration) -> Now {
        let off = self.off + self.jump.filter(|(at, _)| now >= *at).map_or(0, |(_, by)| by);
        let (by, right) = (Duration::from_millis(off.unsigned_abs()), right(now));
        Now::new(now, if off < 0 { right - by } else { right + by })
    }
}

/// The right time.
pub(crate) fn right(now: Duration) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH) + now
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
pub(crate) enum Event {
    Looks(usize, u64),
    TurnReturns(usize, u64),
    Arrives(usize),
    Ends(usize),
    Dies(usize, u64),
    Stops(usize, u64),
    Opens(usize),
    /// An order is written down.
    Written(usize),
    /// A host renews its lease.
    Beats(usize, u64),
    /// A host stands still for so long.
    Stalls(usize, u64, Duration),
    /// A host does not reach the journal for so long.
    CutOff(usize, u64, Duration),
}

/// How far a clock may be off: what is further off is refused at opening. In milliseconds, as the jump is.
const MOST_OFF: u64 = 300_000;
const A_DAY: i64 = 24 * 3_600_000;

/// A time of the past.
const EPOCH: u64 = 1_700_000_000;

/// Nothing takes longer.
pub(crate) const END: Duration = Duration::from_secs(12 * 3600);

const MOST_DEATHS: u64 = 6;

/// A world with its orders, and nobody at work yet.
pub(crate) fn world(seed: u64, misuse: Option<Misuse>) -> World {
    let chance = Chance::new(seed);
    let pace = Pace {
        concurrency: 4,
        ahead: 8,
        per_second: Some(20),
        settle_for: Duration::from_secs(600),
        ..Pace::default()
    };
    let orders = 40 + chance.below(200, "orders", 0) as usize;
    let outage = Duration::from_secs(chance.below(6, "outage", 0));
    let lasts = Duration::from_secs(if chance.once_in(3, "outage", 1) { 1200 } else { 0 });
    let mut world = World {
        chance,
        misuse,
        pace,
        store: Store::new(false, None),
        now: Duration::ZERO,
        queue: BinaryHeap::new(),
        numbers: 0,
        orders: (0..orders).map(|number| Order::new(number, chance)).collect(),
        hosts: Vec::new(),
        flights: Vec::new(),
        outage: (outage, outage + lasts),
        opened_at: Duration::ZERO,
        deaths: 0,
        is_calm: false,
        is_fleet: false,
        is_api_well: false,
        is_closing: false,
        off: BTreeSet::new(),
        meter: (Duration::ZERO, 0.0),
        end: END,
        report: Report::default(),
    };
    world.report.orders = orders;
    world.plans();
    world
}

impl World {
    fn plans(&mut self) {
        let asks: Vec<_> =
            self.orders.iter().map(|it| Ask { capture: it.capture, now: false }).collect();
        let at = right(Duration::ZERO);
        self.store.writes(&Turn { at, settled: Vec::new(), asks, want: Want::default() });
    }

    pub(crate) fn run(&mut self) {
        while let Some(Reverse((at, number, event))) = self.queue.pop() {
            if at > self.end {
                return self.queue.push(Reverse((at, number, event)));
            }
            self.now = at;
            match self.sleeps(event) {
                Some(until) => self.queue.push(Reverse((until, number, event))),
                None => self.happens(event),
            }
        }
    }

    /// Until when a host that stands still, or is cut off, knows nothing of this.
    fn sleeps(&self, event: Event) -> Option<Duration> {
        let (host, life) = match event {
            Event::Looks(host, life)
            | Event::TurnReturns(host, life)
            | Event::Stops(host, life)
            | Event::Beats(host, life) => (host, life),
            Event::Ends(flight) => (self.flights[flight].host, self.flights[flight].life),
            _ => return None,
        };
        let it = &self.hosts[host];
        let waits_for_journal = matches!(event, Event::TurnReturns(..) | Event::Beats(..));
        let cut_off_until = if waits_for_journal { it.cut_off_until } else { Duration::ZERO };
        let until = it.stalls_until.max(cut_off_until);
        (self.lives(host, life) && until > self.now).then_some(until)
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Looks(host, life) if self.lives(host, life) => self.looks(host),
            Event::TurnReturns(host, life) if self.lives(host, life) => self.turn_returns(host),
            Event::Arrives(flight) => {
                let Flight { work, order, fate, .. } = self.flights[flight].clone();
                self.orders[order].arrives(&work.how, fate);
                self.judges_the_ledger(order);
            }
            Event::Ends(flight) => self.ends(flight),
            Event::Dies(host, life) if self.lives(host, life) => self.dies(host),
            Event::Stops(host, life) if self.lives(host, life) => self.stops(host),
            Event::Opens(host) if !self.is_closing => self.opens(host),
            Event::Written(order) => self.written(order),
            Event::Beats(host, life) if self.lives(host, life) => {
                let now = self.clock(host);
                self.store.beats(self.hosts[host].fence, now);
                self.later(BEAT, Event::Beats(host, life));
            }
            Event::Stalls(host, life, lasts) if self.lives(host, life) => {
                self.count(Trouble::Stalls.name());
                self.hosts[host].stalls_until = self.now + lasts;
            }
            Event::CutOff(host, life, lasts) if self.lives(host, life) => {
                self.count(Trouble::CutOff.name());
                self.hosts[host].cut_off_until = self.now + lasts;
            }
            _ => {}
        }
    }

    pub(crate) fn stops(&mut self, host: usize) {
        self.count("stops");
        self.hosts[host].is_stopped = true;
        if self.misuse != Some(Misuse::StartsAfterTheStop) {
            self.hosts[host].foreman.stop();
        }
        self.looks(host);
    }

    /// Nothing troubles it any more, and it stops.
    pub(crate) fn stops_at_last(&mut self, host: usize) {
        let it = &mut self.hosts[host];
        (it.stalls_until, it.cut_off_until) = (Duration::ZERO, Duration::ZERO);
        if !it.is_over {
            self.stops(host);
        }
    }

    fn written(&mut self, order: usize) {
        self.orders[order].written_at = self.now;
        let asks = vec![Ask { capture: self.orders[order].capture, now: false }];
        let at = right(self.now);
        self.store.writes(&Turn { at, settled: Vec::new(), asks, want: Want::default() });
    }

    pub(crate) fn lives(&self, host: usize, life: u64) -> bool {
        self.hosts[host].life == life && !self.hosts[host].is_over
    }

    pub(crate) fn later(&mut self, after: Duration, event: Event) {
        self.numbers += 1;
        self.queue.push(Reverse((self.now + after, self.numbers, event)));
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.report.counts.entry(what).or_default() += 1;
    }

    pub(crate) fn broken(&mut self, rule: Rule, what: impl FnOnce() -> String) {
        self.report.broken.entry(rule).or_insert_with(what);
    }

    fn clock(&self, host: usize) -> Now {
        self.hosts[host].clock.at(self.now)
    }

    /// Whether this trouble of a fleet happens.
    pub(crate) fn has(&self, trouble: Trouble) -> bool {
        self.is_fleet && !self.is_calm && !self.off.contains(&trouble)
    }

    /// The clock that a host has in this life.
    fn born(&mut self, host: usize, life: u64) -> Clock {
        let off = if !self.is_fleet {
            self.chance.below(2000, "clock", host as u64) as i64
        } else if self.has(Trouble::ClocksOff) {
            self.count(Trouble::ClocksOff.name());
            self.chance.below(2 * MOST_OFF, "clock", life) as i64 - MOST_OFF as i64
        } else {
            0
        };
        let jumps = self.has(Trouble::ClockJumps) && self.chance.once_in(3, "jumps", life);
        let jump = jumps.then(|| {
            self.count(Trouble::ClockJumps.name());
            let by = if self.chance.once_in(2, "jumps back", life) { -A_DAY } else { A_DAY };
            (self.now + self.chance.millis(1, 60_000, "jumps at", life), by)
        });
        Clock { off, jump }
    }

    pub(crate) fn opens(&mut self, host: usize) {
        let life = self.numbers + 1;
        let pace = match self.misuse {
            Some(Misuse::RunsTooMany) => Pace { concurrency: 8, ..self.pace },
            Some(Misuse::ClaimsTooMany) => Pace { ahead: 1000, ..self.pace },
            Some(Misuse::Leaves) => Pace { stays: false, ..self.pace },
            _ => self.pace,
        };
        let clock = self.born(host, life);
        let now = clock.at(self.now);
        let opened = Host {
            fence: self.store.open(now),
            foreman: Foreman::new(pace, now),
            life,
            is_over: false,
            is_stopped: false,
            turn: None,
            sharers: None,
            running: 0,
            wait_until: Duration::ZERO,
            starts: VecDeque::new(),
            begun_in_outage: 0,
            blocked_until: Duration::ZERO,
            wakes_at: Duration::ZERO,
            clock,
            stalls_until: Duration::ZERO,
            cut_off_until: Duration::ZERO,
        };
        match self.hosts.get_mut(host) {
            Some(before) => *before = opened,
            None => self.hosts.push(opened),
        }
        self.opened_at = self.now;
        self.later(Duration::ZERO, Event::Looks(host, life));
        if self.is_fleet {
            self.plans_trouble(host, life);
        } else if self.deaths < MOST_DEATHS && !self.is_calm {
            let after = self.chance.millis(1, 12_000, "death", life);
            match self.chance.below(3, "end", life) {
                0 => self.later(after, Event::Dies(host, life)),
                1 => self.later(after, Event::Stops(host, life)),
                _ => {}
            }
        }
    }

    /// What a host of a fleet meets in this life.
    fn plans_trouble(&mut self, host: usize, life: u64) {
        self.later(BEAT, Event::Beats(host, life));
        let chance = self.chance;
        let at = |what| chance.millis(1, 60_000, what, life);
        if self.has(Trouble::Dies) && chance.once_in(2, "dies", life) {
            self.later(at("death"), Event::Dies(host, life));
        } else if !self.is_calm && chance.once_in(4, "stops", life) {
            self.later(at("stop"), Event::Stops(host, life));
        }
        if self.has(Trouble::Stalls) && !chance.once_in(4, "stalls", life) {
            let lasts = chance.millis(500, 90_000, "stall lasts", life);
            self.later(at("stall"), Event::Stalls(host, life, lasts));
        }
        if self.has(Trouble::CutOff) && chance.once_in(2, "is cut off", life) {
            let lasts = chance.millis(500, 90_000, "cut lasts", life);
            self.later(at("cut"), Event::CutOff(host, life, lasts));
        }
    }

    fn dies(&mut self, host: usize) {
        self.deaths += 1;
        self.count("deaths");
        if self.hosts[host].turn.is_some() {
            self.count("deaths amid a turn");
        }
        let pause = self.chance.millis(10, 60_000, "reopening", self.numbers);
        self.ended(host);
        self.later(pause, Event::Opens(host));
    }

    /// Its process is gone, or its journal: whatever it knew is forgotten.
    pub(crate) fn ended(&mut self, host: usize) {
        self.hosts[host].is_over = true;
        self.store.dies(self.hosts[host].fence);
    }

    /// A driver's loop.
    fn looks(&mut self, host: usize) {
        if self.now < self.hosts[host].blocked_until {
            return;
        }
        loop {
            let now = self.clock(host);
            match self.hosts[host].foreman.next(now) {
                Move::Turn(turn) => self.turns(host, turn),
                Move::Start(work) => {
                    let forgets = self.misuse == Some(Misuse::ForgetsItsClaims);
                    self.numbers += 1;
                    if !(forgets && self.chance.once_in(10, "forgets", self.numbers)) {
                        self.starts(host, work, false);
                    }
                }
                Move::Wait(until) => {
                    if self.misuse == Some(Misuse::SendsIntoTheOutage) && self.is_out() {
                        self.sends_anyway(host);
                    }
                    if let Some(mut until) = until {
                        assert!(until > self.now, "a driver that does not wait");
                        let ignores = self.misuse == Some(Misuse::IgnoresWhatArrives);
                        if ignores && self.hosts[host].foreman.in_hand() == 0 {
                            until = self.now + Duration::from_secs(30);
                        }
                        self.wakes(host, until);
                    }
                    return;
                }
                Move::Done(end) => {
                    if self.pace.stays && end != End::Stopped {
                        let now = self.now;
                        self.broken(Rule::Stays, || format!("{end:?} at {now:?}"));
                    }
                    self.hosts[host].is_over = true;
                    self.store.ends(self.hosts[host].fence);
                    self.report.ended_at = self.now;
                    if end != End::Finished {
                        self.later(Duration::from_secs(30), Event::Opens(host));
                    }
                    return;
                }
            }
        }
    }

    fn wakes(&mut self, host: usize, until: Duration) {
        let (now, it) = (self.now, &mut self.hosts[host]);
        if it.wakes_at <= now || until < it.wakes_at {
            it.wakes_at = until;
            let life = it.life;
            self.later(until - now, Event::Looks(host, life));
        }
    }

    fn turns(&mut self, host: usize, turn: Turn) {
        self.numbers += 1;
        if self.misuse == Some(Misuse::SendsBeforeTheTurnReturns) && turn.want.most > 0 {
            let unbegun = self.store.all().into_iter().find(|story| story.claims.is_empty());
            if let Some(story) = unbegun {
                let held = Held { intent: story.intent, claim: capture_journal::ClaimId(0) };
                self.starts(host, Work { held, how: How::Fresh(story.capture) }, true);
            }
        }
        let takes = self.chance.millis(1, 60, "turn", self.numbers);
        // It is durable before it returns, at some time in between.
        let is_early = self.chance.once_in(2, "commit", self.numbers)
            && self.hosts[host].cut_off_until <= self.now;
        let turned = is_early.then(|| self.commits(host, &turn));
        self.hosts[host].turn = Some(Turning { turn, began: self.now, turned });
        let life = self.hosts[host].life;
        self.later(takes, Event::TurnReturns(host, life));
    }

    fn commits(&mut self, host: usize, turn: &Turn) -> Turned {
        let before = self.stories_of(turn);
        let now = self.clock(host);
        let turned = self.store.turn(self.hosts[host].fence, turn, now);
        if self.hosts[host].fence != turned.fence {
            self.count("leases that ran out");
            self.hosts[host].fence = turned.fence;
        }
        self.judges_the_turn(host, turn, &before, &turned);
        turned
    }

    fn turn_returns(&mut self, host: usize) {
        let Turning { turn, began, turned } = self.hosts[host].turn.take().expect("under way");
        self.numbers += 1;
        if self.has(Trouble::CommitLost) && self.chance.once_in(80, "commit lost", self.numbers) {
            if turned.is_none() && self.chance.once_in(2, "took place", self.numbers) {
                let _ = self.commits(host, &turn);
            }
            self.count(Trouble::CommitLost.name());
            if self.misuse == Some(Misuse::TakesSilenceForYes) {
                turn.settled.iter().for_each(|(held, found)| self.is_told(*held, found));
            }
            return self.loses_the_journal(host);
        }
        let is_old = turned.is_some() && self.is_fleet && self.now >= began + LEASE;
        let mut turned = turned.unwrap_or_else(|| self.commits(host, &turn));
        if is_old && !turned.work.is_empty() {
            self.count("turns longer than a lease");
            return self.loses_the_journal(host);
        }
        if self.misuse == Some(Misuse::DoesNotAskAfterAStall) {
            (turned.held_for, turned.fence) = (None, Fence(0));
        }
        if self.misuse == Some(Misuse::IgnoresTheSharers) {
            turned.sharers = 1;
        }
        let first = *self.hosts[host].sharers.get_or_insert(turned.sharers);
        if self.misuse == Some(Misuse::HearsOfSharersOnce) {
            turned.sharers = first;
        }
        let now = self.clock(host);
        let ended = self.hosts[host].foreman.turned(turned, now);
        ended.iter().for_each(|ended| self.is_told(ended.held, &ended.outcome));
        self.looks(host);
    }

    /// Its process goes on with another opening.
    fn loses_the_journal(&mut self, host: usize) {
        self.ended(host);
        let pause = self.chance.millis(10, 5000, "reopening", self.numbers);
        self.later(pause, Event::Opens(host));
    }

    pub(crate) fn is_out(&self) -> bool {
        (self.outage.0..self.outage.1).contains(&self.now)
    }

    fn sends_anyway(&mut self, host: usize) {
        let now = self.clock(host);
        let want = Want::most(1);
        let turn = Turn { at: now.wall(), settled: Vec::new(), asks: Vec::new(), want };
        let work = self.store.turn(self.hosts[host].fence, &turn, now).work;
        work.into_iter().for_each(|work| self.starts(host, work, true));
    }

    fn starts(&mut self, host: usize, mut work: Work, is_outside: bool) {
        let order = self.number(&work);
        if let (How::Resume(ticket), Some(Misuse::StartsAfresh)) = (&work.how, self.misuse) {
            work.how = How::Fresh(*ticket.capture());
        }
        self.numbers += 1;
        let fate = self.fate(&work, order);
        self.judges_the_start(host, &work, order, is_outside);
        let it = &mut self.orders[order];
        it.begun += 1;
        it.was_sent |= !matches!(fate, Fate::NotSent | Fate::Throttled(_));
        let is_fresh = matches!(work.how, How::Fresh(_));
        self.count(if is_fresh { "captures begun" } else { "captures resumed" });
        let is_long = self.is_api_well && self.chance.once_in(5, "long", self.numbers);
        let latest = if is_long { 20_000 } else { 900 };
        let takes = self.chance.millis(2, latest, "latency", self.numbers);
        let life = self.hosts[host].life;
        let flight = self.flights.len();
        self.flights.push(Flight { host, life, work, order, fate, is_outside });
        // What travels for longer than a lease is left to the server's key.
        self.later((takes / 2).min(Duration::from_millis(450)), Event::Arrives(flight));
        self.later(takes, Event::Ends(flight));
    }

    fn fate(&mut self, work: &Work, order: usize) -> Fate {
        if self.is_out() {
            return Fate::OutOfOrder;
        }
        // One that was tried often meets no more trouble, and the last run meets none.
        if self.orders[order].begun > 3 || self.is_calm || self.is_api_well {
            return Fate::Served;
        }
        let storm = if self.chance.once_in(3, "storm", 0) { 25 } else { 4 };
        let number = self.numbers;
        let fate = match self.chance.below(100, "fate", number) {
            at if at < storm => Fate::Throttled(1 + self.chance.below(8, "wait", number)),
            at if at < storm + 6 => Fate::ReplyLost,
            at if at < storm + 10 => Fate::NotSent,
            _ => return Fate::Served,
        };
        if matches!(work.how, How::Resume(_)) {
            // Its lookup is lost.
            return Fate::NotSent;
        }
        self.count(match fate {
            Fate::Throttled(_) => "throttled",
            Fate::ReplyLost => "replies lost",
            _ => "never sent",
        });
        fate
    }

    fn ends(&mut self, flight: usize) {
        let Flight { host, life, work, order, fate, is_outside } = self.flights[flight].clone();
        if !self.lives(host, life) {
            return;
        }
        let now = self.clock(host);
        let mut outcome = self.orders[order].outcome(&work.how, fate);
        let capture = self.orders[order].capture;
        self.hosts[host].running -= 1;
        if let Outcome::NotCaptured(refusal) = &outcome
            && let Reason::Throttled(Some(wait)) = refusal.reason()
        {
            let until = self.now + *wait;
            self.hosts[host].wait_until = self.hosts[host].wait_until.max(until);
            let other = match self.misuse {
                Some(Misuse::ThrottledIsFinal) => Some(Reason::Rejected(429, Vec::new())),
                Some(Misuse::DoesNotSlowDown) => Some(Reason::NeverSent("429".to_owned())),
                _ => None,
            };
            if let Some(reason) = other {
                outcome = Outcome::NotCaptured(Refusal::new(capture, reason));
            }
        }
        let is_doubt = matches!(outcome, Outcome::Unknown(_));
        if self.misuse == Some(Misuse::TellsBeforeItIsRecorded) {
            self.is_told(work.held, &outcome);
        }
        if is_doubt && self.misuse == Some(Misuse::WaitsForTheOneInDoubt) {
            self.hosts[host].blocked_until = self.now + Duration::from_secs(3600);
            self.later(Duration::from_secs(3600), Event::Looks(host, life));
        }
        if is_outside {
            let settled = vec![(work.held, outcome)];
            let turn = Turn { at: now.wall(), settled, asks: Vec::new(), want: Want::default() };
            // One that nobody claimed is nobody's.
            let _ = self.store.turn(self.hosts[host].fence, &turn, now);
        } else {
            self.hosts[host].foreman.finished(work.held, outcome, now);
        }
        self.looks(host);
    }

    fn number(&self, work: &Work) -> usize {
        let order = work.how.capture().order_id();
        let found = self.orders.iter().position(|it| it.capture.order_id() == order);
        found.expect("one of ours")
    }
}
