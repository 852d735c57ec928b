//! The invariants: what must hold after every event, clause by clause.

use capture_core::{Operation, Outcome, Reason, Resend};
use http::header::AUTHORIZATION;

use super::clause::Clause;
use super::node::Node;
use super::server::Order;
use crate::fixture::capture;
use crate::subject::{Said, Wants};

impl Clause {
    /// Whether the step from one state to the next breaks it.
    pub(crate) fn is_broken(self, before: &Node, after: &Node) -> bool {
        let (subject, server) = (&after.subject, &after.server);
        let says = |said| matches!(subject.wants(), Wants::Nothing(now) if now == said);
        let sends_again =
            || subject.in_doubt() && matches!(subject.wants(), Wants::Send(Operation::Capture, _));
        match self {
            Self::CapturedTwice => server.captures > 1,
            Self::CapturedIsFalse => says(Said::Captured) && server.order != Order::Completed,
            Self::MoneyMoved => says(Said::NotCaptured) && server.captures > 0,
            Self::MoneyMayMove => says(Said::NotCaptured) && server.may_still_capture(),
            Self::UnlikeTheFirst => after.differs_from_first(),
            Self::AgainUnderNever => sends_again() && after.scope.policy.resend() == Resend::Never,
            Self::AgainWithOldKey => sends_again() && after.old,
            Self::OtherOrigin => match subject.wants() {
                Wants::Send(_, request) => {
                    request.uri().host() != Some("api-sandbox.flex-charge.com")
                }
                _ => false,
            },
            Self::TooManySends => after.sends() > after.scope.policy.max_sends().get(),
            Self::TooManyLogins => subject.progress().is_some_and(|progress| {
                subject.logins > 1 + subject.refusals + progress.failed_logins
            }),
            Self::TooLate => after.is_late() && after.end().is_none(),
            Self::DoubtForgotten => {
                let was_in_doubt = before.subject.in_doubt();
                was_in_doubt && !subject.in_doubt() && subject.progress().is_some()
            }
            Self::DoubtOverruled => {
                let refused_for = match subject.outcome() {
                    Some(Outcome::NotCaptured(refusal)) => Some(refusal.reason()),
                    _ => None,
                };
                after.doubted && refused_for.is_some_and(|reason| *reason != Reason::OrderCancelled)
            }
            Self::EchoBelieved => {
                let is_decided = match subject.outcome() {
                    Some(Outcome::NotCaptured(refusal)) => refusal.reason().is_decided(),
                    _ => true,
                };
                says(Said::NotCaptured)
                    && before.end().is_none()
                    && after.echo.is_some()
                    && is_decided
            }
            Self::OtherCapture => {
                subject.outcome().is_some_and(|outcome| *outcome.capture() != capture())
            }
            Self::NoNextStep => subject.next_step().is_some_and(|advice| advice.is_empty()),
            Self::NoKeyAge => subject.ticket().is_some_and(|ticket| ticket.first_sent().is_none()),
            Self::PersonalData => subject.shown().is_some_and(|text| text.contains("canary")),
            Self::Spins => false,
        }
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
        let Wants::Send(Operation::Capture, request) = self.subject.wants() else { return false };
        let first = self.first.as_ref().unwrap_or(request);
        let mut headers = [request.headers().clone(), first.headers().clone()];
        headers.iter_mut().for_each(|headers| drop(headers.remove(AUTHORIZATION)));
        request.body() != first.body() || headers[0] != headers[1]
    }
}
