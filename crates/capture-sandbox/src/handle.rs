//! The way of a request through the rooms: the control surface, or the rules and then the API.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capture_core::printable;
use capture_core::wire::{self, Response};
use http::{HeaderValue, Request, StatusCode, header};

use crate::api::{self, At, Call, Instead, Replayed, replies, routes};
use crate::control;
use crate::faults::{Act, Action, Answer, Asked, Handshake, Reply, Said, put_headers};
use crate::sandbox::Sandbox;
use crate::world::{Draw, Exchange, Operation, Sent, clock};

/// What a rule did is told in this many characters: the transcript keeps it for many requests.
const LONGEST_WORDS: usize = 400;

impl Sandbox {
    /// The answer to a request that arrives now.
    ///
    /// An effect of the request takes place at once, even when its reply is delayed. Who sends the
    /// request is not checked: a [`Server`](crate::Server) refuses the pages of other sites.
    pub fn handle(&mut self, request: &Request<Bytes>, now: SystemTime) -> Reply {
        let path = request.uri().path();
        if routes::is_control(path) {
            let mut response = control::answer(self, request, now);
            // The request may have moved the clock.
            let date = clock::http_date(self.world.time(now));
            response.headers_mut().insert(header::DATE, date);
            return Reply { delay: Duration::ZERO, action: Action::Respond(response) };
        }
        let now = self.world.time(now);
        let call = Call::read(request);
        let mut seen = Exchange::new(now);
        if let Ok(call) = &call {
            seen.operation = Some(call.operation());
            seen.order = call.order();
            seen.key = call.key();
        }
        let captures = self.world.ledger.entries().len();
        let act = self.rules.next(self.asked(path, &seen));
        let scripted = act.as_ref().and_then(|act| match &act.said {
            Said::Answer(answer) => Some(scripted(&mut self.world.draw, answer)),
            Said::Truth | Said::Raw(_) => None,
        });
        let is_kept = act.as_ref().is_some_and(|act| act.stored)
            && seen.operation.is_some_and(Operation::has_key);
        let effect = act.as_ref().is_none_or(|act| act.effect);
        let instead = scripted.as_ref().filter(|_| is_kept);
        let instead = instead.map(|answer| Instead { effect, answer });
        let truth = (effect || instead.is_some()).then(|| {
            let done = clock::later(now, act.as_ref().map_or(Duration::ZERO, |act| act.delay));
            match call {
                Ok(call) => api::answer(&mut self.world, call, request, At { now, done, instead }),
                Err(miss) => replies::no_route(miss),
            }
        });
        seen.captured = self.world.ledger.entries().len() > captures;
        let said = if instead.is_some() { truth } else { scripted.or(truth) };
        self.finish(seen, act.as_ref(), said)
    }

    /// What to do with a request of which only the head has arrived, if a rule ends it there.
    pub(crate) fn handle_head(&mut self, head: &Request<()>, now: SystemTime) -> Option<Reply> {
        let path = head.uri().path();
        if routes::is_control(path) {
            return None;
        }
        let mut seen = Exchange::new(self.world.time(now));
        if let Ok((operation, id)) = routes::operation(head.method(), path) {
            (seen.operation, seen.order) = (Some(operation), id.parse().ok());
        }
        let act = self.rules.next_before_reading(self.asked(path, &seen))?;
        Some(self.finish(seen, Some(&act), None))
    }

    /// What a TLS handshake that begins now meets, if a script says so.
    pub(crate) fn handshake(&mut self, now: SystemTime) -> Option<Handshake> {
        let meets = self.rules.next_handshake()?;
        let script = Some(format!("TLS handshake: {meets}"));
        let seen = Exchange::new(self.world.time(now));
        self.world.transcript.record(Exchange { script, ..seen });
        Some(meets)
    }

    /// The answer to bytes that are not an acceptable request.
    pub(crate) fn refuse(&mut self, status: StatusCode, now: SystemTime) -> Reply {
        let seen = Exchange::new(self.world.time(now));
        self.finish(seen, None, Some(replies::gateway(status)))
    }

    fn asked<'a>(&self, path: &'a str, seen: &Exchange) -> Asked<'a> {
        let number = self.world.transcript.next_number();
        Asked { path, operation: seen.operation, order: seen.order, number, at: seen.at }
    }

    /// Gives the reply its date and request id, does to it what the rule wants, and records the
    /// exchange.
    fn finish(&mut self, mut seen: Exchange, act: Option<&Act>, said: Option<Response>) -> Reply {
        let delay = act.map_or(Duration::ZERO, |act| act.delay);
        seen.script = act.map(|act| printable(&act.to_string(), LONGEST_WORDS));
        let is_silent = act.is_some_and(|act| !act.has_reply() || matches!(act.said, Said::Raw(_)));
        let action = match (said.filter(|_| !is_silent), act) {
            (None, None) => Action::Close,
            (None, Some(act)) => act.silence(),
            (Some(mut response), act) => {
                let id = self.world.draw.request_id();
                let date = clock::http_date(clock::later(seen.at, delay));
                seen.replayed = response.extensions_mut().remove::<Replayed>().is_some();
                let headers = response.headers_mut();
                let id_value = HeaderValue::from_str(&id).expect("letters, digits, -, _ and =");
                headers.entry(header::DATE).or_insert(date);
                headers.entry(wire::REQUEST_ID).or_insert(id_value);
                seen.sent = Sent::Status(response.status());
                seen.request_id = Some(id);
                match act {
                    None => Action::Respond(response),
                    Some(act) => act.send(response),
                }
            }
        };
        if matches!(&action, Action::Raw(raw) if seen.request_id.is_none() && !raw.bytes.is_empty())
        {
            seen.sent = Sent::Raw;
        }
        self.world.transcript.record(seen);
        Reply { delay, action }
    }
}

fn scripted(draw: &mut Draw, answer: &Answer) -> Response {
    let mut response = match &answer.body {
        None => replies::plausible(draw, answer.status),
        Some(body) => match body.bytes() {
            body if body.is_empty() => replies::empty(answer.status),
            body => replies::json(answer.status, body),
        },
    };
    put_headers(response.headers_mut(), &answer.headers);
    response
}
