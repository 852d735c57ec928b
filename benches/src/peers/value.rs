//! The obvious code without structs: `json!` out, `serde_json::Value` in.

use std::hint::black_box;

use serde_json::{Value, json};

use crate::benchmark::Benchmark;
use crate::inputs;
use crate::peers::serde::{Body, request};

pub fn benchmarks() -> Vec<Benchmark> {
    let (body, token) = (Body::new(), inputs::token_text());
    let read = |text: String| {
        move || {
            let value: Value = serde_json::from_slice(black_box(text.as_bytes())).expect("JSON");
            black_box((
                value["status"].as_str(),
                value["success"].as_bool(),
                value["errors"].as_array(),
            ));
        }
    };
    vec![
        Benchmark::new("encode/value", "json! and to_vec, headers as text", move || {
            let Body { idempotency_key, order_id, amount, currency } = black_box(&body);
            let body = json!({
                "idempotencyKey": idempotency_key,
                "orderId": order_id,
                "amount": amount,
                "currency": currency,
            });
            drop(black_box(request(&token, serde_json::to_vec(&body).expect("JSON"))));
        }),
        Benchmark::new(
            "read-small/value",
            "serde_json::Value, then pick",
            read(inputs::SMALL.to_owned()),
        ),
        Benchmark::new(
            "read-large/value",
            "serde_json::Value, then pick",
            read(inputs::large(inputs::UNKNOWN)),
        ),
    ]
}
