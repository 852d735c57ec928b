//! The machine of one capture: every transition is in this file, and nowhere else.
//!
//! ```text
//!               ┌─────────── another token ◄──────────── 401 ───────────┐
//!               ▼                                                       │
//! start ──► Authorize ──► Send(capture) ──► SUCCESS ─────────► Captured │
//!               │              │  ▲                                     │
//!             denied           │  └── Wait ◄── not sent, 429, 421       │
//!               │              ├── FAILED, 4xx ──► look, wait, look... ──► NotCaptured
//!               ▼              ▼                                        │
//!          NotCaptured     in doubt ──► Wait ──► Send(lookup) ──────────┤
//!                              ▲                  │   │  Completed, Returned ──► Captured
//!                              │                  │   │  Cancelled ──► NotCaptured
//!                              └─ Capturerequired ┘   └─ anything else: Wait, look again
//!                                 (same key again)       deadline ──► Unknown
//! ```
//!
//! The rules (numbers as in `docs/outcomes.md`):
//!
//! - **R1** Doubt is sticky. Once an attempt may have been executed, no later refusal clears it.
//! - **R2** Doubt closes on evidence, never on time: the word SUCCESS, or the order's own status.
//!   *Capturerequired* means "not yet": it allows a resend, it proves no failure.
//! - **R3** Every send has the same key and the same bytes.
//! - **R4** The machine never makes a key. A new one is a new, explicit intent of the merchant.
//! - **R6** In doubt: look the order up, send again only if it still waits, look it up again.
//! - **R7** Once the key is 24 hours old, or under [`Resend::Never`], a capture in doubt is never
//!   sent again.
//! - **R9** Everything is bounded: sends, logins, waits, and the deadline over all of them.
//! - A refusal without doubt counts once the order was seen waiting a few times, because the "no" may
//!   be the echo of a capture that somebody else made (`docs/decisions/0011-three-looks.md`). Until
//!   then it is unknown.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::attempt::{Attempt, Finding, Operation, Phase};
use crate::cause::{STOPPED, TOO_LATE};
use crate::mask;
use crate::outcome::{Outcome, Receipt, Refusal};
use crate::policy::{
    self, CLOCK_TOLERANCE, ISSUER_AHEAD, KEY_LIFETIME, LONGEST_IN_PROGRESS, LONGEST_RETRY_AFTER,
    Policy, Resend,
};
use crate::proof::Proof;
use crate::reason::{Barred, Doubt, Obstacle, Reason};
use crate::record::Record;
use crate::shared::TokenRequest;
use crate::ticket::Ticket;
use crate::time::Now;
use crate::token_error::TokenError;
use crate::tokens::phase;
use crate::transport::TransportError;
use crate::unread;
use crate::values::{BearerToken, Capture};
use crate::verdict::{Evidence, Verdict};
use crate::wire::{self, Api, ContentType, Request, Response, retry_after};

/// What the driver has to do next. Each variant but the last carries the only value that accepts the
/// result, so a wrong event, or a step after the end, does not compile.
#[derive(Debug, Clone)]
#[must_use]
#[allow(
    clippy::large_enum_variant,
    reason = "one value exists at a time, and it lives on the stack"
)]
pub enum Step {
    /// Get a bearer token, other than the one just refused; before a resend, get a permit as well.
    Authorize(NeedsToken),
    /// Send this request; it is complete.
    Send(Request, InFlight),
    /// Wait this long.
    Wait(Duration, Waiting),
    /// The end.
    Done(Outcome),
}

/// A capture that needs a token.
#[derive(Debug, Clone)]
#[must_use]
pub struct NeedsToken {
    flow: Box<Flow>,
    next: Next,
}

/// A capture with a request in flight.
#[derive(Debug, Clone)]
#[must_use]
pub struct InFlight {
    flow: Box<Flow>,
    sent: Next,
    began: Now,
}

/// A capture that waits.
#[derive(Debug, Clone)]
#[must_use]
pub struct Waiting {
    flow: Box<Flow>,
    next: Next,
    /// By the monotonic clock.
    until: Duration,
}

impl Capture {
    /// Starts this capture.
    pub fn start(&self, api: &Api, policy: &Policy, now: Now) -> Step {
        Flow::new(*self, api, policy, now).perform(Next::Capture, now)
    }
}

impl Ticket {
    /// Resumes an unknown outcome, in this process or another. It begins with the order's
    /// status and has a new deadline and new sends; the doubt and the key's age stay.
    pub fn resume(self, api: &Api, policy: &Policy, now: Now) -> Step {
        let mut flow = Flow::new(self.capture, api, policy, now);
        match self.doubt {
            Doubt::Unconfirmed(reason) if reason.is_decided() => {
                flow.reason_unless_doubt = Some(*reason);
            }
            doubt => flow.doubt = Some(doubt),
        }
        flow.obstacle = self.obstacle;
        flow.is_unread = self.is_unread && api.content_type() == ContentType::AnyJson;
        flow.first_sent = self.first_sent.map(|wall| FirstSent { wall, monotonic: None });
        flow.record = self.record.resumed();
        if policy.lookup() {
            return flow.perform(Next::Lookup, now);
        }
        if flow.refusal().is_some() {
            flow.obstacle = Obstacle::LookupOff;
            return flow.conclude(None, now);
        }
        flow.perform(Next::Capture, now)
    }
}

impl NeedsToken {
    /// What is needed: a token other than the one that was refused, and for a resend a permit from
    /// the client's retry budget. A driver without a budget just gives a token.
    #[must_use]
    pub fn token_request(&self) -> TokenRequest<'_> {
        let resend = self.flow.needs_permit(self.next);
        TokenRequest { refused: self.flow.refused_token.as_ref(), resend }
    }

    /// Records a login that was made for this capture.
    pub fn log_login(&mut self, attempt: Attempt) {
        self.flow.record.push(attempt);
    }

    /// Continues with this token.
    pub fn authorized(self, token: BearerToken, now: Now) -> Step {
        let Self { mut flow, next } = self;
        if flow.refused_token.as_ref() == Some(&token) {
            return flow.no_token(TokenError::NoOther, next, now);
        }
        flow.token = Some(token);
        flow.has_permit |= next == Next::Capture;
        flow.perform(next, now)
    }

    /// Continues without a token.
    pub fn no_token(self, error: TokenError, now: Now) -> Step {
        self.flow.no_token(error, self.next, now)
    }

    /// Continues without a permit: the client's retry budget is used up.
    pub fn no_permit(self, now: Now) -> Step {
        let mut flow = self.flow;
        flow.obstacle = Obstacle::NotSentAgain(Barred::RetryBudget);
        flow.conclude(None, now)
    }

    /// Ends the capture because the caller stops it.
    pub fn stop(self, now: Now) -> Outcome {
        self.flow.stop(now)
    }
}

impl InFlight {
    /// How long the transport may take for this attempt, connection and reply included.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.flow.policy.attempt_timeout()
    }

    /// Continues with a complete reply.
    pub fn received(self, mut response: Response, now: Now) -> Step {
        for token in self.flow.tokens() {
            mask::response(&mut response, token);
        }
        match self.sent {
            Next::Capture => self.flow.capture_answered(response, self.began, now),
            Next::Lookup => self.flow.lookup_answered(&response, self.began, now),
        }
    }

    /// Continues after a request that got no complete reply.
    pub fn failed(self, error: &TransportError, now: Now) -> Step {
        let Self { mut flow, sent, began } = self;
        let phase = phase(error);
        let why = mask::one_line(error.cause(), flow.tokens());
        let mut headers = error.head().map(|(_, headers)| headers.clone()).unwrap_or_default();
        flow.tokens().for_each(|token| mask::headers(&mut headers, token));
        let head = error.head().map(|(status, _)| (status, &headers));
        let finding = Finding::Lost(why.clone());
        flow.record.push(Attempt::new(sent.operation(), phase, head, (began, now), finding));
        flow.unauthorized_in_a_row = 0;
        let retry_after = retry_after(&headers);
        match (sent, phase) {
            (Next::Lookup, _) => {
                flow.obstacle = match phase {
                    Phase::NotSent => Obstacle::Network(why),
                    Phase::MaybeSent => Obstacle::Lookup(Doubt::NoReply),
                    Phase::CutReply | Phase::Replied => Obstacle::Lookup(Doubt::CutReply),
                };
                match error.is_lasting() {
                    true => flow.conclude(None, now),
                    false => flow.wait(Next::Lookup, retry_after, now),
                }
            }
            (Next::Capture, Phase::NotSent) => {
                flow.sends += 1;
                flow.reason_unless_doubt = Some(Reason::NeverSent(why));
                match error.is_lasting() {
                    true => flow.conclude(None, now),
                    false => flow.try_again(None, now),
                }
            }
            (Next::Capture, Phase::MaybeSent) => {
                flow.sends += 1;
                flow.pursue(Doubt::NoReply, retry_after, now)
            }
            (Next::Capture, _) => {
                flow.sends += 1;
                flow.pursue(Doubt::CutReply, retry_after, now)
            }
        }
    }

    /// Ends the capture because the caller stops it. The request may have been sent.
    pub fn stop(self, now: Now) -> Outcome {
        let Self { mut flow, sent, began } = self;
        let finding = Finding::Lost(STOPPED.into());
        let attempt = Attempt::new(sent.operation(), Phase::MaybeSent, None, (began, now), finding);
        flow.record.push(attempt);
        if sent == Next::Capture {
            flow.doubt.get_or_insert(Doubt::Interrupted);
        }
        flow.stop(now)
    }
}

impl Waiting {
    /// Continues once the wait is over; called earlier, it asks to wait for the rest.
    ///
    /// A driver that never waits, or whose clock stands still, is stopped after a thousand calls, and
    /// the outcome says so.
    pub fn elapsed(self, now: Now) -> Step {
        let Self { mut flow, next, until } = self;
        let left = until.saturating_sub(now.monotonic());
        if left.is_zero() {
            flow.early_wakes = 0;
            return flow.perform(next, now);
        }
        flow.early_wakes += 1;
        if flow.early_wakes < MOST_EARLY_WAKES {
            return Step::Wait(left, Self { flow, next, until });
        }
        flow.obstacle = Obstacle::Driver;
        if flow.refusal().is_none() {
            flow.reason_unless_doubt = Some(Reason::NeverSent(Obstacle::Driver.to_string()));
        }
        flow.conclude(None, now)
    }

    /// Ends the capture because the caller stops it.
    pub fn stop(self, now: Now) -> Outcome {
        self.flow.stop(now)
    }
}

impl Step {
    /// Everything that has been sent so far, in order.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        match self {
            Self::Done(outcome) => outcome.attempts(),
            Self::Send(_, InFlight { flow, .. })
            | Self::Authorize(NeedsToken { flow, .. })
            | Self::Wait(_, Waiting { flow, .. }) => flow.record.all(),
        }
    }

    /// What the capture knows about itself, for logs and for checkers; `None` once it is done.
    #[must_use]
    pub fn progress(&self) -> Option<Progress<'_>> {
        let (flow, next) = match self {
            Self::Send(_, InFlight { flow, sent, .. }) => (flow, sent),
            Self::Authorize(NeedsToken { flow, next })
            | Self::Wait(_, Waiting { flow, next, .. }) => (flow, next),
            Self::Done(_) => return None,
        };
        // No `..`: a new field is shown here, or it is named as one that the checkers need not see.
        let Flow {
            capture: _, // fixed from the start, as are the next three
            body: _,
            api: _,
            policy: _,
            deadline: _, // a question of the clocks, as are the next two
            waits: _,
            early_wakes: _,
            obstacle: _, // told at the end, and asked by nobody, as is the next one
            is_unread: _,
            busy_since: _, // by the clock, it may end a capture early as unknown
            token,
            refused_token,
            has_permit,
            unauthorized_in_a_row,
            failed_logins,
            sends,
            first_sent,
            doubt,
            reason_unless_doubt,
            seen_waiting,
            record,
        } = &**flow;
        Some(Progress {
            operation: next.operation(),
            has_token: token.is_some(),
            has_permit: *has_permit,
            refused_token: refused_token.as_ref(),
            first_sent: first_sent.map(|first| first.wall),
            doubt: doubt.as_ref(),
            reason_unless_doubt: reason_unless_doubt.as_ref(),
            seen_waiting: *seen_waiting,
            sends: *sends,
            unauthorized_in_a_row: *unauthorized_in_a_row,
            failed_logins: *failed_logins,
            attempts: record.all(),
        })
    }
}

/// A view of a capture in progress: everything that decides how it continues, except the clocks and
/// what is fixed from the start.
///
/// It may get more fields with any release. Take it apart without `..` to be told: the exhaustive
/// check does, so that it never takes two different captures for the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is being sent, or will be next.
    pub operation: Operation,
    /// Whether it holds a bearer token.
    pub has_token: bool,
    /// Whether its next send needs no permit of the retry budget.
    pub has_permit: bool,
    /// The token that was refused last, which it does not accept again.
    pub refused_token: Option<&'a BearerToken>,
    /// When the capture was first sent, by the wall clock.
    pub first_sent: Option<SystemTime>,
    /// Why it is in doubt, if it is.
    pub doubt: Option<&'a Doubt>,
    /// Why it would end as not captured, if it ended now without doubt.
    pub reason_unless_doubt: Option<&'a Reason>,
    /// How often in a row the order was seen waiting since the API refused the capture.
    pub seen_waiting: u32,
    /// How many sends of the capture count against the policy's limit.
    pub sends: u32,
    /// How often in a row the API refused the token (401 or 403).
    pub unauthorized_in_a_row: u32,
    /// How many logins failed.
    pub failed_logins: u32,
    /// Everything that has been sent so far.
    pub attempts: &'a [Attempt],
}

/// A driver that wakes too early this many times in a row does not wait at all.
const MOST_EARLY_WAKES: u32 = 1_000;

/// What is sent next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Capture,
    Lookup,
}

impl Next {
    fn operation(self) -> Operation {
        match self {
            Self::Capture => Operation::Capture,
            Self::Lookup => Operation::Lookup,
        }
    }
}

/// When the capture was first sent.
#[derive(Debug, Clone, Copy)]
struct FirstSent {
    wall: SystemTime,
    /// Known for a send of this run only.
    monotonic: Option<Duration>,
}

/// Everything that a capture knows about itself.
#[derive(Debug, Clone)]
struct Flow {
    capture: Capture,
    /// The request body, made once: every send shares these bytes.
    body: Bytes,
    api: Api,
    policy: Policy,
    /// By the monotonic clock.
    deadline: Duration,
    token: Option<BearerToken>,
    refused_token: Option<BearerToken>,
    /// Whether the next send of the capture needs no permit of the retry budget.
    has_permit: bool,
    /// After the first 401 or 403 another token is tried, after the second a short wait.
    unauthorized_in_a_row: u32,
    failed_logins: u32,
    /// Sends of the capture that count against the policy's limit (R9).
    sends: u32,
    waits: u32,
    early_wakes: u32,
    first_sent: Option<FirstSent>,
    /// Set once an attempt may have been executed; only evidence ends the flow otherwise (R1).
    doubt: Option<Doubt>,
    /// What keeps us from clearing the doubt.
    obstacle: Obstacle,
    /// Whether the server seems not to read our content type. It decides nothing.
    is_unread: bool,
    /// Without doubt and decided ([`Reason::is_decided`]), it waits to be confirmed.
    reason_unless_doubt: Option<Reason>,
    /// How often in a row the order was seen waiting since the refusal.
    seen_waiting: u32,
    /// When the first 409 of a row came, by the monotonic clock.
    busy_since: Option<Duration>,
    record: Record,
}

impl Flow {
    fn new(capture: Capture, api: &Api, policy: &Policy, now: Now) -> Box<Self> {
        Box::new(Self {
            capture,
            body: wire::capture::body(&capture),
            api: api.clone(),
            policy: *policy,
            deadline: now.monotonic().saturating_add(policy.deadline()),
            token: None,
            refused_token: None,
            has_permit: false,
            unauthorized_in_a_row: 0,
            failed_logins: 0,
            sends: 0,
            waits: 0,
            early_wakes: 0,
            first_sent: None,
            doubt: None,
            obstacle: Obstacle::NotLookedUp,
            is_unread: false,
            reason_unless_doubt: None,
            seen_waiting: 0,
            busy_since: None,
            record: Record::default(),
        })
    }

    /// Sends the next request, if there is still time and, for a capture in doubt, if it may be sent.
    fn perform(mut self: Box<Self>, next: Next, now: Now) -> Step {
        if now.monotonic() > self.deadline {
            return self.conclude(None, now);
        }
        if next == Next::Capture && self.doubt.is_some() {
            if let Err(barred) = self.may_resend(now) {
                return self.not_sent_again(barred, now);
            }
        }
        let token = match &self.token {
            Some(token) if !self.needs_permit(next) => token,
            _ => return Step::Authorize(NeedsToken { flow: self, next }),
        };
        let request = match next {
            Next::Capture => wire::capture::request(&self.api, token, self.body.clone()),
            Next::Lookup => wire::order::request(&self.api, self.capture.order_id(), token),
        };
        if next == Next::Capture {
            self.has_permit = false;
            let first = FirstSent { wall: now.wall(), monotonic: Some(now.monotonic()) };
            self.first_sent.get_or_insert(first);
        }
        Step::Send(request, InFlight { flow: self, sent: next, began: now })
    }

    /// The reply to a capture.
    fn capture_answered(mut self: Box<Self>, response: Response, began: Now, now: Now) -> Step {
        let (verdict, status) = (Verdict::of(&self.capture, &response), response.status());
        self.is_unread |= self.api.content_type() == ContentType::AnyJson
            && unread::seems_unread(&verdict, response.body());
        let mut attempt = replied(Operation::Capture, &response, (began, now), verdict.finding());
        attempt.keep(response.into_body());
        self.record.push(attempt);
        let refuses_token =
            matches!(verdict, Verdict::Refused(Reason::Unauthorized | Reason::Forbidden(_)));
        if !refuses_token {
            self.unauthorized_in_a_row = 0;
        }
        // A refused token is noticed before anything is executed, and a 409 or 425 starts nothing:
        // they do not count (R9).
        let is_busy = status == StatusCode::CONFLICT;
        if !refuses_token && !is_busy && status != StatusCode::TOO_EARLY {
            self.sends += 1;
        }
        self.busy_since = is_busy.then(|| self.busy_since.unwrap_or_else(|| now.monotonic()));
        match verdict {
            Verdict::Captured => self.captured(Proof::Reply),
            Verdict::Refused(reason) if reason.is_decided() => self.refuse(reason, now),
            Verdict::Refused(reason @ (Reason::Unauthorized | Reason::Forbidden(_))) => {
                self.reason_unless_doubt = Some(reason);
                self.has_permit = true;
                self.another_token(Next::Capture, now).unwrap_or_else(|mut flow| {
                    flow.obstacle = Obstacle::Unauthorized;
                    flow.conclude(None, now)
                })
            }
            Verdict::Refused(reason) => {
                let wait = if let Reason::Throttled(wait) = reason { wait } else { None };
                self.reason_unless_doubt = Some(reason);
                self.try_again(wait, now)
            }
            Verdict::InProgress(doubt) => self.pursue(doubt, None, now),
            Verdict::Ambiguous(doubt, wait) => self.pursue(doubt, wait, now),
        }
    }

    /// The reply to a lookup: only an order with our id is evidence (R2).
    fn lookup_answered(mut self: Box<Self>, response: &Response, began: Now, now: Now) -> Step {
        let evidence = Evidence::of(self.capture.order_id(), response);
        self.record.push(replied(Operation::Lookup, response, (began, now), evidence.finding()));
        let refuses_token = match &evidence {
            Evidence::Unauthorized => Some(Obstacle::Unauthorized),
            Evidence::Nothing(doubt @ Doubt::Status(403)) => Some(Obstacle::Lookup(doubt.clone())),
            _ => None,
        };
        if let Some(obstacle) = refuses_token {
            self.obstacle = obstacle;
            self = match self.another_token(Next::Lookup, now) {
                Ok(step) => return step,
                Err(flow) => flow,
            };
        } else {
            self.unauthorized_in_a_row = 0;
        }
        let wait = retry_after(response.headers());
        match evidence {
            Evidence::Captured(order) => self.captured(order.into()),
            // The one piece of evidence for "no" (R2).
            Evidence::NotCaptured => self.not_captured(Reason::OrderCancelled),
            Evidence::StillWaiting => match self.refusal() {
                Some(refusal) => self.confirm(refusal, now),
                None => self.send_again(wait, now),
            },
            Evidence::Unauthorized => self.conclude(None, now),
            Evidence::Undecided(status) => {
                self.seen_waiting = 0;
                self.obstacle = Obstacle::OrderStatus(status);
                self.wait(Next::Lookup, wait, now)
            }
            Evidence::NoSuchOrder => match self.refusal() {
                Some(refusal @ Reason::Rejected(404, _)) => self.not_captured(refusal),
                _ => {
                    self.obstacle = Obstacle::Lookup(Doubt::Status(404));
                    self.wait(Next::Lookup, wait, now)
                }
            },
            Evidence::Nothing(doubt) => {
                self.obstacle = Obstacle::Lookup(doubt);
                self.wait(Next::Lookup, wait, now)
            }
        }
    }

    /// The API's refusal, as long as there is no doubt: the order has yet to confirm it.
    fn refusal(&self) -> Option<Reason> {
        let reason = self.reason_unless_doubt.as_ref().filter(|_| self.doubt.is_none())?;
        reason.is_decided().then(|| reason.clone())
    }

    /// The order was seen waiting after a refusal. Often enough in a row, and the refusal counts.
    fn confirm(mut self: Box<Self>, refusal: Reason, now: Now) -> Step {
        self.seen_waiting += 1;
        if self.seen_waiting >= self.policy.confirmations().get() {
            return self.not_captured(refusal);
        }
        self.obstacle = Obstacle::SeenWaiting;
        let pause = policy::until_confirmed(self.seen_waiting);
        self.pause(Next::Lookup, pause, None, now)
    }

    /// In doubt, and the order still waits (R6).
    fn send_again(mut self: Box<Self>, wait: Option<Duration>, now: Now) -> Step {
        let Err(barred) = self.may_resend(now) else { return self.perform(Next::Capture, now) };
        self.obstacle = Obstacle::NotSentAgain(barred);
        match barred {
            // The server's answer will stay the same, and so will the order.
            Barred::KeyBusy => self.conclude(None, now),
            _ => self.wait(Next::Lookup, wait, now),
        }
    }

    /// A refusal by the API. In doubt it changes nothing (R1); otherwise the order has to confirm it.
    fn refuse(mut self: Box<Self>, reason: Reason, now: Now) -> Step {
        match self.doubt.clone() {
            Some(doubt) => self.pursue(doubt, None, now),
            None if self.policy.lookup() => {
                self.reason_unless_doubt = Some(reason);
                self.perform(Next::Lookup, now)
            }
            None => self.not_captured(reason),
        }
    }

    /// Nothing was executed by the last send: send again later, unless there is older doubt.
    fn try_again(self: Box<Self>, wait: Option<Duration>, now: Now) -> Step {
        match self.doubt.clone() {
            Some(doubt) => self.pursue(doubt, wait, now),
            None if self.sends >= self.policy.max_sends().get() => self.conclude(None, now),
            None => self.wait(Next::Capture, wait, now),
        }
    }

    /// In doubt: find out (R6).
    fn pursue(mut self: Box<Self>, doubt: Doubt, wait: Option<Duration>, now: Now) -> Step {
        self.doubt = Some(doubt);
        self.obstacle = Obstacle::NotLookedUp;
        if self.policy.lookup() {
            return self.wait(Next::Lookup, wait, now);
        }
        match self.may_resend(now) {
            Ok(()) => self.wait(Next::Capture, wait, now),
            Err(barred) => self.not_sent_again(barred, now),
        }
    }

    /// The token was refused: another one may be tried, and that one once more after a short wait,
    /// because the clock of its issuer may be ahead. Then it is refused.
    fn another_token(mut self: Box<Self>, next: Next, now: Now) -> Result<Step, Box<Self>> {
        match self.unauthorized_in_a_row {
            0 => {
                self.unauthorized_in_a_row = 1;
                self.refused_token = self.token.take();
                Ok(self.perform(next, now))
            }
            1 => {
                self.unauthorized_in_a_row = 2;
                Ok(self.pause(next, ISSUER_AHEAD, None, now))
            }
            _ => Err(self),
        }
    }

    /// There is no token. Until doubt, or a refusal, is settled the login is retried until the deadline,
    /// otherwise a few times.
    fn no_token(mut self: Box<Self>, error: TokenError, next: Next, now: Now) -> Step {
        if error == TokenError::NoOther && self.unauthorized_in_a_row == 1 {
            self.unauthorized_in_a_row = 2;
            self.token = self.refused_token.take();
            return self.pause(next, ISSUER_AHEAD, None, now);
        }
        self.failed_logins += 1;
        let lasting = error.is_lasting();
        let wait = error.retry_after();
        let is_open = self.doubt.is_some() || self.refusal().is_some();
        let enough = !is_open && self.failed_logins >= self.policy.max_sends().get();
        // What stands in the way now is what helps, unless the API has decided or refused the only
        // token.
        let stays = match &self.reason_unless_doubt {
            Some(Reason::Unauthorized | Reason::Forbidden(_)) => error == TokenError::NoOther,
            reason => reason.as_ref().is_some_and(Reason::is_decided),
        };
        if !stays {
            self.reason_unless_doubt = Some(Reason::NoToken(error.clone()));
        }
        self.obstacle = Obstacle::NoToken(error);
        match lasting || enough {
            true => self.conclude(None, now),
            false => self.wait(next, wait, now),
        }
    }

    /// Waits as long as the server asked, else by backoff; never past the deadline.
    fn wait(mut self: Box<Self>, next: Next, asked: Option<Duration>, now: Now) -> Step {
        let delay = asked.unwrap_or_else(|| self.backoff());
        self.waits = self.waits.saturating_add(1);
        self.pause(next, delay, asked, now)
    }

    fn pause(
        self: Box<Self>,
        next: Next,
        delay: Duration,
        asked: Option<Duration>,
        now: Now,
    ) -> Step {
        match now.monotonic().checked_add(delay) {
            Some(until) if until <= self.deadline && delay <= LONGEST_RETRY_AFTER => {
                Step::Wait(delay, Waiting { flow: self, next, until })
            }
            _ => self.conclude(asked, now),
        }
    }

    /// In doubt, and the capture may not be sent again: without a lookup that is the end.
    fn not_sent_again(mut self: Box<Self>, barred: Barred, now: Now) -> Step {
        self.obstacle = match self.policy.lookup() {
            true => Obstacle::NotSentAgain(barred),
            false => Obstacle::LookupOff,
        };
        self.conclude(None, now)
    }

    fn captured(self, proof: Proof) -> Step {
        let Self { capture, record, .. } = self;
        Step::Done(Outcome::Captured(Receipt { capture, proof, record }))
    }

    fn not_captured(self, reason: Reason) -> Step {
        let Self { capture, is_unread, record, .. } = self;
        Step::Done(Outcome::NotCaptured(Refusal { capture, reason, is_unread, record }))
    }

    /// The end without a receipt, perhaps because the server asked for too long a wait.
    fn conclude(self, asked: Option<Duration>, now: Now) -> Step {
        Step::Done(self.end(asked, TOO_LATE, now))
    }

    fn stop(mut self, now: Now) -> Outcome {
        self.obstacle = Obstacle::Stopped;
        self.end(None, STOPPED, now)
    }

    /// Doubt makes it unknown, whatever else was said (R1), and so does a refusal that the order has
    /// not confirmed.
    fn end(self, asked: Option<Duration>, cut_short: &str, now: Now) -> Outcome {
        let pause = asked.unwrap_or_else(|| self.backoff());
        let unconfirmed = self.refusal().map(|refusal| Doubt::Unconfirmed(Box::new(refusal)));
        let Self { capture, doubt, obstacle, reason_unless_doubt, first_sent, record, .. } = self;
        let is_unread = self.is_unread;
        match doubt.or(unconfirmed) {
            Some(doubt) => Outcome::Unknown(Ticket {
                capture,
                doubt,
                obstacle,
                first_sent: first_sent.map(|first| first.wall),
                due_at: now.wall().checked_add(pause).unwrap_or(now.wall()),
                retry_after: asked,
                is_unread,
                record,
            }),
            None => {
                let reason =
                    reason_unless_doubt.unwrap_or_else(|| Reason::NeverSent(cut_short.into()));
                Outcome::NotCaptured(Refusal { capture, reason, is_unread, record })
            }
        }
    }

    /// The secrets that a reply may echo.
    fn tokens(&self) -> impl Iterator<Item = &BearerToken> {
        [&self.token, &self.refused_token].into_iter().flatten()
    }

    fn backoff(&self) -> Duration {
        policy::backoff(self.capture.idempotency_key(), self.waits)
    }

    /// Whether the next send repeats an earlier one, and the retry budget has given no permit (R9).
    fn needs_permit(&self, next: Next) -> bool {
        next == Next::Capture && self.first_sent.is_some() && !self.has_permit
    }

    /// Whether a capture in doubt may be sent again (R7). A key of unknown age counts as old.
    fn may_resend(&self, now: Now) -> Result<(), Barred> {
        if self.policy.resend() == Resend::Never {
            return Err(Barred::Never);
        }
        if self.doubt == Some(Doubt::UnprovenKey) {
            return Err(Barred::Answered);
        }
        let busy_for = self.busy_since.map(|since| now.monotonic().saturating_sub(since));
        let long = self.policy.attempt_timeout().max(LONGEST_IN_PROGRESS);
        if busy_for.is_some_and(|busy_for| busy_for >= long) {
            return Err(Barred::KeyBusy);
        }
        if self.sends >= self.policy.max_sends().get() {
            return Err(Barred::SendsUsed);
        }
        match self.key_age(now) {
            Some(age) if age < KEY_LIFETIME => Ok(()),
            Some(_) => Err(Barred::KeyTooOld),
            None => Err(Barred::KeyAgeUnknown),
        }
    }

    /// The time since the first send by whichever clock says more: the monotonic one may have stood
    /// still while the machine slept, the wall clock may have been set back.
    fn key_age(&self, now: Now) -> Option<Duration> {
        let first = self.first_sent?;
        let by_wall = match now.wall().duration_since(first.wall) {
            Ok(age) => Some(age),
            Err(ahead) if ahead.duration() <= CLOCK_TOLERANCE => Some(Duration::ZERO),
            Err(_) => None,
        };
        let by_monotonic = first.monotonic.map(|first| now.monotonic().saturating_sub(first));
        by_wall.max(by_monotonic)
    }
}

/// The record of a complete reply.
fn replied(
    operation: Operation,
    response: &Response,
    time: (Now, Now),
    finding: Finding,
) -> Attempt {
    let head: (_, &HeaderMap) = (response.status(), response.headers());
    Attempt::new(operation, Phase::Replied, Some(head), time, finding)
}
