//! `/_sandbox/`: what a test in any language does to the sandbox, in JSON and without a token.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capture_core::printable;
use capture_core::wire::{Response, json_reply};
use http::{HeaderValue, Method, Request, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::local;
use super::page;
use crate::Script;
use crate::api::headers;
use crate::sandbox::Sandbox;
use crate::world::clock;

/// What a path and a method do; the index and the page show this very list.
pub(crate) const ROUTES: [(&str, &str); 18] = [
    ("GET /_sandbox/", "this list; for a browser the page"),
    ("GET /_sandbox/openapi.json", "the API and this surface as OpenAPI 3.1"),
    ("GET /_sandbox/orders", "the last 10,000 orders: status, time left, captures"),
    (
        "POST /_sandbox/orders",
        "creates an order: {\"amount\": minor units, \"currency\": \"USD\", \"status\"?: \"CAPTUREREQUIRED\", \"window_seconds\"?: 600}",
    ),
    (
        "POST /_sandbox/orders/{id}",
        "puts an order into a status, whatever the API would allow: {\"status\": \"COMPLETED\"}",
    ),
    ("GET /_sandbox/ledger", "the captures that truly happened"),
    (
        "GET /_sandbox/transcript",
        "the last 10,000 requests and what was done to them, without secrets",
    ),
    ("GET /_sandbox/script", "the fault rules that are not spent yet"),
    (
        "POST /_sandbox/script",
        "adds fault rules: {\"preset\": \"lost-reply\"} or {\"rules\": [{\"on\": {\"operation\": \"capture\"}, \"times\": 1, \"do\": {\"close\": true, \"effect\": true}}]}",
    ),
    ("DELETE /_sandbox/script", "forgets all fault rules"),
    ("GET /_sandbox/clock", "the sandbox's clock"),
    ("POST /_sandbox/clock", "moves the sandbox's clock ahead: {\"advance_seconds\": 600}"),
    ("GET /_sandbox/settings", "how the sandbox behaves"),
    (
        "POST /_sandbox/settings",
        "changes that: {\"idempotency\"?: \"frozen\", \"guard\"?: true, \"window_seconds\"?: 600, \"token_lifetime_seconds\"?: 600}",
    ),
    ("GET /_sandbox/claims", "what the clients claimed"),
    (
        "POST /_sandbox/claims",
        "claims an outcome: {\"order\": id, \"outcome\": \"captured\", \"not_captured\" or \"unknown\", \"by\"?: \"checkout\"}",
    ),
    ("GET /_sandbox/verdict", "the claims beside the truth"),
    (
        "POST /_sandbox/reset",
        "forgets orders, tokens, keys, ledger, transcript, claims, rules and clock",
    ),
];

/// The description of both surfaces.
const OPENAPI: &str = include_str!("openapi.json");

/// The part of a path below the control surface.
pub(crate) fn below(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/_sandbox")?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    advance_seconds: u64,
}

impl Sandbox {
    /// The reply to a request below `/_sandbox/`; the time is the sandbox's.
    pub(crate) fn control(
        &mut self,
        path: &str,
        request: &Request<Bytes>,
        now: SystemTime,
    ) -> Response {
        if !local::is_allowed(request, self.settings.remote) {
            let why = "the control surface answers loopback hosts and origins only";
            return refuse(StatusCode::FORBIDDEN, why).reply();
        }
        let answer = self.control_answer(path, request, now);
        let mut response = answer.unwrap_or_else(|refusal| refusal.reply());
        const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
        response
    }

    fn control_answer(
        &mut self,
        path: &str,
        request: &Request<Bytes>,
        now: SystemTime,
    ) -> Result<Response, Refusal> {
        let body = request.body();
        let order = path.strip_prefix("orders/");
        match (request.method(), path, order) {
            (&Method::GET, "", _) if headers::prefers_html(request.headers()) => {
                Ok(page::reply(self, now))
            }
            (&Method::GET, "", _) => Ok(index()),
            (&Method::GET, "openapi.json", _) => Ok(crate::api::replies::json(
                StatusCode::OK,
                Bytes::from_static(OPENAPI.as_bytes()),
            )),
            (&Method::GET, "orders", _) => Ok(self.control_orders(now)),
            (&Method::POST, "orders", _) => self.control_order(body, now),
            (&Method::POST, _, Some(order)) => self.control_status(order, body, now),
            (&Method::GET, "ledger", _) => Ok(ok(&self.ledger)),
            (&Method::GET, "transcript", _) => {
                let requests: Vec<_> = self.transcript.iter().collect();
                Ok(ok(&json!({ "requests": requests })))
            }
            (&Method::GET, "script", _) => Ok(ok(&self.rules())),
            (&Method::POST, "script", _) => self.control_script(body, now),
            (&Method::DELETE, "script", _) => {
                self.clear_script();
                Ok(done())
            }
            (&Method::GET, "clock", _) => Ok(time(now)),
            (&Method::POST, "clock", _) => {
                let body: ClockBody = read(body)?;
                let by = Duration::from_secs(body.advance_seconds);
                self.advance(by);
                Ok(time(clock::later(now, by)))
            }
            (&Method::GET, "settings", _) => Ok(self.control_settings()),
            (&Method::POST, "settings", _) => self.control_set(body),
            (&Method::GET, "claims", _) => Ok(self.control_claims(now)),
            (&Method::POST, "claims", _) => self.control_claim(body, now),
            (&Method::GET, "verdict", _) => Ok(ok(&self.judge(now))),
            (&Method::POST, "reset", _) => {
                self.reset();
                Ok(done())
            }
            _ => Err(no_route(path)),
        }
    }

    fn control_script(&mut self, body: &[u8], now: SystemTime) -> Result<Response, Refusal> {
        let script: Script = read(body)?;
        if self.is_full(now) {
            return Err(full());
        }
        self.script(script);
        Ok(done())
    }
}

/// A known path by another method, or an unknown path.
fn no_route(path: &str) -> Refusal {
    let is_order = path.starts_with("orders/");
    let is_known = |(route, _): &(&str, &str)| {
        let known = route.split_once("/_sandbox/").map_or("", |(_, known)| known);
        known == path || (is_order && known == "orders/{id}")
    };
    if ROUTES.iter().any(is_known) {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "wrong method; see GET /_sandbox/");
    }
    refuse(StatusCode::NOT_FOUND, "no such path; see GET /_sandbox/")
}

fn index() -> Response {
    let endpoints: serde_json::Map<_, _> =
        ROUTES.into_iter().map(|(endpoint, what)| (endpoint.to_owned(), what.into())).collect();
    ok(&json!({ "sandbox": endpoints }))
}

fn time(now: SystemTime) -> Response {
    ok(&json!({ "now": clock::iso(now), "now_ms": clock::millis(now) }))
}

pub(super) fn ok(body: &impl serde::Serialize) -> Response {
    json_reply(StatusCode::OK, body)
}

pub(super) fn done() -> Response {
    ok(&json!({}))
}

pub(super) fn full() -> Refusal {
    let why = "the sandbox is full; POST /_sandbox/reset";
    refuse(StatusCode::SERVICE_UNAVAILABLE, why)
}

/// Why a request of the test itself is refused.
pub(super) struct Refusal(StatusCode, String);

impl Refusal {
    fn reply(&self) -> Response {
        json_reply(self.0, &json!({ "error": printable(&self.1, 400) }))
    }
}

impl From<capture_core::Invalid> for Refusal {
    fn from(error: capture_core::Invalid) -> Self {
        refuse(StatusCode::BAD_REQUEST, &error.to_string())
    }
}

pub(super) fn refuse(status: StatusCode, why: &str) -> Refusal {
    Refusal(status, why.to_owned())
}

/// The body, or where in it what is wrong.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let bad = |why: String| refuse(StatusCode::BAD_REQUEST, &why);
    let mut json = serde_json::Deserializer::from_slice(body);
    let value =
        serde_path_to_error::deserialize(&mut json).map_err(|error| bad(error.to_string()))?;
    json.end().map_err(|error| bad(error.to_string()))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::{Operation, PRESETS, Settings};

    fn described() -> Value {
        serde_json::from_str(OPENAPI).unwrap()
    }

    #[test]
    fn every_route_is_described_and_every_description_is_a_route() {
        let described = described();
        let mut found = BTreeSet::new();
        for (path, methods) in described["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
        let api = Operation::ALL.iter().map(|operation| operation.route().to_owned());
        let routes: BTreeSet<_> =
            ROUTES.iter().map(|(route, _)| (*route).to_owned()).chain(api).collect();
        assert_eq!(found, routes);

        for route in routes {
            let (method, path) = route.split_once(' ').unwrap();
            let path = path.replace("{id}", "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81");
            let request = Request::builder().method(method).uri(&path).header("host", "localhost");
            let request = request.body(Bytes::new()).unwrap();
            let mut sandbox = Sandbox::new(Settings::default());
            let reply = sandbox.handle(&request, SystemTime::UNIX_EPOCH);
            let status = reply.response().unwrap().status().as_u16();
            assert!(matches!(status, 200 | 400 | 401 | 415), "{route}: {status}");
            if let Some(operation) = Operation::ALL.iter().find(|known| known.route() == route) {
                assert_eq!(Operation::at(&path).unwrap().0, *operation);
                assert_eq!(operation.method(), method);
            }
        }
    }

    #[test]
    fn what_the_description_refers_to_is_there() {
        fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
            match value {
                Value::Object(members) => {
                    found.extend(members.get("$ref").and_then(Value::as_str));
                    members.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let described = described();
        let mut found = Vec::new();
        references(&described, &mut found);
        assert!(found.len() > 100);
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(described.pointer(pointer).is_some(), "{reference}");
        }
        let presets = &described["components"]["schemas"]["Script"]["properties"]["preset"]["enum"];
        assert_eq!(*presets, json!(PRESETS.map(|(name, _)| name)));
    }
}
