//! A driver with virtual time: scripted replies go in, a trace and an outcome come out.
//! `docs/architecture.md` explains the notation of the traces (Testing).

use std::io::{Error, ErrorKind};
use std::time::Duration;

use capture_core::driver::{Now, Step, TransportError};
use capture_core::wire::{Request, Response};
use capture_core::{BearerToken, Operation, Outcome, TokenError};

use crate::{reply, token};

/// Every token of every run starts like this, and must not be shown anywhere.
pub(crate) const CANARY: &str = "canary-token-";

/// A run with more steps than this does not end.
const MOST_STEPS: usize = 2_000;

type Headers = &'static [(&'static str, &'static str)];

/// What the network does with one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Say {
    Reply(u16, Headers, &'static str),
    /// A reply whose body broke off.
    Cut(u16, Headers),
    Lost,
    NotSent,
    /// Not sent, and trying again cannot help.
    NeverSent,
}

/// What a token request gets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Login {
    Fresh,
    /// The refused token again.
    Same,
    Denied,
    /// No token now; perhaps after this many seconds.
    Unavailable(Option<u64>),
}

/// What a capture meets.
pub(crate) trait Peer {
    /// The answer to a request, and how long it takes.
    fn answer(&mut self, operation: Operation, timeout: Duration) -> (Say, Duration);
    /// The answer to the request for a token, and how long it takes.
    fn login(&mut self) -> (Login, Duration);
    /// How long after the end of a wait the driver wakes up.
    fn oversleeps(&mut self) -> Duration;
}

/// What happened.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) outcome: Outcome,
    /// Every request and what happened to it, in order.
    pub(crate) sent: Vec<Sent>,
    pub(crate) waits: Vec<Duration>,
    pub(crate) took: Duration,
    steps: String,
}

/// One request and what happened to it.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) operation: Operation,
    pub(crate) request: Request,
    pub(crate) say: Say,
    /// When it was sent, counted from the start.
    pub(crate) at: Duration,
}

impl Run {
    /// `A` for a token request, `C` for a capture, `L` for a lookup; three or more alike as `L+`.
    pub(crate) fn trace(&self) -> String {
        let mut trace: Vec<String> = Vec::new();
        let steps: Vec<char> = self.steps.chars().collect();
        for alike in steps.chunk_by(|a, b| a == b) {
            match alike {
                [step, _, _, ..] => trace.push(format!("{step}+")),
                few => trace.extend(few.iter().map(char::to_string)),
            }
        }
        trace.join(" ")
    }

    /// The whole run in one line: outcome, reason and trace.
    pub(crate) fn line(&self) -> String {
        let (name, reason) = (self.outcome.name(), self.outcome.code());
        format!("{name} {reason}: {}", self.trace())
    }

    /// The operations that the record keeps: all of up to 100, else the first 16 and the latest 84.
    pub(crate) fn recorded(&self) -> Vec<Operation> {
        let operations: Vec<_> = self.sent.iter().map(|sent| sent.operation).collect();
        match operations.len().checked_sub(100) {
            Some(more) => [&operations[..16], &operations[16 + more..]].concat(),
            None => operations,
        }
    }

    /// How often a token was requested.
    pub(crate) fn logins(&self) -> usize {
        self.steps.matches('A').count()
    }

    pub(crate) fn captures(&self) -> impl Iterator<Item = &Sent> {
        self.sent.iter().filter(|sent| sent.operation == Operation::Capture)
    }

    pub(crate) fn lookups(&self) -> impl Iterator<Item = &Sent> {
        self.sent.iter().filter(|sent| sent.operation == Operation::Lookup)
    }
}

/// Runs a capture to its end, from `start` on. No step shows a token in its `Debug`.
pub(crate) fn drive(mut step: Step, start: Now, peer: &mut dyn Peer) -> Run {
    let mut now = start;
    let (mut sent, mut waits, mut steps) = (Vec::new(), Vec::new(), String::new());
    let mut tokens = 0;
    for _ in 0..MOST_STEPS {
        assert!(!format!("{step:?}").contains(CANARY), "{step:?}");
        let has_token = step.progress().is_some_and(|progress| progress.has_token);
        step = match step {
            // Only a permit from the retry budget is requested.
            Step::Authorize(need) if has_token => need.authorized(numbered(tokens), now),
            Step::Authorize(need) => {
                steps.push('A');
                let (login, takes) = peer.login();
                now += takes;
                let refused = need.token_request().refused.cloned();
                tokens += 1;
                match (denied(login), login, refused) {
                    (Some(why), ..) => need.no_token(why, now),
                    (None, Login::Same, Some(refused)) => need.authorized(refused, now),
                    _ => need.authorized(numbered(tokens), now),
                }
            }
            Step::Send(request, open) => {
                let operation = operation(&request);
                steps.push(if operation == Operation::Capture { 'C' } else { 'L' });
                let (say, takes) = peer.answer(operation, open.timeout());
                let at = now.since(start);
                sent.push(Sent { operation, request, say, at });
                now += takes;
                match say.result() {
                    Ok(reply) => open.received(reply, now),
                    Err(lost) => open.failed(&lost, now),
                }
            }
            Step::Wait(delay, open) => {
                waits.push(delay);
                now += delay + peer.oversleeps();
                open.elapsed(now)
            }
            Step::Done(outcome) => {
                let took = now.since(start);
                return Run { outcome, sent, waits, took, steps };
            }
        };
    }
    panic!("no end after {MOST_STEPS} steps: {steps}");
}

fn numbered(n: usize) -> BearerToken {
    token(&format!("{CANARY}{n}"))
}

fn denied(login: Login) -> Option<TokenError> {
    match login {
        Login::Fresh | Login::Same => None,
        Login::Denied => Some(TokenError::Credentials(400)),
        Login::Unavailable(seconds) => Some(TokenError::Unavailable {
            why: "status 503".into(),
            retry_after: seconds.map(Duration::from_secs),
        }),
    }
}

fn operation(request: &Request) -> Operation {
    match request.uri().path() {
        "/v1/capture" => Operation::Capture,
        _ => Operation::Lookup,
    }
}

impl Say {
    pub(crate) fn result(self) -> Result<Response, TransportError> {
        match self {
            Self::Reply(status, headers, body) => Ok(reply(status, headers, body)),
            Self::Cut(status, headers) => {
                let (head, _) = reply(status, headers, "").into_parts();
                let source = Error::from(ErrorKind::UnexpectedEof);
                Err(TransportError::in_reply(head.status, head.headers, source))
            }
            Self::Lost => Err(TransportError::maybe_sent(Error::from(ErrorKind::TimedOut))),
            Self::NotSent => {
                Err(TransportError::not_sent(Error::from(ErrorKind::ConnectionRefused)))
            }
            Self::NeverSent => Err(TransportError::cannot_be_sent("the certificate has expired")),
        }
    }

    pub(crate) fn reply(self) -> Option<Response> {
        self.result().ok()
    }
}

/// A peer that replies from lists; the last entry of each list repeats forever. A request whose list
/// is empty fails the test; without a list of logins every token is fresh.
#[derive(Debug, Clone)]
pub(crate) struct Replies {
    captures: Listed<Say>,
    lookups: Listed<Say>,
    logins: Listed<Login>,
}

impl Replies {
    pub(crate) fn new(
        captures: &'static [Say],
        lookups: &'static [Say],
        logins: &'static [Login],
    ) -> Self {
        let logins = if logins.is_empty() { &[Login::Fresh] } else { logins };
        Self { captures: Listed(captures), lookups: Listed(lookups), logins: Listed(logins) }
    }
}

impl Peer for Replies {
    fn answer(&mut self, operation: Operation, _: Duration) -> (Say, Duration) {
        let list = match operation {
            Operation::Capture => &mut self.captures,
            _ => &mut self.lookups,
        };
        (list.next(), Duration::from_millis(100))
    }

    fn login(&mut self) -> (Login, Duration) {
        (self.logins.next(), Duration::ZERO)
    }

    fn oversleeps(&mut self) -> Duration {
        Duration::ZERO
    }
}

#[derive(Debug, Clone)]
struct Listed<T: 'static>(&'static [T]);

impl<T: Copy> Listed<T> {
    fn next(&mut self) -> T {
        match self.0 {
            [last] => *last,
            [first, rest @ ..] => {
                self.0 = rest;
                *first
            }
            [] => panic!("the list has no reply to this"),
        }
    }
}
