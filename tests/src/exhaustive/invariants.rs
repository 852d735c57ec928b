//! The invariants: what must hold after every event. Each has the name that the documentation gives it.

use capture_core::{Operation, Outcome, Reason, Resend};
use http::header::AUTHORIZATION;

use super::node::Node;
use super::server::Order;
use crate::fixture::capture;
use crate::subject::{Said, Wants};

/// The first invariant that the step from one state to the next breaks.
pub(crate) fn check(before: &Node, after: &Node) -> Option<(&'static str, String)> {
    let broken = |name, what: &str| Some((name, what.to_owned()));
    let server = &after.server;
    if server.captures > 1 {
        return broken("I1", "the order was captured twice by one intent");
    }
    match after.subject.wants() {
        Wants::Nothing(Said::Captured) if server.order != Order::Completed => {
            return broken("I2", "\"captured\", and the order is not");
        }
        Wants::Nothing(Said::NotCaptured) if server.captures > 0 => {
            return broken("I3", "\"not captured\", and the money moved");
        }
        Wants::Nothing(Said::NotCaptured) if server.may_still_capture() => {
            return broken("I3", "\"not captured\", and a request on its way can still capture");
        }
        Wants::Send(Operation::Capture, request) => {
            let first = after.first.as_ref().unwrap_or(request);
            let mut others = [request.headers().clone(), first.headers().clone()];
            others.iter_mut().for_each(|headers| drop(headers.remove(AUTHORIZATION)));
            if request.body() != first.body() || others[0] != others[1] {
                return broken("I6", "a send differs from the first one");
            }
            let fresh = !matches!(before.subject.wants(), Wants::Send(Operation::Capture, _));
            let in_doubt = after.subject.in_doubt();
            if fresh && in_doubt && after.scope.policy.resend() == Resend::Never {
                return broken("R7", "sent again in doubt, under Resend::Never");
            }
            if fresh && in_doubt && after.old {
                return broken("R7", "sent again in doubt, with a key older than a day");
            }
        }
        _ => {}
    }
    if let Wants::Send(_, request) = after.subject.wants() {
        if request.uri().host() != Some("api-sandbox.flex-charge.com") {
            return broken("I10", "token and body go to another origin");
        }
    }
    if after.sends() > after.scope.policy.max_sends().get() {
        return broken("I5", "sent more often than allowed");
    }
    let progress = after.subject.progress();
    let allowed = |failed| 1 + after.subject.refusals + failed;
    if progress.is_some_and(|progress| after.subject.logins > allowed(progress.failed_logins)) {
        return broken("I5", "more logins than refused tokens and failed logins");
    }
    if let Some(outcome) = after.subject.outcome() {
        return ending(after, outcome);
    }
    if before.subject.in_doubt() && !after.subject.in_doubt() && before.subject.progress().is_some()
    {
        let going_on = after.subject.progress().is_some();
        if going_on {
            return broken("I9", "doubt went away without evidence");
        }
    }
    None
}

/// What the end itself must show.
fn ending(node: &Node, outcome: &Outcome) -> Option<(&'static str, String)> {
    let broken = |name, what: &str| Some((name, what.to_owned()));
    let refused_for =
        if let Outcome::NotCaptured(refusal) = outcome { Some(refusal.reason()) } else { None };
    if node.doubted && refused_for.is_some_and(|reason| *reason != Reason::OrderCancelled) {
        return broken("I9", "\"not captured\" after doubt, without the order being cancelled");
    }
    if *outcome.capture() != capture() || outcome.next_step().is_empty() {
        return broken("I4", "the outcome does not name its capture and the next step");
    }
    if matches!(outcome, Outcome::Unknown(ticket) if ticket.first_sent().is_none()) {
        return broken("I4", "the ticket does not know when its key was first sent");
    }
    if format!("{outcome:?} {outcome}").contains("canary") {
        return broken("I11", "personal data of the order is shown");
    }
    None
}
