//! The world: hosts with foremen, one journal, one API, and a queue of what happens next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::{Duration, SystemTime};

use capture_core::driver::Now;
use capture_core::{Outcome, Reason, Refusal};
use capture_journal::{
    Ask, Disk, End, Foreman, Held, How, Journal as _, Memory, Move, Pace, Standing, Story, Turn,
    Turned, Want, Work,
};

use super::misuse::Misuse;
use super::order::{Fate, Nature, Order, Rule};
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

struct World {
    chance: Chance,
    misuse: Option<Misuse>,
    pace: Pace,
    disk: Disk,
    now: Duration,
    queue: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    numbers: u64,
    orders: Vec<Order>,
    hosts: Vec<Host>,
    flights: Vec<Flight>,
    outage: (Duration, Duration),
    /// When a host was last opened.
    opened_at: Duration,
    deaths: u64,
    /// Whether nothing goes wrong any more.
    is_calm: bool,
    end: Duration,
    report: Report,
}

struct Host {
    journal: Memory,
    foreman: Foreman,
    life: u64,
    is_over: bool,
    is_stopped: bool,
    turn: Option<(Turn, Option<Turned>)>,
    running: usize,
    wait_until: Duration,
    starts: VecDeque<Duration>,
    begun_in_outage: usize,
    blocked_until: Duration,
    /// When its driver looks again.
    wakes_at: Duration,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Event {
    Looks(usize, u64),
    TurnReturns(usize, u64),
    Arrives(usize),
    Ends(usize),
    Dies(usize, u64),
    Stops(usize, u64),
    Opens(usize),
    /// An order is written down.
    Written(usize),
}

/// A second clock of the past; each host's wall clock is a little off.
const EPOCH: u64 = 1_700_000_000;

/// How long a service works in its world, and when the last order arrives.
const SERVICE: Duration = Duration::from_secs(2400);
const LAST_ARRIVAL: u64 = 1500;

/// How soon what arrives begins, where a service has nothing else to do: it looks once a second.
const SOON: Duration = Duration::from_millis(1500);

/// Nothing takes longer.
const END: Duration = Duration::from_secs(12 * 3600);

/// How long after the last outage and the last opening the last order is decided at the latest.
const BOUND: Duration = Duration::from_secs(1200);

const MOST_DEATHS: u64 = 6;

const OUTAGE_ORDERS: usize = 70;

/// Plays one world to its end.
#[must_use]
pub fn play(seed: u64, misuse: Option<Misuse>) -> Report {
    let mut world = world(seed, misuse);
    let hosts = 1 + world.chance.below(2, "hosts", 0) as usize;
    (0..hosts).for_each(|host| world.opens(host));
    world.run();
    // What is left in doubt is settled by a later run.
    world.now += Duration::from_secs(3600);
    world.is_calm = true;
    world.opens(0);
    world.run();
    world.judges_the_end();
    world.report
}

/// Plays a world of one foreman in which nothing goes wrong.
#[must_use]
pub fn calm(seed: u64) -> Report {
    let mut world = world(seed, None);
    (world.is_calm, world.outage) = (true, (Duration::ZERO, Duration::ZERO));
    world.orders.iter_mut().for_each(|order| order.nature = Nature::Captures);
    world.opens(0);
    world.run();
    world.judges_the_end();
    world.report
}

/// Plays a world of services, in which orders arrive all the time, and an outage may outlast the patience of
/// a run. In a calm one nothing goes wrong, and each order begins soon.
#[must_use]
pub fn serve(seed: u64, misuse: Option<Misuse>, is_calm: bool) -> Report {
    let mut world = world(seed, misuse);
    world.orders.truncate(60);
    world.report.orders = 60;
    world.pace = Pace { stays: true, give_up_after: Duration::from_secs(300), ..world.pace };
    (world.is_calm, world.end) = (is_calm, SERVICE);
    let lasts = if is_calm { 0 } else { world.chance.below(900, "outage", 2) };
    world.outage.1 = world.outage.0 + Duration::from_secs(lasts);
    world.disk = Disk::default();
    for order in 0..world.orders.len() {
        let at = world.chance.millis(0, LAST_ARRIVAL * 1000, "arrival", order as u64);
        world.later(at, Event::Written(order));
    }
    let hosts = if is_calm { 1 } else { 1 + world.chance.below(2, "hosts", 0) as usize };
    (0..hosts).for_each(|host| world.opens(host));
    world.run();
    if let Some(order) = world.orders.iter().position(|order| is_calm && order.begun == 0) {
        world.broken(Rule::TakenSoon, || format!("order {order} was never begun"));
    }
    // It is killed in the end. What is left in doubt is settled by a later run.
    (0..hosts).for_each(|host| world.over(host));
    world.queue.clear();
    world.pace.stays = false;
    (world.is_calm, world.now, world.end) = (true, SERVICE + Duration::from_secs(3600), END);
    world.opens(0);
    world.run();
    world.judges_the_end();
    world.report
}

fn world(seed: u64, misuse: Option<Misuse>) -> World {
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
        disk: Disk::default(),
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
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH);
        let turn = Turn { at, settled: Vec::new(), asks, want: Want::default() };
        let _ = self.disk.open().turn(&turn).expect("memory does not fail");
    }

    fn run(&mut self) {
        while let Some(Reverse((at, _, event))) = self.queue.pop() {
            if at > self.end {
                return;
            }
            self.now = at;
            match event {
                Event::Looks(host, life) if self.lives(host, life) => self.looks(host),
                Event::TurnReturns(host, life) if self.lives(host, life) => self.turn_returns(host),
                Event::Arrives(flight) => {
                    let Flight { order, fate, .. } = self.flights[flight];
                    self.orders[order].arrives(fate);
                }
                Event::Ends(flight) => self.ends(flight),
                Event::Dies(host, life) if self.lives(host, life) => self.dies(host),
                Event::Stops(host, life) if self.lives(host, life) => {
                    self.count("stops");
                    self.hosts[host].is_stopped = true;
                    if self.misuse != Some(Misuse::StartsAfterTheStop) {
                        self.hosts[host].foreman.stop();
                    }
                    self.looks(host);
                }
                Event::Opens(host) => self.opens(host),
                Event::Written(order) => self.written(order),
                _ => {}
            }
        }
    }

    fn written(&mut self, order: usize) {
        self.orders[order].written_at = self.now;
        let ask = Ask { capture: self.orders[order].capture, now: false };
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH) + self.now;
        let turn = Turn { at, settled: Vec::new(), asks: vec![ask], want: Want::default() };
        let _ = self.disk.open().turn(&turn).expect("memory does not fail");
    }

    fn lives(&self, host: usize, life: u64) -> bool {
        self.hosts[host].life == life && !self.hosts[host].is_over
    }

    fn later(&mut self, after: Duration, event: Event) {
        self.numbers += 1;
        self.queue.push(Reverse((self.now + after, self.numbers, event)));
    }

    fn count(&mut self, what: &'static str) {
        *self.report.counts.entry(what).or_default() += 1;
    }

    fn broken(&mut self, rule: Rule, what: impl FnOnce() -> String) {
        self.report.broken.entry(rule).or_insert_with(what);
    }

    fn clock(&self, host: usize) -> Now {
        let off = self.chance.millis(0, 2000, "clock", host as u64);
        Now::new(self.now, SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH) + off + self.now)
    }

    fn opens(&mut self, host: usize) {
        let life = self.numbers + 1;
        let pace = match self.misuse {
            Some(Misuse::RunsTooMany) => Pace { concurrency: 8, ..self.pace },
            Some(Misuse::ClaimsTooMany) => Pace { ahead: 1000, ..self.pace },
            Some(Misuse::Leaves) => Pace { stays: false, ..self.pace },
            _ => self.pace,
        };
        let opened = Host {
            journal: self.disk.open(),
            foreman: Foreman::new(pace, self.clock(host)),
            life,
            is_over: false,
            is_stopped: false,
            turn: None,
            running: 0,
            wait_until: Duration::ZERO,
            starts: VecDeque::new(),
            begun_in_outage: 0,
            blocked_until: Duration::ZERO,
            wakes_at: Duration::ZERO,
        };
        match self.hosts.get_mut(host) {
            Some(before) => *before = opened,
            None => self.hosts.push(opened),
        }
        self.opened_at = self.now;
        self.later(Duration::ZERO, Event::Looks(host, life));
        if self.deaths < MOST_DEATHS && !self.is_calm {
            let after = self.chance.millis(1, 12_000, "death", life);
            match self.chance.below(3, "end", life) {
                0 => self.later(after, Event::Dies(host, life)),
                1 => self.later(after, Event::Stops(host, life)),
                _ => {}
            }
        }
    }

    fn dies(&mut self, host: usize) {
        self.deaths += 1;
        self.count("deaths");
        if self.hosts[host].turn.is_some() {
            self.count("deaths amid a turn");
        }
        let pause = self.chance.millis(10, 60_000, "reopening", self.numbers);
        self.over(host);
        self.later(pause, Event::Opens(host));
    }

    fn over(&mut self, host: usize) {
        self.hosts[host].is_over = true;
        self.hosts[host].journal.lose_hold();
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
                    self.over(host);
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
            let unbegun = self.disk.all().into_iter().find(|story| story.claims.is_empty());
            if let Some(story) = unbegun {
                let held = Held { intent: story.intent, claim: capture_journal::ClaimId(0) };
                self.starts(host, Work { held, how: How::Fresh(story.capture) }, true);
            }
        }
        let takes = self.chance.millis(1, 60, "turn", self.numbers);
        // It is durable before it returns, at some time in between.
        let is_early = self.chance.once_in(2, "commit", self.numbers);
        let turned = is_early.then(|| self.commits(host, &turn));
        self.hosts[host].turn = Some((turn, turned));
        let life = self.hosts[host].life;
        self.later(takes, Event::TurnReturns(host, life));
    }

    fn commits(&mut self, host: usize, turn: &Turn) -> Turned {
        let turned = self.hosts[host].journal.turn(turn).expect("memory does not fail");
        let fence = self.hosts[host].journal.fence();
        let is_open = |story: &Story| {
            story.claims.last().is_some_and(|claim| {
                claim.fence == fence && !story.entries.iter().any(|entry| entry.claim == claim.id)
            })
        };
        let open = self.disk.all().iter().filter(|story| is_open(story)).count();
        let most = self.pace.concurrency + self.pace.ahead;
        if open > most {
            self.broken(Rule::FewInDoubtAfterACrash, || format!("{open} claimed at once"));
        }
        turned
    }

    fn turn_returns(&mut self, host: usize) {
        let (turn, turned) = self.hosts[host].turn.take().expect("under way");
        let turned = turned.unwrap_or_else(|| self.commits(host, &turn));
        let now = self.clock(host);
        let ended = self.hosts[host].foreman.turned(turned, now);
        ended.iter().for_each(|ended| self.is_told(ended.held, &ended.outcome));
        self.looks(host);
    }

    fn is_out(&self) -> bool {
        (self.outage.0..self.outage.1).contains(&self.now)
    }

    fn sends_anyway(&mut self, host: usize) {
        let at = self.clock(host).wall();
        let turn = Turn { at, settled: Vec::new(), asks: Vec::new(), want: Want::most(1) };
        let work = self.hosts[host].journal.turn(&turn).expect("memory does not fail").work;
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
        let takes = self.chance.millis(2, 900, "latency", self.numbers);
        let life = self.hosts[host].life;
        let flight = self.flights.len();
        self.flights.push(Flight { host, life, work, order, fate, is_outside });
        self.later(takes / 2, Event::Arrives(flight));
        self.later(takes, Event::Ends(flight));
    }

    fn fate(&mut self, work: &Work, order: usize) -> Fate {
        if self.is_out() {
            return Fate::OutOfOrder;
        }
        // One that was tried often meets no more trouble, and the last run meets none.
        if self.orders[order].begun > 3 || self.is_calm {
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

    fn judges_the_start(&mut self, host: usize, work: &Work, order: usize, is_outside: bool) {
        let now = self.now;
        let fence = self.hosts[host].journal.fence();
        let stories = self.disk.all();
        let story = stories.iter().find(|story| story.intent == work.held.intent);
        let is_claimed = story.is_some_and(|story| {
            story.claims.iter().any(|it| it.id == work.held.claim && it.fence == fence)
        });
        if !is_claimed {
            self.broken(Rule::ClaimedBeforeSent, || format!("order {order} at {now:?}"));
        }
        let is_fresh = matches!(work.how, How::Fresh(_));
        if is_fresh && self.orders[order].was_sent {
            self.broken(Rule::NeverAfresh, || format!("order {order} at {now:?}"));
        }
        let written_at = self.orders[order].written_at;
        if is_fresh && self.is_calm && self.pace.stays && now > written_at + SOON {
            self.broken(Rule::TakenSoon, || format!("order {order} of {written_at:?} at {now:?}"));
        }
        let is_out = self.is_out();
        let per_second = self.pace.per_second.map_or(usize::MAX, |rate| rate as usize);
        let concurrency = self.pace.concurrency;
        let it = &mut self.hosts[host];
        it.running += 1;
        if is_fresh {
            it.starts.push_back(now);
            while it.starts.front().is_some_and(|at| *at + Duration::from_secs(1) <= now) {
                it.starts.pop_front();
            }
            it.begun_in_outage += usize::from(is_out);
        }
        let (running, begun) = (it.running, it.starts.len());
        let (is_stopped, wait_until, in_outage) =
            (it.is_stopped, it.wait_until, it.begun_in_outage);
        if !is_outside && (running > concurrency || begun > per_second + per_second / 5) {
            let what = || format!("{running} at once, {begun} in a second");
            self.broken(Rule::AtMostSoMany, what);
        }
        if is_stopped {
            self.broken(Rule::NothingAfterTheStop, || format!("order {order} at {now:?}"));
        }
        if now < wait_until {
            self.broken(Rule::SlowsDown, || format!("at {now:?}, and not before {wait_until:?}"));
        }
        if in_outage > OUTAGE_ORDERS {
            self.broken(Rule::FewInAnOutage, || format!("{in_outage} by {now:?}"));
        }
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
            let _ = self.hosts[host].journal.turn(&turn);
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

    fn is_told(&mut self, held: Held, outcome: &Outcome) {
        let stories = self.disk.all();
        let story = stories.iter().find(|story| story.intent == held.intent).expect("recorded");
        let order = outcome.capture().order_id();
        let standing = story.standing();
        let is_recorded = match outcome {
            Outcome::Captured(_) => matches!(standing, Standing::Captured(..)),
            Outcome::NotCaptured(it) if it.reason().is_decided() => {
                matches!(standing, Standing::NotCaptured(..))
            }
            _ => story.entries.iter().any(|entry| entry.claim == held.claim),
        };
        if !is_recorded {
            self.broken(Rule::RecordedBeforeTold, || format!("{order}: {outcome}"));
        }
        let its = self.orders.iter().find(|it| it.capture == story.capture).expect("one of ours");
        let (had_trouble, written_at) = (its.begun > 2, its.written_at);
        let (now, first) = (self.now, self.outage.1.max(self.opened_at).max(written_at));
        if standing.decided().is_some() && !had_trouble && now > first + BOUND {
            self.broken(Rule::DelaysNoOther, || format!("{order} was decided at {now:?}"));
        }
    }

    fn judges_the_end(&mut self) {
        for story in self.disk.all() {
            let number = story.capture.order_id();
            let order = self.orders.iter().find(|it| it.capture == story.capture);
            let order = order.expect("one of ours");
            let (is_captured, is_declined) = (order.is_captured, order.is_declined);
            let (standing, nature) = (story.standing(), order.nature);
            let is_true = match standing {
                Standing::Captured(..) => is_captured,
                Standing::NotCaptured(..) => is_declined,
                _ => true,
            };
            if !is_true {
                self.broken(Rule::True, || format!("{number} is recorded as {}", standing.name()));
            }
            if standing.decided().is_none() && nature != Nature::Undecidable {
                self.broken(Rule::EveryOneDecided, || format!("{number} is {}", standing.name()));
            }
        }
    }
}
