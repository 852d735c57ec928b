//! The same work by other code: what anybody would write with serde, and two crates of the trade.

use std::hint::black_box;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use oauth2::basic::BasicClient;
use oauth2::{ClientId, ClientSecret, HttpRequest, HttpResponse, TokenUrl};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Row, inputs};

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

pub fn rows() -> Vec<Row> {
    let (body, token) = (Body::new(), inputs::token_text());
    let mut buffer = Vec::with_capacity(256);
    let (for_buffer, for_value, for_serde) = (body.clone(), body.clone(), body);
    let token_again = token.clone();
    let mut rows = vec![
        Row::new("encode/serde", "serde derive, headers as text", move || {
            let body = serde_json::to_vec(black_box(&for_serde)).expect("JSON");
            drop(black_box(request(&token, body)));
        }),
        Row::new("encode/value", "json! and to_vec, headers as text", move || {
            let Body { idempotency_key, order_id, amount, currency } = black_box(&for_value);
            let body = json!({ "idempotencyKey": idempotency_key, "orderId": order_id, "amount": amount, "currency": currency });
            drop(black_box(request(&token_again, serde_json::to_vec(&body).expect("JSON"))));
        }),
        Row::new("body/serde", "serde derive", move || {
            buffer.clear();
            serde_json::to_writer(&mut buffer, black_box(&for_buffer)).expect("JSON");
            black_box(&buffer);
        }),
    ];
    for (serde, value, text) in [
        ("read-small/serde", "read-small/value", inputs::SMALL.to_owned()),
        ("read-large/serde", "read-large/value", inputs::large(inputs::UNKNOWN)),
    ] {
        let again = text.clone();
        rows.push(Row::new(serde, "serde derive into a struct", move || {
            drop(black_box(
                serde_json::from_slice::<Reply>(black_box(text.as_bytes())).expect("JSON"),
            ));
        }));
        rows.push(Row::new(value, "serde_json::Value, then pick", move || {
            let value: Value = serde_json::from_slice(black_box(again.as_bytes())).expect("JSON");
            black_box((
                value["status"].as_str(),
                value["success"].as_bool(),
                value["errors"].as_array(),
            ));
        }));
    }
    rows.extend(oauth2_rows());
    rows
}

fn request(token: &str, body: Vec<u8>) -> http::Request<Vec<u8>> {
    http::Request::post(inputs::URL)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .expect("a request")
}

/// Ends `oauth2`'s exchange once its request is built.
#[derive(Debug)]
struct Stop;

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stop")
    }
}

impl std::error::Error for Stop {}

fn oauth2_rows() -> Vec<Row> {
    let url =
        TokenUrl::new("https://api-sandbox.flex-charge.com/v1/oauth2/token".into()).expect("a URL");
    let client = BasicClient::new(ClientId::new("key-0123456789".into()))
        .set_client_secret(ClientSecret::new("secret-0123456789".into()))
        .set_token_uri(url);
    let again = client.clone();
    let granted: HttpResponse = http::Response::builder()
        .header(CONTENT_TYPE, "application/json")
        .body(inputs::grant(false).into_bytes())
        .expect("a response");
    vec![
        Row::new("encode/oauth2", "oauth2: build a token request", move || {
            let stop = |request: HttpRequest| {
                drop(black_box(request));
                Err::<HttpResponse, _>(Stop)
            };
            drop(black_box(client.exchange_client_credentials().request(&stop)));
        }),
        Row::new("login/oauth2", "oauth2: build a token request and read its reply", move || {
            let answer = |request: HttpRequest| {
                drop(black_box(request));
                Ok::<_, Stop>(granted.clone())
            };
            drop(black_box(again.exchange_client_credentials().request(&answer).expect("a token")));
        }),
    ]
}
