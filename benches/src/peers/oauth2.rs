//! The crate `oauth2` doing the same kind of work: building a token request, and reading its reply.

use std::fmt;
use std::hint::black_box;

use http::header::CONTENT_TYPE;
use oauth2::basic::BasicClient;
use oauth2::{ClientId, ClientSecret, HttpRequest, HttpResponse, TokenUrl};

use crate::benchmark::Benchmark;
use crate::inputs;

/// Ends the exchange once its request is built.
#[derive(Debug)]
struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stop")
    }
}

impl std::error::Error for Stop {}

pub fn benchmarks() -> Vec<Benchmark> {
    let url =
        TokenUrl::new("https://api-sandbox.flex-charge.com/v1/oauth2/token".into()).expect("a URL");
    let encoding = BasicClient::new(ClientId::new("key-0123456789".into()))
        .set_client_secret(ClientSecret::new("secret-0123456789".into()))
        .set_token_uri(url);
    let login = encoding.clone();
    let granted: HttpResponse = http::Response::builder()
        .header(CONTENT_TYPE, "application/json")
        .body(inputs::standard_grant().into_bytes())
        .expect("a response");
    vec![
        Benchmark::new("encode/oauth2", "oauth2: build a token request", move || {
            let stop = |request: HttpRequest| {
                drop(black_box(request));
                Err::<HttpResponse, _>(Stop)
            };
            drop(black_box(encoding.exchange_client_credentials().request(&stop)));
        }),
        Benchmark::new(
            "login/oauth2",
            "oauth2: build a token request and read its reply",
            move || {
                let answer = |request: HttpRequest| {
                    drop(black_box(request));
                    Ok::<_, Stop>(granted.clone())
                };
                let token = login.exchange_client_credentials().request(&answer);
                drop(black_box(token.expect("a token")));
            },
        ),
    ]
}
