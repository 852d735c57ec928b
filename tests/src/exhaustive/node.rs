//! One state of the search: a client, the truth, and everything that can happen next.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capture_core::driver::{Api, Now, TokenRequest};
use capture_core::wire::Request;
use capture_core::{BearerToken, Environment, Operation, TokenError};

use super::events::{Catalogue, Class, Kind};
use super::scope::Scope;
use super::server::{Order, ServerModel};
use crate::fixture::{WALL, capture};
use crate::subject::{Said, Subject, Wants};

/// Later than the client's deadline; three times that is within the life of its key.
const LATE: Duration = Duration::from_secs(7 * 60 * 60);

/// Longer than the life of a key.
const A_DAY: Duration = Duration::from_secs(25 * 60 * 60);

/// One state.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) subject: Subject,
    pub(crate) server: ServerModel,
    pub(crate) scope: Scope,
    /// The first capture that was sent: all others must equal it.
    pub(crate) first: Option<Request>,
    /// Bodies that the server saw; a key's number is the index of its body.
    pub(super) bodies: Vec<Bytes>,
    /// Whether an attempt may have been executed at some time, in this process or an earlier one.
    pub(crate) doubted: bool,
    /// Whether the key is older than a day.
    pub(crate) old: bool,
    /// If the API has refused because somebody else had captured the order: how many waits ago, as
    /// far as the order's status may lag.
    pub(crate) echo: Option<u32>,
    pub(super) restarts: u32,
    pub(super) began: Now,
    pub(super) now: Now,
    pub(super) saved_at: SystemTime,
}

/// What happened, for a trace.
pub(crate) enum Event<'a> {
    Token(&'static str, bool),
    Answer(Operation, &'a Kind, &'a ServerModel, bool),
    Waited(bool),
    Restarted(bool),
    Server(&'a str),
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let late = |late: &bool| if *late { ", after the deadline" } else { "" };
        match self {
            Self::Token(what, is_late) => write!(f, "token: {what}{}", late(is_late)),
            Self::Answer(operation, kind, server, is_late) => {
                let operation = if *operation == Operation::Capture { "capture" } else { "lookup" };
                let ServerModel { order, captures, in_flight, .. } = server;
                let truth =
                    format!("{order:?}, captured {captures}x, {} on the way", in_flight.len());
                write!(f, "{operation}: {}{} [truth: {truth}]", kind.name, late(is_late))
            }
            Self::Waited(is_late) => write!(f, "waited{}", late(is_late)),
            Self::Restarted(old) => {
                write!(f, "the process dies and resumes{}", if *old { " a day later" } else { "" })
            }
            Self::Server(what) => f.write_str(what),
        }
    }
}

impl Node {
    pub(crate) fn start(scope: Scope) -> Self {
        let now = Now::new(Duration::ZERO, SystemTime::UNIX_EPOCH + WALL);
        let api = Api::new(&Environment::Sandbox);
        Self {
            subject: Subject::start(scope.mutant, capture(), &api, scope.policy, now),
            server: ServerModel::new(scope.assumptions),
            scope,
            first: None,
            bodies: Vec::new(),
            doubted: false,
            old: false,
            echo: None,
            restarts: scope.restarts,
            began: now,
            now,
            saved_at: now.wall(),
        }
    }

    /// Sends that count: one that gets a 409 or 425 does not.
    pub(crate) fn sends(&self) -> u32 {
        self.subject.history().sends
    }

    /// Whether this process has passed its deadline.
    pub(crate) fn is_late(&self) -> bool {
        self.now.since(self.began) > self.scope.policy.deadline()
    }

    pub(crate) fn end(&self) -> Option<&'static str> {
        match self.subject.wants() {
            Wants::Nothing(Said::Captured) => Some("captured"),
            Wants::Nothing(Said::NotCaptured) => Some("not captured"),
            Wants::Nothing(Said::Unknown) => Some("unknown"),
            _ => None,
        }
    }

    /// The state's name in the documentation.
    pub(crate) fn name(&self) -> &'static str {
        let is_refused = self.subject.is_refused();
        match (self.subject.wants(), self.subject.in_doubt()) {
            (Wants::Token(_), false) if is_refused => "AuthorizeToConfirm",
            (Wants::Token(_), false) => "Authorize",
            (Wants::Token(_), true) => "AuthorizeInDoubt",
            (Wants::Send(Operation::Capture, _), false) => "SendCapture",
            (Wants::Send(Operation::Capture, _), true) => "SendAgainInDoubt",
            (Wants::Send(_, _), false) => "ConfirmRefusal",
            (Wants::Send(_, _), true) => "LookUpInDoubt",
            (Wants::Wait(_), false) if is_refused => "WaitToConfirm",
            (Wants::Wait(_), false) => "Wait",
            (Wants::Wait(_), true) => "WaitInDoubt",
            (Wants::Nothing(Said::Captured), _) => "Captured",
            (Wants::Nothing(Said::NotCaptured), _) => "NotCaptured",
            (Wants::Nothing(Said::Unknown), _) => "Unknown",
        }
    }

    /// Every event that can happen here, and the state after it.
    pub(crate) fn successors(&self, catalogue: &Catalogue, found: &mut dyn FnMut(Event<'_>, Self)) {
        for (what, server) in self.server.by_itself() {
            found(Event::Server(&what), Self { server, ..self.clone() });
        }
        match self.subject.wants() {
            Wants::Token(request) => self.tokens(request, found),
            Wants::Send(operation, request) => self.answers(catalogue, operation, request, found),
            Wants::Wait(delay) => {
                for late in [false, true] {
                    let now = if late { self.late() } else { self.now + delay };
                    let waited = |waits: u32| (waits + 1).min(self.scope.echo.unwrap_or(0));
                    let echo = self.echo.map(waited);
                    let mut next = Self { now, echo, ..self.clone() };
                    next.subject.elapsed(now);
                    found(Event::Waited(late), next.settled());
                }
            }
            Wants::Nothing(_) => {}
        }
        if self.restarts > 0
            && !matches!(self.subject.wants(), Wants::Nothing(Said::Captured | Said::NotCaptured))
        {
            self.restarted(found);
        }
    }

    fn tokens(&self, request: TokenRequest<'_>, found: &mut dyn FnMut(Event<'_>, Self)) {
        let fresh = BearerToken::new(&format!("token-{}-{}", self.restarts, self.subject.logins));
        let fresh = fresh.expect("a token");
        let unavailable = TokenError::Unavailable { why: "503".into(), retry_after: None };
        for (what, answer) in [
            ("a new one", Ok(Some(fresh))),
            ("the refused one again", Ok(None)),
            ("credentials refused", Err(TokenError::Credentials(400))),
            ("login unavailable", Err(unavailable)),
        ] {
            let possible = match answer {
                Ok(None) => request.refused.is_some(),
                _ => true,
            };
            if !possible {
                continue;
            }
            for late in [false, true] {
                let mut next = self.at(late);
                next.subject.token(answer.clone(), next.now);
                found(Event::Token(what, late), next.settled());
            }
        }
        if request.resend {
            let mut next = self.clone();
            next.subject.no_permit(self.now);
            found(Event::Token("no retry budget left", false), next.settled());
        }
    }

    fn answers(
        &self,
        catalogue: &Catalogue,
        operation: Operation,
        request: &Request,
        found: &mut dyn FnMut(Event<'_>, Self),
    ) {
        let lookups = || catalogue.lookup(self.server.order).iter();
        match operation {
            Operation::Lookup | Operation::Login => {
                for kind in lookups().filter(|kind| self.can_show(kind)) {
                    self.answered(operation, kind, &self.server, &self.bodies, found);
                }
            }
            Operation::Capture => {
                let (key, bodies) = self.server_key(request.body());
                let lost = self.server.after_loss(key);
                let arrived = self.server.arrives(key);
                for kind in &catalogue.capture {
                    let said = |wanted| {
                        let told = arrived.iter().filter(move |(_, did)| *did == wanted);
                        told.map(|(server, _)| server.clone()).collect::<Vec<_>>()
                    };
                    let servers = match kind.class {
                        Class::Success => said(super::server::Did::Success),
                        Class::Failed => said(super::server::Did::Failed),
                        Class::Refused => {
                            let mut servers = said(super::server::Did::Failed);
                            servers.push(self.server.clone());
                            servers
                        }
                        Class::TurnedAway => vec![self.server.clone()],
                        Class::Loss => lost.clone(),
                    };
                    for server in servers {
                        self.answered(operation, kind, &server, &bodies, found);
                    }
                }
            }
        }
    }

    fn answered(
        &self,
        operation: Operation,
        kind: &Kind,
        server: &ServerModel,
        bodies: &[Bytes],
        found: &mut dyn FnMut(Event<'_>, Self),
    ) {
        for late in [false, true] {
            let (server, bodies) = (server.clone(), bodies.to_vec());
            let mut next = Self { server, bodies, ..self.at(late) };
            next.subject.answer(kind.answer(), next.now);
            if operation == Operation::Capture && next.is_echo(kind) {
                next.echo = Some(0);
            }
            let next = next.settled();
            let server = next.server.clone();
            found(Event::Answer(operation, kind, &server, late), next);
        }
    }

    /// Whether the order's status can be shown like this: it lags behind the capture for a while, and
    /// the API does not deny that there is such an order.
    fn can_show(&self, kind: &Kind) -> bool {
        let has_settled = self.echo.is_some() && self.echo == self.scope.echo;
        self.echo.is_none() || !(kind.denies_the_order() || (has_settled && kind.shows_waiting()))
    }

    /// Whether the API has refused because somebody else had captured the order.
    fn is_echo(&self, kind: &Kind) -> bool {
        let refuses = matches!(kind.class, Class::Failed | Class::Refused | Class::TurnedAway);
        let is_foreign = self.server.order == Order::Completed && self.server.captures == 0;
        self.scope.echo.is_some() && refuses && is_foreign
    }

    /// The process dies here; whatever was being sent may or may not arrive.
    fn restarted(&self, found: &mut dyn FnMut(Event<'_>, Self)) {
        let mut servers = vec![(self.server.clone(), self.bodies.clone())];
        if let Wants::Send(Operation::Capture, request) = self.subject.wants() {
            let (key, bodies) = self.server_key(request.body());
            servers = self
                .server
                .after_loss(key)
                .into_iter()
                .map(|server| (server, bodies.clone()))
                .collect();
        }
        for (server, bodies) in servers {
            for old in [false, true] {
                let mut next =
                    Self { server: server.clone(), bodies: bodies.clone(), ..self.clone() };
                if old {
                    next.server = next.server.a_day_later();
                    next.now += A_DAY;
                }
                next.restarts -= 1;
                next.old |= old;
                // A process that resumes a capture must assume that it was sent, unless it was told
                // that nothing but a refusal came of it.
                next.doubted |= !self.subject.is_unconfirmed();
                next.began = next.now;
                next.subject.restart(next.saved_at, next.now);
                found(Event::Restarted(old), next.settled());
            }
        }
    }

    /// Notes what the new state shows for later checks.
    fn settled(mut self) -> Self {
        self.doubted |= self.subject.in_doubt();
        if self.first.is_none() {
            if let Wants::Send(Operation::Capture, request) = self.subject.wants() {
                self.first = Some(request.clone());
            }
        }
        self
    }

    /// This state now, or after the deadline.
    fn at(&self, late: bool) -> Self {
        let now = if late { self.late() } else { self.now };
        Self { now, ..self.clone() }
    }

    fn late(&self) -> Now {
        self.began + LATE
    }

    /// The number of the key in this body, as the server counts them.
    fn server_key(&self, body: &Bytes) -> (usize, Vec<Bytes>) {
        let mut bodies = self.bodies.clone();
        let key = bodies.iter().position(|known| known == body).unwrap_or_else(|| {
            bodies.push(body.clone());
            bodies.len() - 1
        });
        (key, bodies)
    }
}
