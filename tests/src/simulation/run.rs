//! One run: the queue of what happens when, the network, the server, the truth.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capture_core::driver::{Api, Now, Shared, TokenAction, TransportError};
use capture_core::wire::{Request, Response};
use capture_core::{
    Capture, Credentials, Environment, IdempotencyKey, Money, Operation, OrderStatus, Policy,
    Resend,
};
use capture_sandbox::{Action, Idempotency, NewOrder, Sandbox, Settings};

use super::chance::Chance;
use super::clause::Clause;
use super::fault::Fault;
use super::plan::{Plan, Summary, Violation};
use super::process::{Job, Process};
use super::trouble::Trouble;
use crate::fixture::WALL;
use crate::leases::{BEAT, Store};
use crate::subject::{Subject, Wants};

/// When the faults stop.
pub(crate) const HEALED: Duration = Duration::from_secs(300);

/// By then every order must have settled: windows end, and unknown outcomes are resumed.
const END: Duration = Duration::from_secs(3 * 3600);

/// The same, where a process is away for more than a day.
const LATE_END: Duration = Duration::from_secs(30 * 3600);

const A_DAY: u64 = 24 * 3600;

pub(crate) struct Simulation {
    pub(crate) plan: Plan,
    pub(crate) chance: Chance,
    summary: Summary,
    pub(crate) api: Api,
    credentials: Credentials,
    pub(crate) sandbox: Sandbox,
    /// The journals: one for all processes, or one for each.
    pub(crate) stores: Vec<Store>,
    pub(crate) processes: Vec<Process>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) now: Duration,
    pub(crate) end: Duration,
    /// Whether a process is away for more than a day, and the orders' windows are as long.
    is_long: bool,
    queue: BinaryHeap<Reverse<(Duration, u64)>>,
    events: BTreeMap<u64, Event>,
    pub(crate) numbers: u64,
    pub(crate) turns: u64,
    requests: u64,
    pub(crate) keys_are_kept: bool,
    clocks_are_off: bool,
    /// The time in which the server is down and loses every request.
    down: (Duration, Duration),
}

/// Who sent a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum From {
    Job(usize),
    Login(usize, u32),
}

#[derive(Debug)]
pub(crate) enum Event {
    /// A job begins, or resumes an unknown outcome.
    /// In this round; a process that died meanwhile begins it in another.
    Begin(usize, u32),
    /// A wait of a job is over.
    Wake(usize, u32),
    /// A request reaches the server.
    Arrives(From, u64, Request, Option<Fault>, bool),
    /// An answer to request `n`, or its timeout, reaches the sender.
    Answered(From, u64, Result<Response, TransportError>),
    /// A process dies.
    Dies(usize),
    /// Others believe that a process has ended.
    LosesHold(usize, u32),
    /// A process renews its lease.
    Beats(usize, u32),
    /// A process stands still for so long.
    Stalls(usize, u32, Duration),
    /// Somebody cancels an order.
    Cancels(usize),
}

impl Simulation {
    pub(crate) fn new(plan: &Plan) -> Self {
        let chance = Chance(plan.seed);
        let idempotency = match chance.below(3, "idempotency", 0) {
            0 => Idempotency::Frozen,
            1 => Idempotency::OnlySuccess,
            _ => Idempotency::Ignored,
        };
        let has = |trouble| !plan.off.contains(&trouble);
        let is_long = has(Trouble::DayAway) && chance.once_in(8, "long", 0);
        let clocks_are_off = chance.once_in(2, "clocks", 0);
        // Without its guard a server is safe only if it keeps every answer, and keeps it as long as a
        // client believes: a clock that is off may make a key look younger than it is.
        let guard = idempotency != Idempotency::Frozen
            || (is_long && clocks_are_off)
            || chance.once_in(2, "guard", 0);
        let settings = Settings {
            token_lifetime: Duration::from_secs(20 + chance.below(580, "lifetime", 0)),
            idempotency,
            guard,
            seed: plan.seed,
            ..Settings::default()
        };
        let down = match has(Trouble::ServerDown) && chance.once_in(4, "goes down", 0) {
            true => chance.millis(0, 60_000, "down from", 0),
            false => HEALED,
        };
        let down = (down, HEALED.min(down + chance.millis(1_000, 90_000, "down for", 0)));
        let credentials = Credentials::new(settings.app_key.clone(), settings.app_secret.clone());
        let mut simulation = Self {
            plan: plan.clone(),
            chance,
            summary: Summary::default(),
            api: Api::new(&Environment::Sandbox),
            credentials: credentials.expect("the sandbox's own"),
            sandbox: Sandbox::new(settings),
            stores: Vec::new(),
            processes: Vec::new(),
            jobs: Vec::new(),
            now: Duration::ZERO,
            end: if is_long { LATE_END } else { END },
            is_long,
            clocks_are_off,
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            numbers: 0,
            turns: 0,
            requests: 0,
            keys_are_kept: idempotency != Idempotency::Ignored,
            down,
        };
        simulation.populate();
        simulation
    }

    /// Processes, orders, and what will happen to them.
    fn populate(&mut self) {
        let chance = self.chance;
        let processes = 1 + chance.below(3, "processes", 0) as usize;
        let stores = if chance.once_in(2, "journals", 0) { processes } else { 1 };
        let has_leases = chance.once_in(2, "leases", 0);
        self.stores = (0..stores).map(|_| Store::new(has_leases, None)).collect();
        for n in 0..processes as u64 {
            let process = self.born(n as usize, 0);
            self.processes.push(process);
            self.opens(n as usize);
            let dies = self.is_long && n == 0 || chance.once_in(3, "dies", n);
            if self.has(Trouble::ProcessDies) && dies {
                let latest = if self.is_long { 40_000 } else { 200_000 };
                self.at(chance.millis(1, latest, "when", n), Event::Dies(n as usize));
            }
            if self.has(Trouble::Stalls) && chance.once_in(3, "stalls", n) {
                let (when, lasts) = (
                    chance.millis(1, 60_000, "stalls at", n),
                    chance.millis(1_000, 90_000, "stalls for", n),
                );
                self.at(when, Event::Stalls(n as usize, 0, lasts));
            }
            if self.has(Trouble::HoldLost) && !has_leases && chance.once_in(2, "loses its hold", n)
            {
                let when = chance.millis(1, 100_000, "loses it", n);
                self.at(when, Event::LosesHold(n as usize, 0));
            }
        }
        for n in 0..=chance.below(3, "orders", 0) {
            let dollars = Money::parse("100.00", "USD").expect("an amount");
            let day = if self.is_long { A_DAY + 3_600 } else { 0 };
            let window = Duration::from_secs(day + 60 + chance.below(840, "window", n));
            let order =
                self.sandbox.create_order(NewOrder::new(dollars).window(window), self.wall(0));
            let wrong = self.has(Trouble::WrongAmount) && chance.once_in(10, "wrong amount", n);
            self.count_if(wrong, Trouble::WrongAmount);
            let money =
                if wrong { Money::parse("99.99", "USD").expect("an amount") } else { dollars };
            let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
            let shared =
                self.has(Trouble::TwoProcesses) && processes > 1 && chance.once_in(4, "shared", n);
            self.count_if(shared, Trouble::TwoProcesses);
            let policy = self.policy(n);
            let first = chance.below(processes as u64, "process", n) as usize;
            for process in
                [first, (first + 1) % processes].into_iter().take(1 + usize::from(shared))
            {
                let job = self.jobs.len();
                let (subject, pending, first, first_sent, claim) = (None, None, None, None, None);
                let reruns = chance.below(3, "reruns", job as u64) as u32;
                let (round, doubted) = (0, false);
                self.jobs.push(Job {
                    process,
                    order,
                    capture,
                    subject,
                    held: None,
                    pending,
                    round,
                    first,
                    first_sent,
                    doubted,
                    policy,
                    claim,
                    shared,
                    reruns,
                });
                self.at(chance.millis(0, 20_000, "begins", job as u64), Event::Begin(job, 0));
            }
            if self.has(Trouble::OrderCancelled) && chance.once_in(6, "cancelled", n) {
                let job = self.jobs.len() - 1;
                self.at(chance.millis(0, 60_000, "cancelled at", n), Event::Cancels(job));
            }
        }
    }

    /// A life of a process, with a clock of its own.
    fn born(&mut self, process: usize, life: u32) -> Process {
        let (chance, n) = (self.chance, process as u64 + 10 * u64::from(life));
        let by = |topic| chance.below(200_000, topic, n) as i64 - 100_000;
        let is_off = self.clocks_are_off && !chance.once_in(3, "skew", n);
        let is_off = is_off && self.has(Trouble::ClockOff);
        self.count_if(is_off, Trouble::ClockOff);
        let skew = if is_off { by("by") } else { 0 };
        let store = process % self.stores.len();
        let mut born = Process::new(Shared::new(self.credentials.clone()), store, life, skew);
        if self.has(Trouble::ClockJumps) && self.clocks_are_off && chance.once_in(3, "jumps", n) {
            self.count_if(true, Trouble::ClockJumps);
            let after = chance.millis(1, 200_000, "jumps at", n);
            born.jump = Some((self.now + after, by("jumps by")));
        }
        born
    }

    /// A process opens its journal.
    fn opens(&mut self, process: usize) {
        let (now, store) = (self.clock(process), self.processes[process].store);
        let fence = self.stores[store].open(now);
        self.processes[process].fences.push(fence);
        if self.stores[store].has_leases() {
            self.beats(process);
        }
    }

    /// It renews its lease from time to time. Once the faults have stopped, nothing ends it.
    fn beats(&mut self, process: usize) {
        let (now, life) = (self.clock(process), self.processes[process].lives);
        let (store, fence) = (self.processes[process].store, self.processes[process].fence());
        match self.now < HEALED {
            true => {
                self.stores[store].beats(fence, now);
                self.at(self.now + BEAT, Event::Beats(process, life));
            }
            false => self.stores[store].lives_on(fence, now),
        }
    }

    /// How hard the captures of this order are tried.
    fn policy(&mut self, order: u64) -> Policy {
        let never = self.has(Trouble::NoResends) && self.chance.once_in(5, "never", order);
        let blind = self.has(Trouble::NoLookups) && self.chance.once_in(5, "blind", order);
        self.count_if(never, Trouble::NoResends);
        self.count_if(blind, Trouble::NoLookups);
        let resend = if never { Resend::Never } else { Resend::Keyed };
        Policy::default().with_resend(resend).with_lookup(!blind)
    }

    pub(crate) fn play(mut self) -> Summary {
        while let Some(Reverse((at, number))) = self.queue.pop() {
            self.now = at;
            let event = self.events.remove(&number).expect("every number has its event");
            self.happens(event);
            if self.summary.violation.is_some() {
                return self.summary;
            }
        }
        self.closes();
        self.summary
    }

    /// The process that this happens to, if it can stand still meanwhile.
    fn whose(&self, event: &Event) -> Option<usize> {
        match event {
            Event::Begin(job, _) | Event::Wake(job, _) | Event::Answered(From::Job(job), ..) => {
                Some(self.jobs[*job].process)
            }
            Event::Answered(From::Login(process, _), ..) | Event::Beats(process, _) => {
                Some(*process)
            }
            _ => None,
        }
    }

    fn happens(&mut self, event: Event) {
        let until = self.whose(&event).map(|process| self.processes[process].stalls_until);
        if let Some(until) = until.filter(|until| *until > self.now) {
            return self.at(until, event);
        }
        match event {
            Event::Begin(job, round) => {
                if self.jobs[job].round == round {
                    self.begins(job);
                }
            }
            Event::Wake(job, round) => {
                if self.jobs[job].round == round {
                    let now = self.clock(self.jobs[job].process);
                    self.with_subject(job, |subject| subject.elapsed(now));
                }
            }
            Event::Arrives(from, n, request, fault, counted) => {
                self.arrives(from, n, &request, fault, counted);
            }
            Event::Answered(From::Job(job), n, answer) => {
                if self.jobs[job].pending == Some(n) {
                    self.jobs[job].pending = None;
                    self.tell(|| format!("job {job}: {}", shown(&answer)));
                    let now = self.clock(self.jobs[job].process);
                    self.with_subject(job, |subject| subject.answer(answer, now));
                }
            }
            Event::Answered(From::Login(process, life), n, answer) => {
                self.logged_in(process, life, n, &answer);
            }
            Event::Dies(process) => self.dies(process),
            Event::LosesHold(process, life) => {
                if self.processes[process].lives == life {
                    self.count_if(true, Trouble::HoldLost);
                    self.tell(|| format!("process {process} loses its hold"));
                    let Process { store, .. } = self.processes[process];
                    self.stores[store].loses_hold(self.processes[process].fence());
                }
            }
            Event::Beats(process, life) => {
                if self.processes[process].lives == life {
                    self.beats(process);
                }
            }
            Event::Stalls(process, life, lasts) => {
                if self.processes[process].lives == life {
                    self.count_if(true, Trouble::Stalls);
                    self.tell(|| format!("process {process} stands still"));
                    self.processes[process].stalls_until = self.now + lasts;
                }
            }
            Event::Cancels(job) => {
                let (order, wall) = (self.jobs[job].order, self.wall(0));
                if self.sandbox.order_status(order, wall) == Some(OrderStatus::CaptureRequired) {
                    self.count_if(true, Trouble::OrderCancelled);
                    self.tell(|| format!("order of job {job} is cancelled"));
                    let _ = self.sandbox.set_order_status(order, OrderStatus::Cancelled, wall);
                }
            }
        }
    }

    fn with_subject(&mut self, job: usize, change: impl FnOnce(&mut Subject)) {
        if let Some(subject) = &mut self.jobs[job].subject {
            change(subject);
            self.judge_doubt(job);
        }
        self.goes_on(job);
    }

    /// Does what this job's machine wants next.
    pub(crate) fn goes_on(&mut self, job: usize) {
        let Some(subject) = &self.jobs[job].subject else { return };
        let process = self.jobs[job].process;
        match subject.wants() {
            Wants::Token(_) => self.wants_token(job, process, self.now),
            Wants::Wait(delay) => {
                self.jobs[job].round += 1;
                let round = self.jobs[job].round;
                self.at(self.now + delay, Event::Wake(job, round));
            }
            Wants::Send(operation, request) => {
                let request = request.clone();
                self.count(if operation == Operation::Capture {
                    "captures sent"
                } else {
                    "lookups sent"
                });
                self.judge_send(job);
                self.jobs[job].pending = Some(self.requests);
                self.sends(From::Job(job), request);
            }
            Wants::Nothing(said) => self.ends(job, said),
        }
    }

    fn wants_token(&mut self, job: usize, process: usize, asked: Duration) {
        if self.processes[process].login.is_some() {
            self.processes[process].waiting.push((job, asked));
            return;
        }
        let now = self.clock(process);
        let asked_at = Now::new(asked, now.wall());
        let Some(Wants::Token(request)) = self.jobs[job].subject.as_ref().map(Subject::wants)
        else {
            return;
        };
        let shared = &mut self.processes[process].shared;
        // Jobs that waited for a login have their permit already.
        if asked == self.now && !shared.permits(request, now) {
            return self.with_subject(job, |subject| subject.no_permit(now));
        }
        match shared.ask(&self.api, request, asked_at, now) {
            TokenAction::Use(token) => {
                self.with_subject(job, |subject| subject.token(Ok(Some(token)), now));
            }
            TokenAction::Fail(denied) => {
                self.with_subject(job, |subject| subject.token(Err(denied), now));
            }
            TokenAction::Login(request, login) => {
                self.count("logins");
                self.processes[process].waiting.push((job, asked));
                self.processes[process].login = Some((self.requests, login));
                let life = self.processes[process].lives;
                self.sends(From::Login(process, life), request);
            }
        }
    }

    fn logged_in(
        &mut self,
        process: usize,
        life: u32,
        n: u64,
        answer: &Result<Response, TransportError>,
    ) {
        let (Some((number, login)), now) = (self.processes[process].login, self.clock(process))
        else {
            return;
        };
        if self.processes[process].lives != life || number != n {
            return;
        }
        self.tell(|| format!("process {process} logs in: {}", shown(answer)));
        self.processes[process].login = None;
        // Jobs that waited ask again, and find the token or share the failure.
        let _ = self.processes[process].shared.logged_in(login, answer, now);
        for (job, asked) in std::mem::take(&mut self.processes[process].waiting) {
            self.wants_token(job, process, asked);
        }
    }

    /// Sends a request, with its fault if it has one.
    fn sends(&mut self, from: From, request: Request) {
        let n = self.requests;
        self.requests += 1;
        let fault = Fault::of(self.chance, n)
            .filter(|_| self.now < HEALED && !self.plan.without.contains(&n))
            .filter(|fault| self.has(fault.kind()));
        self.tell(|| {
            format!("request {n} of {from:?}: {} {}", request.method(), request.uri().path())
        });
        if let Some(fault) = fault {
            self.summary.faults.push(n);
            self.count(fault.kind().name());
            self.tell(|| format!("fault: {fault:?}"));
        }
        let way = self.chance.millis(5, 200, "way", n);
        let patience = self.now + Policy::default().attempt_timeout();
        match fault {
            Some(Fault::Refused) => {
                return self.at(
                    self.now + way,
                    Event::Answered(from, n, Err(TransportError::not_sent("refused"))),
                );
            }
            Some(Fault::RequestLost) => {}
            Some(Fault::RequestLate(late)) => {
                self.at(self.now + late, Event::Arrives(from, n, request, fault, true));
            }
            Some(Fault::RequestTwice(late)) => {
                self.at(
                    self.now + way + late,
                    Event::Arrives(from, n, request.clone(), fault, false),
                );
                self.at(self.now + way, Event::Arrives(from, n, request, fault, true));
            }
            _ => self.at(self.now + way, Event::Arrives(from, n, request, fault, true)),
        }
        self.at(patience, Event::Answered(from, n, Err(TransportError::maybe_sent("timeout"))));
    }

    /// The server answers; `heard` is false for the second copy of a request.
    fn arrives(
        &mut self,
        from: From,
        n: u64,
        request: &Request,
        fault: Option<Fault>,
        heard: bool,
    ) {
        let way = self.chance.millis(5, 200, "way back", n);
        let is_down = self.down.0 <= self.now && self.now < self.down.1;
        self.count_if(is_down, Trouble::ServerDown);
        let answer = match fault {
            _ if is_down => Err(TransportError::maybe_sent("reset by a server that went down")),
            Some(Fault::GatewayBefore(status)) => Ok(gateway(status)),
            Some(Fault::Html) => Ok(html()),
            Some(Fault::Throttled(wait)) => Ok(throttled(wait)),
            _ => match self.sandbox.handle(request, self.wall(0)).action {
                Action::Respond(response) => Ok(response),
                _ => Err(TransportError::maybe_sent("closed")),
            },
        };
        self.judge_ledger();
        let (answer, late) = match fault {
            Some(Fault::ReplyLost) => return,
            Some(Fault::EndOfFile) => {
                (Err(TransportError::maybe_sent("end of file")), Duration::ZERO)
            }
            Some(Fault::ReplyCut) => (answer.and_then(cut), Duration::ZERO),
            Some(Fault::ReplyLate(late)) => (answer, late),
            Some(Fault::GatewayAfter(status)) => (Ok(gateway(status)), Duration::ZERO),
            _ => (answer, Duration::ZERO),
        };
        if heard {
            self.at(self.now + way + late, Event::Answered(from, n, answer));
        }
    }

    fn dies(&mut self, process: usize) {
        self.count_if(true, Trouble::ProcessDies);
        self.tell(|| format!("process {process} dies"));
        let (store, fence) = (self.processes[process].store, self.processes[process].fence());
        let life = self.processes[process].lives + 1;
        self.processes[process] = self.born(process, life);
        let is_believed = self.has(Trouble::BelievedAlive) && self.stores[store].has_leases();
        self.count_if(is_believed, Trouble::BelievedAlive);
        match is_believed {
            true => self.stores[store].dies(fence),
            false => self.stores[store].ends(fence),
        }
        self.opens(process);
        let is_away = self.is_long && process == 0;
        self.count_if(is_away, Trouble::DayAway);
        self.forgets(process, is_away);
    }

    /// The connection to the journal is lost, and its process opens it anew.
    pub(crate) fn loses_the_journal(&mut self, process: usize) {
        self.count_if(true, Trouble::CommitLost);
        self.tell(|| format!("process {process} loses its journal"));
        let life = self.processes[process].lives + 1;
        let Process { store, skew, jump, .. } = self.processes[process];
        let anew = Process::new(Shared::new(self.credentials.clone()), store, life, skew);
        self.processes[process] = Process { jump, ..anew };
        self.opens(process);
        self.forgets(process, false);
    }

    /// What a process knew is gone.
    fn forgets(&mut self, process: usize, is_away: bool) {
        for job in 0..self.jobs.len() {
            if self.jobs[job].process != process {
                continue;
            }
            let begun = self.jobs[job].subject.take().is_some();
            self.jobs[job].held = None;
            if begun && self.jobs[job].claim.is_none() {
                self.jobs[job].pending = None;
                self.jobs[job].round += 1;
                let mut pause = self.chance.millis(10, 30_000, "reborn", job as u64);
                if is_away {
                    pause += Duration::from_secs(A_DAY) + pause * 60;
                }
                self.at(self.now + pause, Event::Begin(job, self.jobs[job].round));
            }
        }
    }

    pub(crate) fn at(&mut self, when: Duration, event: Event) {
        self.queue.push(Reverse((when, self.numbers)));
        self.events.insert(self.numbers, event);
        self.numbers += 1;
    }

    /// What the clocks of a process say.
    pub(crate) fn clock(&self, process: usize) -> Now {
        Now::new(self.now, self.wall(self.processes[process].skew_at(self.now)))
    }

    pub(crate) fn wall(&self, skew: i64) -> SystemTime {
        let wall = SystemTime::UNIX_EPOCH + WALL + self.now;
        let by = Duration::from_secs(skew.unsigned_abs());
        if skew < 0 { wall - by } else { wall + by }
    }

    pub(crate) fn has(&self, trouble: Trouble) -> bool {
        !self.plan.off.contains(&trouble)
    }

    fn count_if(&mut self, happens: bool, trouble: Trouble) {
        if happens {
            self.count(trouble.name());
        }
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.summary.counts.entry(what).or_default() += 1;
    }

    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if self.plan.traced {
            self.summary.trace.push(format!("{:>9.3} {}", self.now.as_secs_f64(), line()));
        }
    }

    pub(crate) fn broken(&mut self, clause: Clause, what: String) {
        if self.plan.only.is_some_and(|only| only != clause) {
            return;
        }
        self.tell(|| format!("{} IS BROKEN: {what}", clause.invariant()));
        self.summary.violation.get_or_insert(Violation { clause, what });
    }
}

fn shown(answer: &Result<Response, TransportError>) -> String {
    match answer {
        Ok(response) => {
            let body = String::from_utf8_lossy(response.body());
            format!("{} {}", response.status().as_u16(), capture_core::printable(&body, 70))
        }
        Err(lost) => lost.to_string(),
    }
}

fn gateway(status: u16) -> Response {
    plain(status, r#"{"message":"Service Unavailable"}"#)
}

fn html() -> Response {
    plain(200, "<html>sign in</html>")
}

fn throttled(wait: u16) -> Response {
    let mut response = plain(429, r#"{"message":"Too Many Requests"}"#);
    response.headers_mut().insert("retry-after", wait.into());
    response
}

fn plain(status: u16, body: &'static str) -> Response {
    let mut response = http::Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
    response
}

/// The first half of the reply; in half the cases the transport notices that it was cut.
fn cut(response: Response) -> Result<Response, TransportError> {
    let half = response.body().len() / 2;
    if half % 2 == 0 {
        return Err(TransportError::in_reply(response.status(), response.headers().clone(), "cut"));
    }
    Ok(response.map(|body| body.slice(..half)))
}
