//! HTTP/2 inside TLS: the same API, scripts as frames, and the faults that only HTTP/2 has.

use std::time::Duration;

use bytes::Bytes;
use capture_sandbox::{Sandbox, Script, Server};
use h2::client::SendRequest;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::fault::{script, with};
use crate::tls;
use crate::world::{capture_body, money};

/// A client with one connection, and what drives it.
pub(crate) struct Client {
    pub(crate) runtime: Runtime,
    pub(crate) requests: SendRequest<Bytes>,
    pub(crate) token: String,
}

impl Client {
    pub(crate) fn new(server: &Server) -> Self {
        // Only so that a broken server makes a test fail instead of hang.
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let connector = TlsConnector::from(tls::config(server, &["h2"]));
        let tcp = tls::tcp(server);
        tcp.set_nonblocking(true).unwrap();
        let requests = runtime.block_on(async {
            let tcp = tokio::net::TcpStream::from_std(tcp).unwrap();
            let tls = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
            assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            let (requests, connection) = h2::client::handshake(tls).await.unwrap();
            tokio::spawn(async move { _ = connection.await });
            requests
        });
        Self { runtime, requests, token: String::new() }
    }

    pub(crate) fn logged_in(server: &Server) -> Self {
        let mut client = Self::new(server);
        let body = json!({ "AppKey": server.app_key(), "AppSecret": server.app_secret() });
        let (response, body) = client.post("/v1/oauth2/token", body.to_string()).unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let body: Value = serde_json::from_slice(&body).unwrap();
        client.token = body["accessToken"].as_str().unwrap().to_owned();
        client
    }

    /// Head and body, or how the exchange ended; the head alone where the body broke.
    pub(crate) fn send(
        &mut self,
        request: Request<()>,
        body: Bytes,
    ) -> Result<(Response<()>, Bytes), String> {
        let requests = self.requests.clone();
        let exchange = async {
            let mut requests = requests.ready().await.map_err(|error| word(&error))?;
            let is_empty = body.is_empty();
            let (response, mut stream) =
                requests.send_request(request, is_empty).map_err(|error| word(&error))?;
            if !is_empty {
                stream.send_data(body, true).map_err(|error| word(&error))?;
            }
            let response = response.await.map_err(|error| word(&error))?;
            let (head, mut body) = response.into_parts();
            let mut read = Vec::new();
            while let Some(part) = body.data().await {
                let part = part.map_err(|error| {
                    format!("{} {} {}", head.status, String::from_utf8_lossy(&read), word(&error))
                })?;
                let _ = body.flow_control().release_capacity(part.len());
                read.extend_from_slice(&part);
            }
            let trailers = body.trailers().await.map_err(|error| word(&error))?;
            let mut response = Response::from_parts(head, ());
            response.headers_mut().extend(trailers.unwrap_or_default());
            Ok((response, read.into()))
        };
        let silence = Duration::from_secs(20);
        self.runtime.block_on(async { timeout(silence, exchange).await }).unwrap()
    }

    pub(crate) fn post(
        &mut self,
        path: &str,
        body: String,
    ) -> Result<(Response<()>, Bytes), String> {
        let request = Request::post(format!("https://localhost{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        self.send(request.body(()).unwrap(), body.into())
    }
}

fn word(error: &h2::Error) -> String {
    match error.reason() {
        Some(reason) if error.is_go_away() && error.is_remote() => format!("GOAWAY {reason:?}"),
        Some(reason) if error.is_reset() && error.is_remote() => format!("RST_STREAM {reason:?}"),
        Some(reason) => format!("noticed {reason:?}"),
        None => "connection".into(),
    }
}

#[test]
fn the_same_api() {
    let server = tls::server();
    let mut client = Client::logged_in(&server);
    let order = server.create_order(money("1.00"));
    let (response, body) = client.post("/v1/capture", capture_body(order, 1, "1.00")).unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-length"], body.len().to_string());
    assert!(response.headers().contains_key("apigw-requestid"));
    assert!(String::from_utf8_lossy(&body).contains("SUCCESS"));
    assert_eq!(server.ledger().captures(order), 1);

    let (response, _) = client.post("/v1/nothing", String::new()).unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let (response, _) = client.post("/v1/capture", " ".repeat(1024 * 1024 + 1)).unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    // By its authority, and not for another host.
    for (host, path, status) in [
        ("localhost", "/_sandbox/ledger", 200),
        ("example.com", "/_sandbox/ledger", 403),
        ("localhost", "/v1/orders", 401),
        ("example.com", "/v1/orders", 403),
    ] {
        let request = Request::get(format!("https://{host}{path}")).body(()).unwrap();
        assert_eq!(client.send(request, Bytes::new()).unwrap().0.status(), status);
    }
    let request = Request::builder().method(Method::HEAD).uri("https://localhost/v1/orders");
    let (response, body) = client.send(request.body(()).unwrap(), Bytes::new()).unwrap();
    assert_eq!((response.status(), body.len()), (StatusCode::METHOD_NOT_ALLOWED, 0));
    let large = Request::get("https://localhost/v1/orders").header("a", "a".repeat(40_000));
    let refused = client.send(large.body(()).unwrap(), Bytes::new());
    assert_eq!(refused.unwrap().0.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
}

#[test]
fn every_reply_and_every_end_as_frames() {
    let server = tls::server();
    // What the client sees, how often the money moved, and whether the connection lives.
    let rows = [
        (json!({ "rst_stream": true, "effect": true }), "RST_STREAM CANCEL", 1, true),
        (
            json!({ "rst_stream": true, "code": "refused-stream", "effect": false }),
            "RST_STREAM REFUSED_STREAM",
            0,
            true,
        ),
        (
            json!({ "rst_stream": "before-reading", "code": "http-1-1-required" }),
            "RST_STREAM HTTP_1_1_REQUIRED",
            0,
            true,
        ),
        (with(json!({ "rst_stream": "mid-body" })), "200 OK abc RST_STREAM CANCEL", 0, true),
        (with(json!({ "rst_stream": "after-reply" })), "200 OK abcdef RST_STREAM CANCEL", 0, true),
        (
            with(json!({ "rst_stream": "after-reply", "framing": "trailers", "code": "no-error" })),
            "200 OK abcdef RST_STREAM NO_ERROR",
            0,
            true,
        ),
        (with(json!({ "hang": "after-reply" })), "200 abcdef", 0, true),
        (json!({ "goaway": true, "effect": true }), "connection", 1, false),
        (
            json!({ "goaway": true, "last_stream": "earlier", "effect": false }),
            "GOAWAY NO_ERROR",
            0,
            false,
        ),
        (
            json!({ "goaway": true, "code": "enhance-your-calm", "last_stream": "earlier", "effect": true }),
            "GOAWAY ENHANCE_YOUR_CALM",
            1,
            false,
        ),
        (with(json!({ "goaway": "mid-body" })), "200 OK abc connection", 0, false),
        (with(json!({ "goaway": "after-reply" })), "200 abcdef", 0, false),
        (json!({ "close": true, "effect": true }), "connection", 1, false),
        (json!({ "close": "mid-head", "effect": true }), "connection", 1, false),
        (with(json!({ "close": "mid-body" })), "200 OK abc connection", 0, false),
        (with(json!({ "reset": "after-reply" })), "200 abcdef", 0, false),
        (json!({ "reset": true, "effect": true }), "connection", 1, false),
        (
            json!({ "raw": "HTTP/1.1 200 OK\r\n\r\n", "effect": true }),
            "noticed FRAME_SIZE_ERROR",
            1,
            false,
        ),
        (with(json!({})), "200 abcdef", 0, true),
        (with(json!({ "drip": { "bytes": 1, "every_ms": 1 } })), "200 abcdef", 0, true),
        (with(json!({ "content_length": 9 })), "200 OK  noticed PROTOCOL_ERROR", 0, true),
        (with(json!({ "framing": "chunked" })), "200 abcdef", 0, true),
        (with(json!({ "framing": "until-close" })), "200 abcdef", 0, true),
        (with(json!({ "framing": "trailers" })), "200 abcdef FAILED", 0, true),
        (
            with(json!({ "framing": "unfinished-chunks" })),
            "200 OK abc RST_STREAM PROTOCOL_ERROR",
            0,
            true,
        ),
        (with(json!({ "headers": { "connection": "close" } })), "200 abcdef", 0, true),
        (with(json!({ "status": 204 })), "204 ", 0, true),
        (
            with(json!({ "body": { "text": " ", "times": 300_000 }, "truncate": 200_000 })),
            "200 200000",
            0,
            true,
        ),
    ];
    for (key, (act, expect, captures, lives)) in (1..).zip(rows) {
        let order = server.create_order(money("1.00"));
        let mut client = Client::logged_in(&server);
        script(&server, &act);
        let body = capture_body(order, key, "1.00");
        let seen = match client.post("/v1/capture", body.clone()) {
            Err(seen) => seen,
            Ok((response, body)) => {
                let body = match body.len() {
                    0..100 => String::from_utf8_lossy(&body).into_owned(),
                    length => length.to_string(),
                };
                let trailer = response.headers().get("status").map(|_| " FAILED");
                format!("{} {body}{}", response.status().as_u16(), trailer.unwrap_or_default())
            }
        };
        assert_eq!(seen, expect, "{act}");
        assert_eq!(server.ledger().captures(order), captures, "{act}");
        let again = client.post("/v1/capture", body);
        assert_eq!(again.is_ok(), lives, "{act}: {again:?}");
    }
    assert_eq!(server.rules(), Script::default());
}

#[test]
fn streams_do_not_wait_for_each_other() {
    let server = tls::server();
    let mut client = Client::logged_in(&server);
    let token = client.token.clone();
    let [slow, quick] = [0; 2].map(|_| server.create_order(money("1.00")));
    // One hangs, one is delayed for an hour; the connection serves on.
    server.script(Script::delayed(Duration::from_secs(3600)).order(slow));
    let request = || {
        Request::post("https://localhost/v1/capture")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(())
            .unwrap()
    };
    let mut requests = client.requests.clone();
    let (held, mut stream) = requests.send_request(request(), false).unwrap();
    stream.send_data(capture_body(slow, 1, "1.00").into(), true).unwrap();
    let hang =
        json!({ "rules": [{ "do": { "hang": true, "effect": true }, "on": { "order": quick } }] });
    server.script(Script::from_json(&hang.to_string()).unwrap());
    let (hung, mut stream) = requests.send_request(request(), false).unwrap();
    stream.send_data(capture_body(quick, 2, "1.00").into(), true).unwrap();
    let mut turns = 0..10_000;
    while server.ledger().entries().len() < 2 {
        assert!(turns.next().is_some(), "both were captured at once");
        let (response, _) = client.post("/v1/nothing", String::new()).unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }
    drop(server);
    let ends = client.runtime.block_on(async { (held.await, hung.await) });
    assert!(ends.0.is_err() && ends.1.is_err(), "{ends:?}");
}

#[test]
fn without_tls_there_is_no_http2() {
    let server = Sandbox::start();
    assert_eq!((server.authority(), server.authority_pem()), (None, None));
    let mut stream = crate::socket::connect(&server);
    std::io::Write::write_all(&mut stream, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    assert!(crate::socket::reply(&mut stream).0.starts_with("HTTP/1.1 400 "));
}
