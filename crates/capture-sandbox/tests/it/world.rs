//! A sandbox in virtual time, with a client that holds a token.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use capture_core::{Capture, IdempotencyKey, Money, OrderId};
use capture_sandbox::{Action, Reply, Sandbox, Settings};
use http::{Method, Request, Response};
use serde_json::{Value, json};

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) now: SystemTime,
    pub(crate) token: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let mut world = Self {
            sandbox: Sandbox::new(settings),
            now: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            token: String::new(),
        };
        world.login();
        world
    }

    pub(crate) fn login(&mut self) {
        let settings = Settings::default();
        let body = json!({ "AppKey": settings.app_key, "AppSecret": settings.app_secret });
        let reply = self.post("/v1/oauth2/token", &body.to_string());
        self.token = json(&reply)["accessToken"].as_str().unwrap().to_owned();
    }

    pub(crate) fn order(&mut self, amount: &str) -> OrderId {
        self.sandbox.create_order(money(amount), self.now)
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    pub(crate) fn send(&mut self, request: &Request<Bytes>) -> Reply {
        self.sandbox.handle(request, self.now)
    }

    pub(crate) fn post(&mut self, path: &str, body: &str) -> Response<Bytes> {
        let request = self.request(Method::POST, path, body);
        respond(self.send(&request))
    }

    pub(crate) fn get(&mut self, path: &str) -> Response<Bytes> {
        let request = self.request(Method::GET, path, "");
        respond(self.send(&request))
    }

    pub(crate) fn request(&self, method: Method, path: &str, body: &str) -> Request<Bytes> {
        Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1:8787")
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/*+json")
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap()
    }

    /// Captures; `None` where no reply comes.
    pub(crate) fn capture(&mut self, order: OrderId, key: u8, amount: &str) -> Reply {
        let request = self.request(Method::POST, "/v1/capture", &capture_body(order, key, amount));
        self.send(&request)
    }

    /// Captures and tells the status of the reply and the word in it.
    pub(crate) fn captured(&mut self, order: OrderId, key: u8, amount: &str) -> (u16, String) {
        let reply = respond(self.capture(order, key, amount));
        let word = match json(&reply)["status"].clone() {
            Value::String(word) => word,
            _ => String::new(),
        };
        (reply.status().as_u16(), word)
    }

    pub(crate) fn captures(&self, order: OrderId) -> usize {
        self.sandbox.ledger().captures(order)
    }
}

pub(crate) fn money(amount: &str) -> Money {
    Money::parse(amount, "USD").unwrap()
}

/// The capture of an order whose key is its own: any reply is about it.
pub(crate) fn intent(order: OrderId) -> Capture {
    Capture::new(order, money("100.00"), IdempotencyKey::for_order(order))
}

pub(crate) fn key(number: u8) -> IdempotencyKey {
    IdempotencyKey::from_bytes([number; 16]).unwrap()
}

pub(crate) fn capture_body(order: OrderId, number: u8, amount: &str) -> String {
    let (key, units) = (key(number), money(amount).minor_units());
    json!({ "idempotencyKey": key, "orderId": order, "amount": units, "currency": "USD" })
        .to_string()
}

pub(crate) fn respond(reply: Reply) -> Response<Bytes> {
    match reply.action {
        Action::Respond(response) => response,
        other => panic!("no reply: {other:?}"),
    }
}

/// The body as JSON; null where there is none.
pub(crate) fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or_default()
}
