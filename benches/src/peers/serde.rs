//! The obvious code with serde: structs with `derive`, headers as text.

use std::hint::black_box;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::benchmark::Benchmark;
use crate::inputs;

/// The request body as anybody would declare it.
#[derive(Serialize, Clone)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    pub idempotency_key: String,
    pub order_id: String,
    pub amount: i64,
    pub currency: String,
}

impl Body {
    pub fn new() -> Self {
        let capture = inputs::capture();
        Self {
            idempotency_key: capture.idempotency_key().to_string(),
            order_id: capture.order_id().to_string(),
            amount: 10_000,
            currency: "USD".into(),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::new()
    }
}

/// The reply as anybody would declare it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "a reader declares more than it uses")]
pub struct Reply {
    pub status: String,
    pub success: bool,
    pub result: Option<Value>,
    pub status_code: Option<String>,
    pub errors: Vec<ReplyError>,
    pub custom_properties: Map<String, Value>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "a reader declares more than it uses")]
pub struct ReplyError {
    pub item1: String,
    pub item2: String,
}

pub fn benchmarks() -> Vec<Benchmark> {
    let (body, token) = (Body::new(), inputs::token_text());
    let encoded = body.clone();
    let mut buffer = Vec::with_capacity(256);
    let read = |text: String| {
        move || {
            let reply = serde_json::from_slice::<Reply>(black_box(text.as_bytes()));
            drop(black_box(reply.expect("JSON")));
        }
    };
    vec![
        Benchmark::new("encode/serde", "serde derive, headers as text", move || {
            let body = serde_json::to_vec(black_box(&encoded)).expect("JSON");
            drop(black_box(request(&token, body)));
        }),
        Benchmark::new("body/serde", "serde derive", move || {
            buffer.clear();
            serde_json::to_writer(&mut buffer, black_box(&body)).expect("JSON");
            black_box(&buffer);
        }),
        Benchmark::new(
            "read-small/serde",
            "serde derive into a struct",
            read(inputs::SMALL.to_owned()),
        ),
        Benchmark::new(
            "read-large/serde",
            "serde derive into a struct",
            read(inputs::large(inputs::UNKNOWN)),
        ),
    ]
}

/// The request as anybody would build it.
pub fn request(token: &str, body: Vec<u8>) -> http::Request<Vec<u8>> {
    http::Request::post(inputs::URL)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .expect("a request")
}
