//! One run: the queue of what happens when, the network, the server, the truth.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capture_core::driver::{Api, Now, Shared, TokenAction, TransportError};
use capture_core::wire::{Request, Response};
use capture_core::{
    Capture, Credentials, Environment, IdempotencyKey, Money, Operation, OrderStatus, Outcome,
    Policy,
};
use capture_sandbox::{Action, Idempotency, NewOrder, Sandbox, Settings};

use super::chance::Chance;
use super::fault::Fault;
use super::plan::{Plan, Summary, Violation};
use super::process::{Job, Process};
use crate::fixture::WALL;
use crate::subject::{Said, Subject, Wants};

/// When the faults stop.
const HEALED: Duration = Duration::from_secs(300);

/// By then every order must have settled: windows end, and unknown outcomes are resumed.
const END: Duration = Duration::from_secs(3 * 3600);

pub(crate) struct Simulation {
    plan: Plan,
    chance: Chance,
    summary: Summary,
    api: Api,
    credentials: Credentials,
    policy: Policy,
    sandbox: Sandbox,
    processes: Vec<Process>,
    jobs: Vec<Job>,
    now: Duration,
    queue: BinaryHeap<Reverse<(Duration, u64)>>,
    events: BTreeMap<u64, Event>,
    numbers: u64,
    requests: u64,
    keys_are_kept: bool,
    /// The time in which the server is down and loses every request.
    down: (Duration, Duration),
}

/// Who sent a request.
#[derive(Debug, Clone, Copy)]
enum From {
    Job(usize),
    Login(usize, u32),
}

#[derive(Debug)]
enum Event {
    /// A job begins, or resumes an unknown outcome.
    Begin(usize),
    /// A wait of a job is over.
    Wake(usize, u32),
    /// A request reaches the server.
    Arrives(From, u64, Request, Option<Fault>, bool),
    /// An answer to request `n`, or its timeout, reaches the sender.
    Answered(From, u64, Result<Response, TransportError>),
    /// A process dies.
    Dies(usize),
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
        // Without its guard a server is safe only if it keeps every answer.
        let guard = idempotency != Idempotency::Frozen || chance.once_in(2, "guard", 0);
        let settings = Settings {
            token_lifetime: Duration::from_secs(20 + chance.below(580, "lifetime", 0)),
            idempotency,
            guard,
            seed: plan.seed,
            ..Settings::default()
        };
        let down = match chance.once_in(4, "goes down", 0) {
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
            policy: Policy::default(),
            sandbox: Sandbox::new(settings),
            processes: Vec::new(),
            jobs: Vec::new(),
            now: Duration::ZERO,
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            numbers: 0,
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
        for n in 0..processes as u64 {
            let skew = if chance.once_in(8, "skew", n) {
                chance.below(200_000, "by", n) as i64 - 100_000
            } else {
                0
            };
            self.processes.push(Process::new(Shared::new(self.credentials.clone()), 0, skew));
            if chance.once_in(3, "dies", n) {
                self.at(chance.millis(1, 200_000, "when", n), Event::Dies(n as usize));
            }
        }
        for n in 0..=chance.below(3, "orders", 0) {
            let dollars = Money::parse("100.00", "USD").expect("an amount");
            let window = Duration::from_secs(60 + chance.below(840, "window", n));
            let order =
                self.sandbox.create_order(NewOrder::new(dollars).window(window), self.wall(0));
            let wrong = chance.once_in(10, "wrong amount", n);
            let money =
                if wrong { Money::parse("99.99", "USD").expect("an amount") } else { dollars };
            let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
            let shared = processes > 1 && chance.once_in(4, "shared", n);
            let first = chance.below(processes as u64, "process", n) as usize;
            for process in
                [first, (first + 1) % processes].into_iter().take(1 + usize::from(shared))
            {
                let job = self.jobs.len();
                let saved_at = self.wall(self.processes[process].skew);
                let (subject, pending, first) = (None, None, None);
                let (round, decided) = (0, false);
                self.jobs.push(Job {
                    process,
                    order,
                    capture,
                    subject,
                    saved_at,
                    pending,
                    round,
                    first,
                    decided,
                    shared,
                });
                self.at(chance.millis(0, 20_000, "begins", job as u64), Event::Begin(job));
            }
            if chance.once_in(6, "cancelled", n) {
                let job = self.jobs.len() - 1;
                self.at(chance.millis(0, 60_000, "cancelled at", n), Event::Cancels(job));
            }
        }
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
        for job in 0..self.jobs.len() {
            if !self.jobs[job].decided {
                self.broken("I18", format!("order {job} never settled after the faults stopped"));
            }
        }
        self.summary
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Begin(job) => self.begins(job),
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
            Event::Cancels(job) => {
                let (order, wall) = (self.jobs[job].order, self.wall(0));
                if self.sandbox.order_status(order, wall) == Some(OrderStatus::CaptureRequired) {
                    self.count("orders cancelled");
                    self.tell(|| format!("order of job {job} is cancelled"));
                    let _ = self.sandbox.set_order_status(order, OrderStatus::Cancelled, wall);
                }
            }
        }
    }

    fn begins(&mut self, job: usize) {
        let now = self.clock(self.jobs[job].process);
        let Job { capture, saved_at, .. } = self.jobs[job];
        match &mut self.jobs[job].subject {
            Some(subject) => subject.restart(saved_at, now),
            None => {
                let (mutant, api, policy) = (self.plan.mutant, &self.api, self.policy);
                self.jobs[job].subject = Some(Subject::start(mutant, capture, api, policy, now));
            }
        }
        self.tell(|| format!("job {job} begins"));
        self.goes_on(job);
    }

    fn with_subject(&mut self, job: usize, change: impl FnOnce(&mut Subject)) {
        if let Some(subject) = &mut self.jobs[job].subject {
            let doubted = subject.in_doubt();
            change(subject);
            if doubted && !subject.in_doubt() && subject.progress().is_some() {
                return self.broken("I9", format!("job {job}: doubt went away without evidence"));
            }
        }
        self.goes_on(job);
    }

    /// Does what this job's machine wants next.
    fn goes_on(&mut self, job: usize) {
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
                if operation == Operation::Capture {
                    let sent = (request.body().to_vec(), format!("{}", request.uri()));
                    let first = self.jobs[job].first.get_or_insert_with(|| sent.clone());
                    if *first != sent {
                        return self
                            .broken("I6", format!("job {job}: a send differs from the first one"));
                    }
                }
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
            .filter(|_| self.now < HEALED && !self.plan.without.contains(&n));
        if let Some(fault) = fault {
            self.summary.faults.push(n);
            self.count(fault.name());
        }
        self.tell(|| {
            format!(
                "request {n} of {from:?}: {} {}, {fault:?}",
                request.method(),
                request.uri().path()
            )
        });
        let way = self.chance.millis(5, 200, "way", n);
        let patience = self.now + self.policy.attempt_timeout();
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
        if is_down {
            self.count("requests to a server that is down");
        }
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
        if self.summary.violation.is_none() {
            for job in 0..self.jobs.len() {
                if self.sandbox.ledger().captures(self.jobs[job].order) > 1 {
                    self.broken("I1", format!("the order of job {job} was captured twice"));
                }
            }
        }
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
        self.count("processes died");
        self.tell(|| format!("process {process} dies"));
        let (lives, skew) = (self.processes[process].lives + 1, self.processes[process].skew);
        self.processes[process] = Process::new(Shared::new(self.credentials.clone()), lives, skew);
        for job in 0..self.jobs.len() {
            let begun = self.jobs[job].subject.is_some();
            if self.jobs[job].process == process && begun && !self.jobs[job].decided {
                self.jobs[job].pending = None;
                self.jobs[job].round += 1;
                let pause = self.chance.millis(10, 30_000, "reborn", job as u64);
                self.at(self.now + pause, Event::Begin(job));
            }
        }
    }

    /// A client has reported an outcome: is it true?
    fn ends(&mut self, job: usize, said: Said) {
        let Job { order, shared, .. } = self.jobs[job];
        let outcome = self.jobs[job].subject.as_ref().and_then(Subject::outcome);
        let reason = outcome.map_or("said without proof", Outcome::code);
        let status = self.sandbox.order_status(order, self.wall(0));
        let captured = matches!(status, Some(OrderStatus::Completed | OrderStatus::Returned));
        self.tell(|| format!("job {job} ends: {said:?} ({reason}); the order is {status:?}"));
        match said {
            Said::Captured => {
                self.count("said captured");
                if !captured {
                    return self.broken(
                        "I2",
                        format!("job {job} says captured ({reason}), the order is {status:?}"),
                    );
                }
                self.jobs[job].decided = true;
            }
            Said::NotCaptured => {
                self.count("said not captured");
                // If two processes capture one order, each knows only what the API told it. If keys
                // are ignored, it cannot tell the other's capture from a refusal unless the confirming
                // lookup gets through.
                let told = matches!(reason, "declined" | "rejected" | "order_cancelled");
                let tellable = !shared || (self.keys_are_kept && told);
                if captured && tellable {
                    return self.broken(
                        "I3",
                        format!("job {job} says not captured ({reason}), and it is"),
                    );
                }
                self.jobs[job].decided = true;
            }
            Said::Unknown => {
                self.count("said unknown");
                self.jobs[job].round += 1;
                if self.now < END {
                    let pause = self.chance.millis(20_000, 200_000, "again", self.numbers);
                    self.at(self.now + pause, Event::Begin(job));
                }
            }
        }
    }

    fn at(&mut self, when: Duration, event: Event) {
        self.queue.push(Reverse((when, self.numbers)));
        self.events.insert(self.numbers, event);
        self.numbers += 1;
    }

    /// What the clocks of a process say.
    fn clock(&self, process: usize) -> Now {
        Now::new(self.now, self.wall(self.processes[process].skew))
    }

    fn wall(&self, skew: i64) -> SystemTime {
        let wall = SystemTime::UNIX_EPOCH + WALL + self.now;
        let by = Duration::from_secs(skew.unsigned_abs());
        if skew < 0 { wall - by } else { wall + by }
    }

    fn count(&mut self, what: &'static str) {
        *self.summary.counts.entry(what).or_default() += 1;
    }

    fn tell(&mut self, line: impl FnOnce() -> String) {
        if self.plan.traced {
            self.summary.trace.push(format!("{:>9.3} {}", self.now.as_secs_f64(), line()));
        }
    }

    fn broken(&mut self, invariant: &'static str, what: String) {
        self.tell(|| format!("{invariant} IS BROKEN: {what}"));
        self.summary.violation.get_or_insert(Violation { invariant, what });
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
