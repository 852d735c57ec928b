//! From a request to a reply: routing, the checks that all operations share, scripts, transcript.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capture_core::wire::error::ApiError;
use capture_core::wire::{self, Response};
use http::{HeaderValue, Request, StatusCode, header};

use crate::api::call::Call;
use crate::api::headers;
use crate::api::replies as reply;
use crate::api::replies::Replayed;
use crate::control::answer as control;
use crate::faults::act::{Act, Said};
use crate::faults::answer::{Answer, put_headers};
use crate::faults::raw::Raw;
use crate::faults::script::Asked;
use crate::sandbox::{At, Instead, Sandbox};
use crate::world::clock;
use crate::world::transcript::{Exchange, Sent};
use crate::{Handshake, Operation};

/// What to do on the wire, and when.
#[derive(Debug, Clone)]
#[must_use]
pub struct Reply {
    /// How long to wait first.
    pub delay: Duration,
    /// What then happens.
    pub action: Action,
}

/// What happens on the wire in answer to a request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Action {
    /// This reply is sent.
    Respond(http::Response<Bytes>),
    /// The connection is closed, and nothing is sent.
    Close,
    /// These bytes are sent, and then the connection ends: no whole reply, or not as HTTP has it.
    Raw(Raw),
}

impl Reply {
    /// The reply that is sent, if one is.
    #[must_use]
    pub fn response(&self) -> Option<&http::Response<Bytes>> {
        match &self.action {
            Action::Respond(response) => Some(response),
            Action::Close | Action::Raw(_) => None,
        }
    }
}

impl Sandbox {
    /// The answer to one request that comes in now.
    ///
    /// An effect that the request has is applied at once, also when its reply is delayed.
    pub fn handle(&mut self, request: &Request<Bytes>, now: SystemTime) -> Reply {
        let path = request.uri().path();
        if let Some(rest) = control::below(path) {
            let mut response = self.control(rest, request, self.clock(now));
            let date = clock::http_date(self.clock(now)); // it may just have been moved
            response.headers_mut().insert(header::DATE, date);
            return Reply { delay: Duration::ZERO, action: Action::Respond(response) };
        }
        let now = self.clock(now);
        let mut seen = Exchange::new(now);
        let Some((operation, id)) = Operation::at(path) else {
            let not_found = reply::gateway(StatusCode::NOT_FOUND);
            return self.finish(seen, None, Some(not_found));
        };
        if request.method() != operation.method() {
            let wrong_method = reply::wrong_method(&operation.method());
            return self.finish(seen, None, Some(wrong_method));
        }
        let call = Call::read(operation, id, request.body());
        seen.operation = Some(operation);
        seen.order = call.order();
        seen.key = call.key();

        let asked = Asked { operation, order: call.order(), number: self.transcript.next_number() };
        let captures = self.ledger.entries().len();
        let Some(act) = self.rules.next(asked) else {
            let at = At { now, done: now, instead: None };
            let truth = self.answer(call, request, at);
            seen.captured = self.ledger.entries().len() > captures;
            return self.finish(seen, None, Some(truth));
        };
        let done = clock::later(now, act.delay);
        let scripted = match &act.said {
            Said::Words(answer) => Some(self.scripted(answer)),
            Said::Truth | Said::Raw(_) => None,
        };
        let instead = scripted.as_ref().filter(|_| act.stored && operation.has_key());
        let instead = instead.map(|answer| Instead { effect: act.effect, answer });
        let truth = (act.effect || instead.is_some())
            .then(|| self.answer(call, request, At { now, done, instead }));
        seen.captured = self.ledger.entries().len() > captures;
        let said = if instead.is_some() { truth } else { scripted.or(truth) };
        self.finish(seen, Some(&act), said)
    }

    /// What to do with a request of which only the head is there, if a script wants it to end so.
    pub(crate) fn handle_head(&mut self, head: &Request<()>, now: SystemTime) -> Option<Reply> {
        let (operation, id) = Operation::at(head.uri().path())?;
        if head.method() != operation.method() {
            return None;
        }
        let order = id.parse().ok();
        let asked = Asked { operation, order, number: self.transcript.next_number() };
        let act = self.rules.next_before_reading(asked)?;
        let seen = Exchange { operation: Some(operation), order, ..Exchange::new(self.clock(now)) };
        Some(self.finish(seen, Some(&act), None))
    }

    /// What a TLS handshake meets that begins now, if a script wants anything of it.
    pub(crate) fn handshake(&mut self, now: SystemTime) -> Option<Handshake> {
        let meets = self.rules.next_handshake()?;
        let script = Some(format!("TLS handshake: {meets}"));
        self.transcript.record(Exchange { script, ..Exchange::new(self.clock(now)) });
        Some(meets)
    }

    /// The answer to bytes that are no request this side can take.
    pub(crate) fn refuse(&mut self, status: StatusCode, now: SystemTime) -> Reply {
        let seen = Exchange::new(self.clock(now));
        self.finish(seen, None, Some(reply::gateway(status)))
    }

    /// The true answer.
    fn answer(&mut self, call: Call, request: &Request<Bytes>, at: At<'_>) -> Response {
        let (headers, body) = (request.headers(), request.body());
        let is_login = matches!(call, Call::Token);
        let token = headers::bearer(headers);
        if !is_login && !token.is_some_and(|token| self.knows_token(token, at.now)) {
            return reply::unauthorized();
        }
        let reads_body = match call {
            Call::Token | Call::Evaluate | Call::Capture(_) => true,
            Call::Cancel(_) => !body.is_empty(),
            Call::Order(_) | Call::Orders => false,
        };
        if reads_body && !headers::is_json(headers) {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return reply::problem(self, status, "Unsupported Media Type");
        }
        if !headers::takes_json(headers) {
            return reply::empty(StatusCode::NOT_ACCEPTABLE);
        }
        if reads_body && self.is_full(at.now) {
            return reply::gateway(StatusCode::SERVICE_UNAVAILABLE);
        }
        match call {
            Call::Token => self.token(body, at.now),
            Call::Evaluate => self.evaluate(body, at),
            Call::Capture(Ok(capture)) => self.capture(&capture, at),
            Call::Capture(Err(errors)) => reply::invalid(self, &errors),
            Call::Order(Ok(order)) => self.order(order, at.now),
            Call::Orders => self.list(request.uri().query().unwrap_or_default(), at.now),
            Call::Cancel(Ok(order)) => self.cancel(order, body, at),
            Call::Order(Err(_)) | Call::Cancel(Err(_)) => {
                reply::invalid(self, &[ApiError::field("Id", "The value is not valid.")])
            }
        }
    }

    fn scripted(&mut self, answer: &Answer) -> Response {
        let mut response = match &answer.body {
            None => reply::plausible(self, answer.status),
            Some(body) => match body.bytes() {
                body if body.is_empty() => reply::empty(answer.status),
                body => reply::json(answer.status, body),
            },
        };
        put_headers(response.headers_mut(), &answer.headers);
        response
    }

    /// Dates the reply, gives it the gateway's id, does to it what the script wants, and writes the
    /// exchange down.
    fn finish(&mut self, mut seen: Exchange, act: Option<&Act>, said: Option<Response>) -> Reply {
        let delay = act.map_or(Duration::ZERO, |act| act.delay);
        seen.script = act.map(Act::to_string);
        let is_silent = act.is_some_and(|act| !act.has_reply() || matches!(act.said, Said::Raw(_)));
        let action = match (said.filter(|_| !is_silent), act) {
            (None, None) => Action::Close,
            (None, Some(act)) => act.silence(),
            (Some(mut response), act) => {
                let id = self.draw.request_id();
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
        self.transcript.record(seen);
        Reply { delay, action }
    }
}
