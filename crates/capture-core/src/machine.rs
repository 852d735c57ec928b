//! The machine of one capture: every transition is in this file, and nowhere else.
//!
//! ```text
//!               ┌─────────── another token ◄──────────── 401 ───────────┐
//!               ▼                                                       │
//! start ──► Authorize ──► Send(capture) ──► SUCCESS ─────────► Captured │
//!               │              │  ▲                                     │
//!             denied           │  └── Wait ◄── not sent, 429, 421       │
//!               │              ├── FAILED, 4xx ──► look once ──► NotCaptured
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
//! - **R6** In doubt: look the order up, send again only if it still waits, look again.
//! - **R7** Once the key is 24 hours old, or under [`Resend::Never`], doubt is never sent again.
//! - **R9** Everything is bounded: sends, logins, waits, and the deadline over all of them.
//! - A refusal without doubt is confirmed by one lookup, because the "no" may be the echo of a
//!   capture that somebody else made (`docs/decisions/0003-confirm-a-refusal.md`).

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::attempt::{Attempt, Operation, Phase};
use crate::outcome::{Outcome, Proof, Reason, Receipt, Refusal};
use crate::policy::{self, KEY_LIFETIME, LONGEST_RETRY_AFTER, Policy, Resend};
use crate::shared::TokenRequest;
use crate::ticket::Ticket;
use crate::tokens::TokenError;
use crate::transport::{Delivery, TransportError};
use crate::values::{BearerToken, Capture};
use crate::verdict::{Doubt, Verdict};
use crate::wire::order::{self, OrderStatus};
use crate::wire::{self, Api, Request, Response};

/// What the driver has to do next. Each open arm carries the only value that takes its answer, so a
/// wrong event, or a step after the end, does not compile.
#[derive(Debug, Clone)]
#[must_use]
#[allow(
    clippy::large_enum_variant,
    reason = "one value exists at a time, and it lives on the stack"
)]
pub enum Step {
    /// Get a bearer token, other than the one just refused; before a resend, get leave as well.
    Authorize(NeedsToken),
    /// Send this request.
    Send(Request, InFlight),
    /// Wait until then.
    Wait(Instant, Waiting),
    /// The end.
    Done(Outcome),
}

/// How many attempts a ticket hands on: the first ones, and the latest.
const MOST_ATTEMPTS: usize = 100;
const FIRST_ATTEMPTS: usize = 16;

/// A capture that needs a token.
#[derive(Debug, Clone)]
#[must_use]
pub struct NeedsToken {
    flow: Box<Flow>,
    next: Operation,
}

/// A capture with a request on its way.
#[derive(Debug, Clone)]
#[must_use]
pub struct InFlight {
    flow: Box<Flow>,
    operation: Operation,
    began: Instant,
}

/// A capture that waits.
#[derive(Debug, Clone)]
#[must_use]
pub struct Waiting {
    flow: Box<Flow>,
    next: Operation,
    until: Instant,
}

impl Capture {
    /// Begins this capture.
    ///
    /// `now` drives every wait; `wall` is what the wall clock says at that moment, to date the
    /// record and to measure the key's age across processes.
    pub fn start(&self, api: &Api, policy: &Policy, now: Instant, wall: SystemTime) -> Step {
        Flow::new(*self, api, policy, now, wall).perform(Operation::Capture, now)
    }
}

impl Ticket {
    /// Takes an unknown outcome up again, in this process or another. It begins with the order's
    /// status and has a new deadline and new sends; the doubt and the key's age stay.
    pub fn resume(self, api: &Api, policy: &Policy, now: Instant, wall: SystemTime) -> Step {
        let mut flow = Flow::new(self.capture, api, policy, now, wall);
        flow.doubt = Some(self.doubt);
        flow.first_sent = self.first_sent.filter(|first| *first <= wall);
        flow.attempts = self.attempts;
        // Whoever resumes for days keeps how it began and how it went lately.
        if let Some(too_many) = flow.attempts.len().checked_sub(MOST_ATTEMPTS) {
            flow.attempts.drain(FIRST_ATTEMPTS..FIRST_ATTEMPTS + too_many);
        }
        let first = if policy.lookup() { Operation::Lookup } else { Operation::Capture };
        flow.perform(first, now)
    }
}

impl NeedsToken {
    /// What is needed: a token other than the one that was refused, and for a resend the leave of
    /// the client's retry budget. A driver without a budget just gives a token.
    #[must_use]
    pub fn token_request(&self) -> TokenRequest<'_> {
        TokenRequest {
            refused: self.flow.refused.as_ref(),
            resend: self.flow.needs_leave(self.next),
        }
    }

    /// Goes on with this token.
    pub fn authorized(self, token: BearerToken, now: Instant) -> Step {
        let Self { mut flow, next } = self;
        if flow.refused.as_ref() == Some(&token) {
            return flow.denied(TokenError::NoOther, next, now);
        }
        flow.token = Some(token);
        flow.has_leave |= next == Operation::Capture;
        flow.perform(next, now)
    }

    /// Goes on without a token.
    pub fn denied(self, why: TokenError, now: Instant) -> Step {
        self.flow.denied(why, self.next, now)
    }
}

impl InFlight {
    /// How long the transport may take for this attempt, connection and reply included.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.flow.policy.attempt_timeout()
    }

    /// Goes on with a complete reply.
    pub fn received(self, mut response: Response, now: Instant) -> Step {
        for token in self.flow.tokens() {
            token.mask(&mut response);
        }
        let head = Some((response.status(), response.headers()));
        let record = self.record(Phase::Replied, head, now);
        match self.operation {
            Operation::Capture => self.flow.captured_or_not(response, record, now),
            Operation::Lookup => self.flow.looked_up(&response, record, now),
        }
    }

    /// Goes on after a request that got no complete reply.
    pub fn lost(self, lost: &TransportError, now: Instant) -> Step {
        let phase = match (lost.delivery(), lost.head()) {
            (Delivery::NotSent, _) => Phase::NotSent,
            (Delivery::MaybeSent, None) => Phase::MaybeSent,
            (Delivery::MaybeSent, Some(_)) => Phase::CutReply,
        };
        let detail = lost.detail(self.flow.tokens());
        let mut headers = lost.head().map(|(_, headers)| headers.clone()).unwrap_or_default();
        self.flow.tokens().for_each(|token| token.mask_headers(&mut headers));
        let head = lost.head().map(|(status, _)| (status, &headers));
        let mut record = self.record(phase, head, now);
        record.finding = format!("{lost} ({detail})");
        let Self { mut flow, operation, .. } = self;
        flow.attempts.push(record);
        flow.refusals = 0;
        let wish = lost.head().and_then(|(_, headers)| policy::retry_after(headers));
        match (operation, phase) {
            (Operation::Lookup, _) if lost.is_lasting() => flow.conclude(),
            (Operation::Lookup, _) => flow.look_again(wish, now),
            (Operation::Capture, Phase::NotSent) => {
                flow.refusal = Some(Reason::NeverSent(detail));
                if lost.is_lasting() { flow.conclude() } else { flow.try_again(None, now) }
            }
            (Operation::Capture, Phase::MaybeSent) => flow.pursue(Doubt::NoReply, wish, now),
            (Operation::Capture, _) => flow.pursue(Doubt::CutReply, wish, now),
        }
    }

    fn record(
        &self,
        phase: Phase,
        head: Option<(StatusCode, &HeaderMap)>,
        now: Instant,
    ) -> Attempt {
        let took = now.saturating_duration_since(self.began);
        Attempt::new(self.operation, phase, head, self.flow.wall_at(self.began), took)
    }
}

impl Waiting {
    /// Goes on once the time has come; earlier it just asks to wait on.
    pub fn elapsed(self, now: Instant) -> Step {
        if now < self.until {
            return Step::Wait(self.until, self);
        }
        self.flow.perform(self.next, now)
    }
}

impl Step {
    /// What the capture knows about itself, for logs and for checkers; `None` once it is done.
    #[must_use]
    pub fn progress(&self) -> Option<Progress<'_>> {
        let (flow, operation) = match self {
            Self::Send(_, InFlight { flow, operation, .. }) => (flow, *operation),
            Self::Authorize(NeedsToken { flow, next })
            | Self::Wait(_, Waiting { flow, next, .. }) => (flow, *next),
            Self::Done(_) => return None,
        };
        Some(Progress {
            operation,
            has_token: flow.token.is_some(),
            has_leave: flow.has_leave,
            doubt: flow.doubt.as_ref(),
            refusal: flow.refusal.as_ref(),
            sends_left: flow.sends_left,
            refused_tokens: flow.refusals,
            failed_logins: flow.failed_logins,
            attempts: &flow.attempts,
        })
    }
}

/// A look at a capture on its way.
///
/// Apart from the clocks and what stays fixed from the start, this is all that decides how it goes
/// on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// What is being sent, or will be next.
    pub operation: Operation,
    /// Whether it holds a bearer token.
    pub has_token: bool,
    /// Whether its next send needs no leave of the retry budget.
    pub has_leave: bool,
    /// Why it is in doubt, if it is.
    pub doubt: Option<&'a Doubt>,
    /// What its end would be without doubt, if anything is known.
    pub refusal: Option<&'a Reason>,
    /// How often the capture may still be sent.
    pub sends_left: u32,
    /// How many tokens were refused in a row.
    pub refused_tokens: u32,
    /// How many logins failed.
    pub failed_logins: u32,
    /// Everything that was sent so far.
    pub attempts: &'a [Attempt],
}

/// Everything that a capture knows about itself.
#[derive(Debug, Clone)]
struct Flow {
    capture: Capture,
    /// The request body, made once: every send shares these bytes.
    body: Bytes,
    api: Api,
    policy: Policy,
    started: Instant,
    wall: SystemTime,
    deadline: Instant,
    token: Option<BearerToken>,
    refused: Option<BearerToken>,
    /// Whether the next send of the capture needs no leave of the retry budget.
    has_leave: bool,
    /// 401s in a row: the second one, against a fresh token, is final.
    refusals: u32,
    failed_logins: u32,
    sends_left: u32,
    waits: u32,
    first_sent: Option<SystemTime>,
    /// Set once an attempt may have been executed; only evidence ends the flow otherwise (R1).
    doubt: Option<Doubt>,
    /// What is true unless there is doubt.
    refusal: Option<Reason>,
    retry_after: Option<Duration>,
    attempts: Vec<Attempt>,
}

impl Flow {
    fn new(
        capture: Capture,
        api: &Api,
        policy: &Policy,
        now: Instant,
        wall: SystemTime,
    ) -> Box<Self> {
        Box::new(Self {
            capture,
            body: wire::capture::body(&capture),
            api: api.clone(),
            policy: *policy,
            started: now,
            wall,
            deadline: now + policy.deadline(),
            token: None,
            refused: None,
            has_leave: false,
            refusals: 0,
            failed_logins: 0,
            sends_left: policy.max_sends().get(),
            waits: 0,
            first_sent: None,
            doubt: None,
            refusal: None,
            retry_after: None,
            attempts: Vec::new(),
        })
    }

    /// Sends the next request, if there is still time and, for a capture in doubt, if it may be sent.
    fn perform(mut self: Box<Self>, next: Operation, now: Instant) -> Step {
        let barred = next == Operation::Capture && self.doubt.is_some() && !self.may_resend(now);
        if now > self.deadline || barred {
            return self.conclude();
        }
        let token = match &self.token {
            Some(token) if !self.needs_leave(next) => token,
            _ => return Step::Authorize(NeedsToken { flow: self, next }),
        };
        let request = match next {
            Operation::Capture => wire::capture::request(&self.api, token, self.body.clone()),
            Operation::Lookup => order::request(&self.api, self.capture.order_id(), token),
        };
        if next == Operation::Capture {
            self.sends_left -= 1;
            self.has_leave = false;
            let sent = self.wall_at(now);
            self.first_sent.get_or_insert(sent);
        }
        Step::Send(request, InFlight { flow: self, operation: next, began: now })
    }

    /// The reply to a capture.
    fn captured_or_not(
        mut self: Box<Self>,
        response: Response,
        mut record: Attempt,
        now: Instant,
    ) -> Step {
        let verdict = Verdict::of(self.capture.order_id(), &response);
        record.finding = verdict.to_string();
        record.keep(response.into_body());
        self.attempts.push(record);
        if verdict != Verdict::Refused(Reason::Unauthorized) {
            self.refusals = 0;
        }
        match verdict {
            Verdict::Captured => self.captured(Proof::Reply),
            Verdict::Refused(reason @ (Reason::Declined(_) | Reason::Rejected(..))) => {
                self.refuse(reason, now)
            }
            Verdict::Refused(reason) => {
                let wish = if let Reason::Throttled(wish) = reason { wish } else { None };
                let unauthorized = reason == Reason::Unauthorized;
                self.refusal = Some(reason);
                if unauthorized {
                    self.sends_left += 1; // it was turned away at the door (R9)
                    self.has_leave = true;
                    self.authorize_again(Operation::Capture, now)
                } else {
                    self.try_again(wish, now)
                }
            }
            Verdict::InProgress(doubt) => {
                // "The same key is in progress": that send did not start anything (R9).
                if matches!(doubt, Doubt::Status(409 | 425)) {
                    self.sends_left += 1;
                }
                self.pursue(doubt, None, now)
            }
            Verdict::Ambiguous(doubt, wish) => self.pursue(doubt, wish, now),
        }
    }

    /// The reply to a lookup: only an order with our id is evidence (R2).
    fn looked_up(
        mut self: Box<Self>,
        response: &Response,
        mut record: Attempt,
        now: Instant,
    ) -> Step {
        let status = order::read_reply(self.capture.order_id(), response);
        record.finding =
            status.map_or("no evidence".to_owned(), |status| format!("the order is {status}"));
        self.attempts.push(record);
        if response.status() == StatusCode::UNAUTHORIZED {
            return self.authorize_again(Operation::Lookup, now);
        }
        self.refusals = 0;
        match status {
            Some(status @ (OrderStatus::Completed | OrderStatus::Returned)) => {
                self.captured(Proof::OrderStatus(status))
            }
            Some(OrderStatus::Cancelled) => {
                self.refusal = Some(Reason::OrderCancelled);
                self.doubt = None; // the one piece of evidence for "no" (R2)
                self.conclude()
            }
            Some(OrderStatus::CaptureRequired) if self.doubt.is_some() && self.may_resend(now) => {
                self.perform(Operation::Capture, now)
            }
            _ => self.look_again(policy::retry_after(response.headers()), now),
        }
    }

    /// A "no" of the API. In doubt it changes nothing (R1); otherwise it is confirmed by one look.
    fn refuse(mut self: Box<Self>, reason: Reason, now: Instant) -> Step {
        match self.doubt.clone() {
            Some(doubt) => self.pursue(doubt, None, now),
            None => {
                self.refusal = Some(reason);
                if self.policy.lookup() {
                    self.perform(Operation::Lookup, now)
                } else {
                    self.conclude()
                }
            }
        }
    }

    /// Nothing was executed by the last send: send again later, unless there is older doubt.
    fn try_again(self: Box<Self>, wish: Option<Duration>, now: Instant) -> Step {
        match self.doubt.clone() {
            Some(doubt) => self.pursue(doubt, wish, now),
            None if self.sends_left == 0 => self.conclude(),
            None => self.wait(Operation::Capture, wish, now),
        }
    }

    /// In doubt: find out (R6).
    fn pursue(mut self: Box<Self>, doubt: Doubt, wish: Option<Duration>, now: Instant) -> Step {
        self.doubt = Some(doubt);
        if self.policy.lookup() {
            self.wait(Operation::Lookup, wish, now)
        } else if self.may_resend(now) {
            self.wait(Operation::Capture, wish, now)
        } else {
            self.conclude()
        }
    }

    /// A lookup that decided nothing. In doubt it is repeated; a mere confirmation is not.
    fn look_again(self: Box<Self>, wish: Option<Duration>, now: Instant) -> Step {
        if self.doubt.is_some() { self.wait(Operation::Lookup, wish, now) } else { self.conclude() }
    }

    /// The token was refused: one other token may be tried.
    fn authorize_again(mut self: Box<Self>, next: Operation, now: Instant) -> Step {
        self.refusals += 1;
        self.refused = self.token.take();
        if self.refusals > 1 { self.conclude() } else { self.perform(next, now) }
    }

    /// There is no token. In doubt the login is tried until the deadline, otherwise a few times.
    fn denied(mut self: Box<Self>, why: TokenError, next: Operation, now: Instant) -> Step {
        self.failed_logins += 1;
        let lasting = why.is_lasting();
        let wish = if let TokenError::Unavailable { retry_after, .. } = &why {
            *retry_after
        } else {
            None
        };
        let enough = self.doubt.is_none() && self.failed_logins >= self.policy.max_sends().get();
        if matches!(self.refusal, None | Some(Reason::NoToken(_))) {
            self.refusal = Some(Reason::NoToken(why));
        }
        if lasting || enough { self.conclude() } else { self.wait(next, wish, now) }
    }

    /// Waits as long as the server wished, else by backoff; never past the deadline.
    fn wait(mut self: Box<Self>, next: Operation, wish: Option<Duration>, now: Instant) -> Step {
        let delay =
            wish.unwrap_or_else(|| policy::backoff(self.capture.idempotency_key(), self.waits));
        self.waits = self.waits.saturating_add(1);
        match now.checked_add(delay).filter(|until| *until <= self.deadline) {
            Some(until) if delay <= LONGEST_RETRY_AFTER => {
                Step::Wait(until, Waiting { flow: self, next, until })
            }
            _ => {
                self.retry_after = wish;
                self.conclude()
            }
        }
    }

    fn captured(self, proof: Proof) -> Step {
        let Self { capture, attempts, .. } = self;
        Step::Done(Outcome::Captured(Receipt { capture, proof, attempts }))
    }

    /// The end without a receipt: doubt makes it unknown, whatever else was said (R1).
    fn conclude(self) -> Step {
        let Self { capture, doubt, refusal, first_sent, retry_after, attempts, .. } = self;
        Step::Done(match doubt {
            Some(doubt) => {
                Outcome::Unknown(Ticket { capture, doubt, first_sent, retry_after, attempts })
            }
            None => {
                let too_late = || Reason::NeverSent("the deadline passed first".into());
                let reason = refusal.unwrap_or_else(too_late);
                Outcome::NotCaptured(Refusal { capture, reason, attempts })
            }
        })
    }

    /// The secrets that a reply may echo.
    fn tokens(&self) -> impl Iterator<Item = &BearerToken> {
        [&self.token, &self.refused].into_iter().flatten()
    }

    /// Whether the next send repeats an earlier one, and the retry budget has not given leave (R9).
    fn needs_leave(&self, next: Operation) -> bool {
        next == Operation::Capture && self.first_sent.is_some() && !self.has_leave
    }

    /// Whether a capture in doubt may be sent again (R7). A key of unknown age counts as old.
    fn may_resend(&self, now: Instant) -> bool {
        let age = self.first_sent.map(|first| self.wall_at(now).duration_since(first));
        let young = matches!(age, Some(Ok(age)) if age < KEY_LIFETIME);
        self.sends_left > 0 && self.policy.resend() == Resend::Keyed && young
    }

    fn wall_at(&self, now: Instant) -> SystemTime {
        let since = now.saturating_duration_since(self.started);
        self.wall.checked_add(since).unwrap_or(self.wall)
    }
}
