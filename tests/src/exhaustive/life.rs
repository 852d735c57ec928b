//! The life of a process: it asks the journal, works, records what it found, tells it, and may die
//! before and after each of these. The journal is all that the next one knows.

use std::time::Duration;

use capture_core::driver::Api;
use capture_core::{Capture, Doubt, Environment, IdempotencyKey, Operation, Outcome, Ticket};
use capture_journal::{Held, How, Standing};

use super::node::Node;
use super::process::{Late, Life};
use super::record::Asked;
use super::trace::Event;
use crate::fixture::capture;
use crate::misuse::Misuse;
use crate::subject::{Said, Subject, Wants};

/// Longer than the life of a key.
const A_DAY: Duration = Duration::from_secs(25 * 60 * 60);

impl Node {
    /// Every event in the life of the process, and of the late one.
    pub(crate) fn lives(&self, found: &mut dyn FnMut(Event<'_>, Self)) {
        match &self.life {
            Life::Asks => self.begins(found),
            Life::Works(subject, held) => {
                if let Wants::Nothing(said) = subject.wants() {
                    self.ends(*held, said, subject.outcome(), found);
                }
            }
            Life::Told(..) => {}
        }
        if let Some(Late { held, found: outcome }) = &self.late {
            let mut next = Self { late: None, ..self.clone() };
            let mut told = next.record.settled(*held, outcome, self.now.wall());
            let said_no = |outcome: &Outcome| matches!(outcome, Outcome::NotCaptured(_));
            if self.scope.misuse == Some(Misuse::LateNoWins) && said_no(outcome) {
                told = outcome.clone();
            }
            // Another one may have sent it meanwhile: a "no" that is not on record is about that, too.
            let is_recorded = next.record.decided().is_some();
            next.promises(&told, said_no(&told) && !is_recorded && next.record.is_taken(*held));
            found(
                Event::Life("the late one records its outcome, and tells what that comes to"),
                next,
            );
        }
        if self.restarts == 0 {
            return;
        }
        let what = match self.life {
            Life::Asks => "the process dies, before its claim is durable",
            Life::Works(..) if self.life.says().is_none() => "the process dies",
            Life::Works(..) => "the process dies, before its outcome is durable",
            Life::Told(..) => "it is asked for again",
        };
        self.dies(what, found);
    }

    /// The journal answers.
    fn begins(&self, found: &mut dyn FnMut(Event<'_>, Self)) {
        let mut next = self.clone();
        next.began = next.now;
        if self.scope.misuse == Some(Misuse::SendsBeforeItClaims) {
            next.works(&How::Fresh(capture()), None);
            return found(Event::Life("it begins without a claim"), next.settled());
        }
        let was_claimed = matches!(self.record.standing(), Some(Standing::Claimed(..)));
        match next.record.asked(self.now.wall()) {
            Asked::Decided(outcome) => {
                next.tells(&outcome);
                found(Event::Life("the journal knows the outcome, and it is told"), next);
            }
            Asked::Work(work) => {
                let how = self.misused(work.how, was_claimed);
                next.works(&how, Some(work.held));
                let what = match how {
                    How::Fresh(_) => "its claim is durable, and it begins",
                    How::Resume(_) => "its claim is durable, and it resumes",
                };
                found(Event::Life(what), next.settled());
            }
        }
    }

    /// How a broken process goes on.
    fn misused(&self, how: How, was_claimed: bool) -> How {
        match (self.scope.misuse, &how) {
            (Some(Misuse::StartsAfresh), How::Resume(_)) if was_claimed => How::Fresh(capture()),
            (Some(Misuse::ForgetsTheFirstClaim), How::Resume(_)) if was_claimed => {
                How::Resume(Ticket::interrupted(capture(), self.now.wall()))
            }
            (Some(Misuse::NewKeyWhileOpen), How::Resume(_)) => {
                let capture = capture();
                let key = IdempotencyKey::following(capture.idempotency_key());
                How::Fresh(Capture::new(capture.order_id(), capture.money(), key))
            }
            _ => how,
        }
    }

    fn works(&mut self, how: &How, held: Option<Held>) {
        let Self { now, scope, .. } = *self;
        let api = Api::new(&Environment::Sandbox);
        let subject = match how {
            How::Fresh(capture) => {
                // Where nothing may have been executed, the key's age counts from now.
                self.old &= self.doubted;
                Subject::start(scope.mutant, *capture, &api, scope.policy, now)
            }
            How::Resume(ticket) => {
                // It has to assume that the capture was sent, unless it was told that nothing but a
                // refusal came of it.
                self.doubted |= !matches!(ticket.doubt(), Doubt::Unconfirmed(_));
                Subject::resume(scope.mutant, ticket, &api, scope.policy, now)
            }
        };
        self.life = Life::Works(Box::new(subject), held);
    }

    /// There is an outcome, and nobody knows it yet: it is recorded, and told.
    fn ends(
        &self,
        held: Option<Held>,
        said: Said,
        outcome: Option<&Outcome>,
        found: &mut dyn FnMut(Event<'_>, Self),
    ) {
        let now = self.now.wall();
        // Whatever a broken client says without an outcome, it has no proof to record.
        let unproven = || Outcome::Unknown(Ticket::interrupted(capture(), now));
        let known = outcome.cloned().unwrap_or_else(unproven);
        if self.scope.misuse == Some(Misuse::TellsBeforeItIsDurable) {
            let mut next = self.clone();
            next.tells(&known);
            return found(Event::Life("its outcome is told"), next);
        }
        let mut next = self.clone();
        let held = held.or_else(|| match next.record.asked(now) {
            Asked::Work(work) => Some(work.held),
            Asked::Decided(_) => None,
        });
        let told =
            held.map_or_else(|| known.clone(), |held| next.record.settled(held, &known, now));
        next.record.ended();
        if self.restarts > 0 {
            next.dies("its outcome is durable, and the process dies before it is told", found);
            if let (true, Some(held), None) = (self.scope.late, held, &self.late) {
                let late = Some(Late { held, found: known });
                let what = "the process is late, loses its hold, and it is asked for again";
                Self { late, ..self.clone() }.dies(what, found);
            }
        }
        match outcome {
            Some(_) => next.tells(&told),
            None => next.life = Life::Told(said, None),
        }
        found(Event::Life("its outcome is durable, and told"), next);
    }

    /// The process is gone; whatever it was sending may or may not arrive. Another one asks.
    fn dies(&self, what: &'static str, found: &mut dyn FnMut(Event<'_>, Self)) {
        let mut gone = Self { life: Life::Asks, ..self.clone() };
        gone.restarts -= 1;
        gone.record.ended();
        let mut servers = vec![self.server.clone()];
        if let Some(Wants::Send(Operation::Capture, request)) = self.life.wants() {
            let (key, bodies) = self.server_key(request.body());
            servers = self.server.after_loss(key);
            gone.bodies = bodies;
            gone.doubted = true;
        }
        for server in servers {
            let later = server.a_day_later();
            found(Event::Died(what, false), Self { server, ..gone.clone() });
            let now = gone.now + A_DAY;
            let next = Self { server: later, now, old: true, ..gone.clone() };
            found(Event::Died(what, true), next);
        }
    }

    fn tells(&mut self, outcome: &Outcome) {
        self.record.ended();
        self.promises(outcome, false);
        self.life = Life::Told(Said::of(outcome), Some(Box::new(outcome.clone())));
    }

    /// What is told as final must stay true, and nothing else may be told later.
    fn promises(&mut self, told: &Outcome, is_final: bool) {
        let is_decided = match told {
            Outcome::Captured(_) => true,
            Outcome::NotCaptured(refusal) => refusal.reason().is_decided() && !refusal.keeps_key(),
            Outcome::Unknown(_) => false,
        };
        if is_decided || is_final {
            self.promised = Some(Said::of(told));
        }
    }
}
