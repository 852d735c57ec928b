//! The invariants: what must hold after every event, clause by clause.

use capture_core::{Operation, Outcome, Reason, Resend};
use http::header::AUTHORIZATION;

use super::clause::Clause;
use super::node::Node;
use super::process::Life;
use super::server::Order;
use crate::fixture::capture;
use crate::subject::{Said, Subject, Wants};

impl Clause {
    /// Whether the step from one state to the next breaks it.
    pub(crate) fn is_broken(self, before: &Node, after: &Node) -> bool {
        let (subject, server) = (after.life.subject(), &after.server);
        let says = |said| after.life.says() == Some(said);
        let stays = |said| says(said) || after.promised == Some(said);
        let sends = || match after.life.wants() {
            Some(Wants::Send(operation, request)) => Some((operation, request)),
            _ => None,
        };
        let captures = || sends().is_some_and(|(operation, _)| operation == Operation::Capture);
        let sends_again = || after.life.in_doubt() && captures();
        let tells = || after.life.told().filter(|_| before.life.told().is_none());
        let refused_for = || match after.life.outcome() {
            Some(Outcome::NotCaptured(refusal)) => Some(refusal.reason()),
            _ => None,
        };
        match self {
            Self::CapturedTwice => server.captures > 1,
            Self::CapturedIsFalse => stays(Said::Captured) && server.order != Order::Completed,
            Self::MoneyMoved => stays(Said::NotCaptured) && server.captures > 0,
            Self::MoneyMayMove => stays(Said::NotCaptured) && server.may_still_capture(),
            Self::UnlikeTheFirst => after.differs_from_first(),
            Self::AgainUnderNever => sends_again() && after.scope.policy.resend() == Resend::Never,
            Self::AgainWithOldKey => sends_again() && after.old,
            Self::OtherOrigin => sends().is_some_and(|(_, request)| {
                request.uri().host() != Some("api-sandbox.flex-charge.com")
            }),
            Self::TooManySends => subject.is_some_and(|subject| {
                subject.history().sends > after.scope.policy.max_sends().get()
            }),
            Self::TooManyLogins => subject.is_some_and(|subject| {
                subject.progress().is_some_and(|progress| {
                    subject.logins > 1 + subject.refusals + progress.failed_logins
                })
            }),
            Self::TooLate => subject.is_some() && after.is_late() && after.life.says().is_none(),
            Self::DoubtForgotten => {
                let goes_on = subject.is_some_and(|subject| subject.progress().is_some());
                after.doubted && goes_on && !after.life.in_doubt()
            }
            Self::DoubtOverruled => {
                after.doubted && refused_for().is_some_and(|it| *it != Reason::OrderCancelled)
            }
            Self::EchoBelieved => {
                says(Said::NotCaptured)
                    && before.life.says().is_none()
                    && after.echo.is_some()
                    && refused_for().is_none_or(Reason::is_decided)
            }
            Self::OtherCapture => {
                after.life.outcome().is_some_and(|outcome| *outcome.capture() != capture())
            }
            Self::NoNextStep => {
                subject.and_then(Subject::next_step).is_some_and(|advice| advice.is_empty())
            }
            Self::NoKeyAge => {
                after.life.ticket().is_some_and(|ticket| ticket.first_sent().is_none())
            }
            // Once, because the text is long.
            Self::PersonalData if before.life.says().is_some() => false,
            Self::PersonalData => {
                subject.and_then(Subject::shown).is_some_and(|text| text.contains("canary"))
            }
            Self::SentUnclaimed => {
                let is_claimed = |held| after.record.has(held);
                captures() && !after.life.held().is_some_and(is_claimed)
            }
            Self::HandedOutTwice => {
                matches!(before.life, Life::Asks)
                    && after.life.held().is_some()
                    && after.record.is_free(after.scope.misuse)
            }
            Self::ToldUnrecorded => match (tells(), after.life.outcome()) {
                (Some(_), Some(outcome)) => {
                    is_decided(outcome) && after.record.decided() != Some(Said::of(outcome))
                }
                _ => false,
            },
            Self::ToldOverruled => {
                let other = |said| before.promised.is_some_and(|promised| promised != said);
                // The evidence of a late one outweighs a "no" that an order's status allowed.
                let late = after.promised.filter(|said| *said != Said::Captured);
                tells().or(late).is_some_and(other)
            }
            Self::Spins => false,
        }
    }
}

fn is_decided(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Captured(_) => true,
        Outcome::NotCaptured(refusal) => refusal.reason().is_decided(),
        Outcome::Unknown(_) => false,
    }
}

/// The first clause in scope that the step from one state to the next breaks.
pub(crate) fn broken(before: &Node, after: &Node) -> Option<Clause> {
    let only = after.scope.only;
    let judged = |clause: &Clause| only.is_none_or(|only| only == *clause);
    Clause::ALL.into_iter().find(|clause| judged(clause) && clause.is_broken(before, after))
}

impl Node {
    /// Whether the capture that is being sent is another one than the first, but for its token.
    fn differs_from_first(&self) -> bool {
        let Some(Wants::Send(Operation::Capture, request)) = self.life.wants() else {
            return false;
        };
        let first = self.first.as_ref().unwrap_or(request);
        let mut headers = [request.headers().clone(), first.headers().clone()];
        headers.iter_mut().for_each(|headers| drop(headers.remove(AUTHORIZATION)));
        request.body() != first.body() || headers[0] != headers[1]
    }
}
