//! The client under test: the real machine, or one that is broken in a known way.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use capture_core::driver::{Api, Delivery, Now, Progress, Step, TokenRequest, TransportError};
use capture_core::wire::{Request, Response};
use capture_core::{
    BearerToken, Capture, Money, Operation, OrderId, Outcome, Policy, Reason, Resend, Ticket,
    TokenError,
};

/// What a client says at the end. A broken client says it without proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Said {
    /// The money was captured.
    Captured,
    /// The money was definitely not captured.
    NotCaptured,
    /// The money may have moved.
    Unknown,
}

impl Said {
    /// What this outcome says.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Captured(_) => Self::Captured,
            Outcome::NotCaptured(_) => Self::NotCaptured,
            Outcome::Unknown(_) => Self::Unknown,
        }
    }
}

/// A way in which a client can be broken. Each is a mistake that a real client makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the mistakes")]
pub enum Mutant {
    NewKeyPerSend,
    ServerErrorIsFailure,
    RefusalClearsDoubt,
    ConflictIsFailure,
    FollowsRedirect,
    ProcessingIsSuccess,
    SuccessWithoutFlag,
    LookupWithoutIdCheck,
    CaptureRequiredIsFailure,
    ResendsUnderNever,
    ForgetsDoubtOnResume,
    EndOfFileIsNotSent,
    TimeoutIsFailure,
    ResendsOldKeys,
    FirstDuplicateWins,
    SuccessByStatusAlone,
    SendsWithoutLimit,
    LogsInPerSend,
    TakesSilenceForConflict,
    IgnoresTheDeadline,
    RetriesAtOnce,
    RebuildsTheCapture,
    ForgetsKeyAge,
    SaysNoNextStep,
    ShowsTheReply,
    LeavesItUnknown,
    ConfirmsOnce,
    ConfirmsWithoutWaiting,
    ProcessingIsFailure,
    FailedLookupConfirms,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 30] = [
        Self::NewKeyPerSend,
        Self::ServerErrorIsFailure,
        Self::RefusalClearsDoubt,
        Self::ConflictIsFailure,
        Self::FollowsRedirect,
        Self::ProcessingIsSuccess,
        Self::SuccessWithoutFlag,
        Self::LookupWithoutIdCheck,
        Self::CaptureRequiredIsFailure,
        Self::ResendsUnderNever,
        Self::ForgetsDoubtOnResume,
        Self::EndOfFileIsNotSent,
        Self::TimeoutIsFailure,
        Self::ResendsOldKeys,
        Self::FirstDuplicateWins,
        Self::SuccessByStatusAlone,
        Self::SendsWithoutLimit,
        Self::LogsInPerSend,
        Self::TakesSilenceForConflict,
        Self::IgnoresTheDeadline,
        Self::RetriesAtOnce,
        Self::RebuildsTheCapture,
        Self::ForgetsKeyAge,
        Self::SaysNoNextStep,
        Self::ShowsTheReply,
        Self::LeavesItUnknown,
        Self::ConfirmsOnce,
        Self::ConfirmsWithoutWaiting,
        Self::ProcessingIsFailure,
        Self::FailedLookupConfirms,
    ];

    /// Whether it takes the echo of somebody else's capture for a refusal.
    #[must_use]
    pub fn believes_an_echo(self) -> bool {
        matches!(
            self,
            Self::ConfirmsOnce
                | Self::ConfirmsWithoutWaiting
                | Self::ProcessingIsFailure
                | Self::FailedLookupConfirms
        )
    }

    /// Whether it breaks nothing that a search of steps can see: the simulation has to catch it.
    #[must_use]
    pub fn only_never_settles(self) -> bool {
        self == Self::LeavesItUnknown
    }
}

/// What the client wants next.
#[derive(Debug)]
pub enum Wants<'a> {
    /// A token, or a permit to send again.
    Token(TokenRequest<'a>),
    /// This request sent.
    Send(Operation, &'a Request),
    /// To wait this long.
    Wait(Duration),
    /// Nothing more.
    Nothing(Said),
}

/// What one process did, for the checks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct History {
    /// Sends that count: one that gets a 409 or 425 does not.
    pub(crate) sends: u32,
    /// Token requests beyond one for each refused token.
    pub(crate) logins: u32,
}

/// One client on one order.
#[derive(Debug, Clone)]
pub struct Subject {
    mutant: Option<Mutant>,
    api: Api,
    policy: Policy,
    capture: Capture,
    step: Step,
    /// A request that a broken client made up.
    forged: Option<Request>,
    redirected: bool,
    said: Option<Said>,
    /// How far a broken client sets its wall clock back.
    set_back: Duration,
    /// The last reply to a lookup, kept by a broken client.
    reply: Option<Bytes>,
    /// How often it sent the capture and asked for a token, for the bounds.
    pub sends: u32,
    /// Sends that a 409 or 425 gave back.
    pub given_back: u32,
    /// How often it asked for a token.
    pub logins: u32,
    /// How often a token was refused.
    pub refusals: u32,
}

impl Subject {
    /// A client that begins this capture.
    #[must_use]
    pub fn start(
        mutant: Option<Mutant>,
        capture: Capture,
        api: &Api,
        policy: Policy,
        now: Now,
    ) -> Self {
        let machine_policy = match mutant {
            Some(Mutant::ResendsUnderNever) => policy.with_resend(Resend::Keyed),
            Some(Mutant::SendsWithoutLimit) => {
                policy.with_max_sends(policy.max_sends().saturating_add(3))
            }
            Some(Mutant::ConfirmsOnce) => policy.with_confirmations(NonZeroU32::MIN),
            Some(Mutant::IgnoresTheDeadline) => policy.with_deadline(Duration::MAX),
            _ => policy,
        };
        let step = capture.start(api, &machine_policy, now);
        let (forged, said) = (None, None);
        let mut subject = Self {
            mutant,
            api: api.clone(),
            policy: machine_policy,
            capture,
            step,
            forged,
            redirected: false,
            said,
            set_back: Duration::ZERO,
            reply: None,
            sends: 0,
            given_back: 0,
            logins: 0,
            refusals: 0,
        };
        subject.after();
        subject
    }

    /// A client in another process, which resumes what this ticket is about.
    #[must_use]
    pub fn resume(
        mutant: Option<Mutant>,
        ticket: &Ticket,
        api: &Api,
        policy: Policy,
        now: Now,
    ) -> Self {
        let mut subject = Self::start(mutant, *ticket.capture(), api, policy, now);
        subject.step = Step::Done(Outcome::Unknown(ticket.clone()));
        subject.said = None;
        if mutant != Some(Mutant::LeavesItUnknown) {
            subject.resumes(ticket.clone(), now);
        }
        subject
    }

    /// What it wants next.
    #[must_use]
    pub fn wants(&self) -> Wants<'_> {
        if let Some(said) = self.said {
            return Wants::Nothing(said);
        }
        match (&self.step, &self.forged) {
            (Step::Authorize(need), _) => Wants::Token(need.token_request()),
            (Step::Send(..), Some(forged)) => Wants::Send(operation(forged), forged),
            (Step::Send(request, _), None) => Wants::Send(operation(request), request),
            (Step::Wait(delay, _), _) => Wants::Wait(*delay),
            (Step::Done(outcome), _) => Wants::Nothing(Said::of(outcome)),
        }
    }

    /// What the machine knows about itself.
    #[must_use]
    pub fn progress(&self) -> Option<Progress<'_>> {
        self.step.progress()
    }

    /// The machine's outcome, unless a broken client answered before it.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.step {
            Step::Done(outcome) if self.said.is_none() => Some(outcome),
            _ => None,
        }
    }

    /// What the outcome advises.
    pub(crate) fn next_step(&self) -> Option<Cow<'static, str>> {
        let says_nothing = self.mutant == Some(Mutant::SaysNoNextStep);
        let advice = self.outcome().map(Outcome::next_step);
        if says_nothing { advice.map(|_| "".into()) } else { advice }
    }

    /// Everything that the outcome shows.
    pub(crate) fn shown(&self) -> Option<String> {
        let outcome = self.outcome()?;
        let reply = self.reply.as_ref().map(|reply| String::from_utf8_lossy(reply));
        Some(format!("{outcome:?} {outcome} {}", reply.unwrap_or_default()))
    }

    /// What is counted for the checks.
    pub(crate) fn history(&self) -> History {
        let Self {
            mutant: _, // fixed from the start, as are the next three
            api: _,
            policy: _,
            capture: _,
            step: _,       // the machine shows its own progress
            forged: _,     // made from the step and the number of sends
            redirected: _, // caught at once
            said: _,       // what the client wants shows it
            reply: _,      // decides nothing before the end, and is judged there
            set_back: _,   // what it makes of the key's age is in the key
            sends,
            given_back,
            logins,
            refusals,
        } = self;
        History { sends: sends - given_back, logins: logins.wrapping_sub(*refusals) }
    }

    /// Whether the machine is in doubt.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.progress().is_some_and(|progress| progress.doubt.is_some())
    }

    /// Answers a token request; `None` returns the token just refused.
    pub fn token(&mut self, token: Result<Option<BearerToken>, TokenError>, now: Now) {
        let now = self.clock(now);
        // A login that fails was made, even if only a permit was asked for.
        let has_token = self.progress().is_some_and(|progress| progress.has_token);
        self.logins += u32::from(has_token && token.is_err());
        self.advance(now, |step| match step {
            Step::Authorize(need) => match token {
                Ok(fresh) => match fresh.or_else(|| need.token_request().refused.cloned()) {
                    Some(token) => need.authorized(token, now),
                    None => Step::Authorize(need),
                },
                Err(error) => need.no_token(error, now),
            },
            other => other,
        });
    }

    /// Answers a send.
    pub fn answer(&mut self, answer: Result<Response, TransportError>, now: Now) {
        let Wants::Send(operation, _) = self.wants() else { return };
        let now = self.clock(now);
        let status = answer.as_ref().map_or(0, |reply| reply.status().as_u16());
        let answer = self.misread(operation, answer);
        if self.said.is_some() || self.redirected {
            return;
        }
        let refuses_token = match &answer {
            Ok(reply) => status == 401 || (status == 403 && reply.body().starts_with(b"{")),
            Err(_) => false,
        };
        let is_reply = answer.is_ok();
        if operation == Operation::Capture && is_reply {
            self.given_back += u32::from(refuses_token || matches!(status, 409 | 425));
        }
        let had_token = self.progress().is_some_and(|progress| progress.has_token);
        self.advance(now, |step| match (step, answer) {
            (Step::Send(_, open), Ok(reply)) => open.received(reply, now),
            (Step::Send(_, open), Err(lost)) => open.failed(&lost, now),
            (other, _) => other,
        });
        // A refused token is given up, or tried once more.
        let has_token = self.progress().is_some_and(|progress| progress.has_token);
        self.refusals += u32::from(refuses_token && had_token && !has_token);
    }

    /// The retry budget gives no permit.
    pub fn no_permit(&mut self, now: Now) {
        let now = self.clock(now);
        self.advance(now, |step| match step {
            Step::Authorize(need) => need.no_permit(now),
            other => other,
        });
    }

    /// The time it waits for has come.
    pub fn elapsed(&mut self, now: Now) {
        let now = self.clock(now);
        self.advance(now, |step| match step {
            Step::Wait(_, open) => open.elapsed(now),
            other => other,
        });
    }

    fn resumes(&mut self, mut ticket: Ticket, now: Now) {
        let saved_at = ticket.first_sent().unwrap_or(now.wall());
        match self.mutant {
            Some(Mutant::RebuildsTheCapture) => {
                let money = Money::parse("99.00", "USD").expect("an amount");
                let (order, key) = (self.capture.order_id(), self.capture.idempotency_key());
                self.capture = Capture::new(order, money, key);
                ticket = Ticket::interrupted(self.capture, saved_at);
            }
            Some(Mutant::ForgetsKeyAge) => {
                let mut text = serde_json::to_value(&ticket).expect("a ticket is plain data");
                text["first_sent_ms"] = serde_json::Value::Null;
                ticket = serde_json::from_value(text).expect("what we wrote");
            }
            Some(Mutant::ResendsOldKeys) => {
                let day = Duration::from_secs(24 * 60 * 60);
                let age = now.wall().duration_since(saved_at).ok();
                self.set_back = age.filter(|age| *age >= day).unwrap_or_default();
            }
            _ => {}
        }
        let now = self.clock(now);
        self.step = if self.mutant == Some(Mutant::ForgetsDoubtOnResume) {
            self.capture.start(&self.api, &self.policy, now)
        } else {
            ticket.resume(&self.api, &self.policy, now)
        };
        (self.sends, self.given_back, self.logins, self.refusals) = (0, 0, 0, 0);
        self.after();
    }

    /// What its own clock says.
    pub(crate) fn clock(&self, now: Now) -> Now {
        Now::new(now.monotonic(), now.wall() - self.set_back)
    }

    fn advance(&mut self, now: Now, change: impl FnOnce(Step) -> Step) {
        // A step has no empty value; the old one is cloned out and replaced.
        self.step = change(self.step.clone());
        let skips_waits = match self.mutant {
            Some(Mutant::RetriesAtOnce) => true,
            Some(Mutant::ConfirmsWithoutWaiting) => self.is_refused(),
            _ => false,
        };
        if skips_waits {
            if let Step::Wait(delay, open) = self.step.clone() {
                self.step = open.elapsed(now + delay);
            }
        }
        self.after();
    }

    /// Whether the API has refused, without doubt.
    pub(crate) fn is_refused(&self) -> bool {
        self.progress().is_some_and(|progress| {
            progress.doubt.is_none() && progress.reason_unless_doubt.is_some_and(Reason::is_decided)
        })
    }

    /// Counts what the new step asks for, and lets a broken client change it.
    fn after(&mut self) {
        self.forged = None;
        let has_token = self.progress().is_some_and(|progress| progress.has_token);
        match &self.step {
            // If only a permit is asked for, it still has its token.
            Step::Authorize(_) if !has_token || self.mutant == Some(Mutant::LogsInPerSend) => {
                self.logins += 1;
            }
            Step::Send(request, _) if operation(request) == Operation::Capture => {
                self.sends += 1;
                if self.mutant == Some(Mutant::NewKeyPerSend) {
                    self.forged = Some(with_another_key(&self.capture, request, self.sends));
                }
            }
            Step::Done(Outcome::Unknown(_)) if self.mutant == Some(Mutant::TimeoutIsFailure) => {
                self.said = Some(Said::NotCaptured);
            }
            _ => {}
        }
    }

    /// What a broken client makes of an answer before the machine sees it.
    fn misread(
        &mut self,
        operation: Operation,
        answer: Result<Response, TransportError>,
    ) -> Result<Response, TransportError> {
        let Some(mutant) = self.mutant else { return answer };
        let mut reply = match answer {
            Ok(reply) => reply,
            Err(lost)
                if mutant == Mutant::EndOfFileIsNotSent
                    && lost.delivery() == Delivery::MaybeSent =>
            {
                return Err(TransportError::not_sent("end of file"));
            }
            Err(lost)
                if mutant == Mutant::TakesSilenceForConflict
                    && operation == Operation::Capture
                    && lost.delivery() == Delivery::MaybeSent =>
            {
                let mut reply = Response::new(Bytes::new());
                *reply.status_mut() = http::StatusCode::CONFLICT;
                return Ok(reply);
            }
            Err(lost) => {
                if mutant == Mutant::FailedLookupConfirms && self.is_refused() {
                    self.said = Some(Said::NotCaptured);
                }
                return Err(lost);
            }
        };
        let status = reply.status().as_u16();
        let text = String::from_utf8_lossy(reply.body()).to_ascii_uppercase();
        let says = |word: &str| text.contains(&format!("\"STATUS\":\"{word}\""));
        let capture = operation == Operation::Capture;
        self.said = match mutant {
            Mutant::ServerErrorIsFailure if capture && status >= 500 => Some(Said::NotCaptured),
            Mutant::RefusalClearsDoubt
                if capture
                    && (matches!(status, 400 | 404 | 422) || status == 200 && says("FAILED")) =>
            {
                Some(Said::NotCaptured)
            }
            Mutant::ConflictIsFailure if capture && status == 409 => Some(Said::NotCaptured),
            Mutant::ProcessingIsSuccess if capture && status == 200 && says("PROCESSING") => {
                Some(Said::Captured)
            }
            Mutant::SuccessWithoutFlag if capture && status == 200 && says("SUCCESS") => {
                Some(Said::Captured)
            }
            Mutant::FirstDuplicateWins
                if capture && text.starts_with(r#"{"STATUS":"SUCCESS","STATUS""#) =>
            {
                Some(Said::Captured)
            }
            Mutant::SuccessByStatusAlone if capture && (200..300).contains(&status) => {
                Some(Said::Captured)
            }
            Mutant::CaptureRequiredIsFailure if !capture && text.contains("\"STATUS\":5") => {
                Some(Said::NotCaptured)
            }
            Mutant::ProcessingIsFailure
                if !capture && self.is_refused() && text.contains("\"STATUS\":4") =>
            {
                Some(Said::NotCaptured)
            }
            Mutant::FailedLookupConfirms if !capture && self.is_refused() && status != 200 => {
                Some(Said::NotCaptured)
            }
            _ => None,
        };
        if mutant == Mutant::ShowsTheReply && !capture {
            self.reply = Some(reply.body().clone());
        }
        if mutant == Mutant::LookupWithoutIdCheck && !capture {
            correct_id(self.capture.order_id(), &mut reply);
        }
        if mutant == Mutant::FollowsRedirect && capture && matches!(status, 307 | 308) {
            if let Step::Send(request, _) = &self.step {
                let mut request = request.clone();
                *request.uri_mut() = http::Uri::from_static("https://elsewhere.example/v1/capture");
                self.forged = Some(request);
                self.redirected = true;
            }
        }
        Ok(reply)
    }
}

/// The operation of a request, by its method.
fn operation(request: &Request) -> Operation {
    if request.method() == http::Method::GET { Operation::Lookup } else { Operation::Capture }
}

fn with_another_key(capture: &Capture, request: &Request, n: u32) -> Request {
    let key = capture.idempotency_key().to_string();
    let other = format!("{n:08x}{}", &key[8..]);
    let body = String::from_utf8_lossy(request.body()).replace(&key, &other);
    let mut request = request.clone();
    *request.body_mut() = Bytes::from(body);
    request
}

fn correct_id(order: OrderId, reply: &mut Response) {
    if let Ok(mut body) =
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(reply.body())
    {
        body.insert("id".into(), order.to_string().into());
        *reply.body_mut() = serde_json::to_vec(&body).expect("plain data").into();
    }
}
