//! One state of the search: a client, the truth, and everything that can happen next.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capture_core::driver::{Now, TokenRequest};
use capture_core::wire::Request;
use capture_core::{BearerToken, Operation, TokenError};

use super::events::{Catalogue, Class, Kind};
use super::process::{Late, Life};
use super::record::Record;
use super::scope::Scope;
use super::server::{Order, ServerModel};
use super::trace::Event;
use crate::fixture::WALL;
use crate::subject::{Said, Subject, Wants};

/// Later than the client's deadline; four times that is within the life of its key.
const LATE: Duration = Duration::from_secs(5 * 60 * 60);

/// One state.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) life: Life,
    pub(crate) record: Record,
    pub(crate) late: Option<Late>,
    /// What was told as final.
    pub(crate) promised: Option<Said>,
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
}

impl Node {
    pub(crate) fn start(scope: Scope) -> Self {
        let now = Now::new(Duration::ZERO, SystemTime::UNIX_EPOCH + WALL);
        Self {
            life: Life::Asks,
            record: Record::empty(),
            late: None,
            promised: None,
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
        }
    }

    /// Whether there is nothing left but to record and tell an outcome.
    pub(crate) fn is_over(&self) -> bool {
        self.life.says().is_some() && self.restarts == 0
    }

    /// Whether this process has passed its deadline.
    pub(crate) fn is_late(&self) -> bool {
        self.now.since(self.began) > self.scope.policy.deadline()
    }

    /// The state's name in the documentation.
    pub(crate) fn name(&self) -> &'static str {
        let Some(subject) = self.life.subject() else { return "no process" };
        let is_refused = subject.is_refused();
        match (subject.wants(), subject.in_doubt()) {
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
        self.lives(found);
        let Some(subject) = self.life.subject() else { return };
        match subject.wants() {
            Wants::Token(request) => self.tokens(request, subject.logins, found),
            Wants::Send(operation, request) => self.answers(catalogue, operation, request, found),
            Wants::Wait(delay) => {
                for late in [false, true] {
                    let now = if late { self.late() } else { self.now + delay };
                    let waited = |waits: u32| (waits + 1).min(self.scope.echo.unwrap_or(0));
                    let echo = self.echo.map(waited);
                    let next = Self { now, echo, ..self.clone() };
                    found(Event::Waited(late), next.after(|subject| subject.elapsed(now)));
                }
            }
            Wants::Nothing(_) => {}
        }
    }

    fn tokens(
        &self,
        request: TokenRequest<'_>,
        logins: u32,
        found: &mut dyn FnMut(Event<'_>, Self),
    ) {
        let fresh = BearerToken::new(&format!("token-{}-{logins}", self.restarts));
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
                let (next, answer) = (self.at(late), answer.clone());
                let now = next.now;
                let next = next.after(|subject| subject.token(answer, now));
                found(Event::Token(what, late), next);
            }
        }
        if request.resend {
            let next = self.clone().after(|subject| subject.no_permit(self.now));
            found(Event::Token("no retry budget left", false), next);
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
            if operation == Operation::Capture && next.is_echo(kind) {
                next.echo = Some(0);
            }
            let now = next.now;
            let next = next.after(|subject| subject.answer(kind.answer(), now));
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

    /// What the client makes of an event.
    fn after(mut self, event: impl FnOnce(&mut Subject)) -> Self {
        if let Life::Works(subject, _) = &mut self.life {
            event(subject);
        }
        self.settled()
    }

    /// Notes what the new state shows for later checks.
    pub(super) fn settled(mut self) -> Self {
        self.doubted |= self.life.in_doubt();
        if self.first.is_none() {
            if let Some(Wants::Send(Operation::Capture, request)) = self.life.wants() {
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
    pub(super) fn server_key(&self, body: &Bytes) -> (usize, Vec<Bytes>) {
        let mut bodies = self.bodies.clone();
        let key = bodies.iter().position(|known| known == body).unwrap_or_else(|| {
            bodies.push(body.clone());
            bodies.len() - 1
        });
        (key, bodies)
    }
}
