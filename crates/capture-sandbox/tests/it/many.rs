//! Many HTTP/2 requests at once: what a client abandons does not block others.

use std::time::Duration;

use bytes::Bytes;
use capture_sandbox::Script;
use http::{Request, StatusCode};
use serde_json::json;
use tokio::time::timeout;

use crate::http2::Client;
use crate::tls;
use crate::world::{capture_body, money};

#[test]
fn abandoned_requests_make_room_for_others() {
    let server = tls::server();
    let mut client = Client::new(&server);
    for act in [
        json!({ "hang": true, "effect": true }),
        json!({ "hang": "mid-body", "effect": true }),
        json!({ "hang": "before-reading" }),
        json!({ "hang": "after-reply", "effect": true }),
        json!({ "delay_ms": 3_600_000 }),
        json!({ "drip": { "bytes": 1, "every_ms": 60_000 } }),
    ] {
        let rule = json!({ "on": { "operation": "capture" }, "times": "always", "do": act });
        let written = json!({ "rules": [rule] }).to_string();
        server.script(Script::from_json(&written).unwrap());
        for turn in 0..110 {
            let mut requests = client.requests.clone();
            let request = Request::post("https://localhost/v1/capture").body(()).unwrap();
            let (response, mut body) = requests.send_request(request, false).unwrap();
            body.send_data("{}".into(), true).unwrap();
            // It is with the server when this one, sent later, is answered.
            let answer = client.post("/v1/nothing", String::new()).map(|(reply, _)| reply.status());
            assert_eq!(answer, Ok(StatusCode::NOT_FOUND), "{act}: request {turn}");
            drop((response, body));
        }
        server.clear_script();
    }
}

#[test]
fn arriving_bodies_are_bounded_over_all_connections() {
    let server = tls::server();
    let mut client = Client::logged_in(&server);
    let order = server.create_order(money("1.00"));
    let request = |token: &str| {
        Request::post("https://localhost/v1/capture")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(())
            .unwrap()
    };
    // What was sent before this is with the server when this is answered.
    let sync = |client: &mut Client| {
        let request = Request::get("https://localhost/v1/nothing").body(()).unwrap();
        assert_eq!(client.send(request, Bytes::new()).unwrap().0.status(), 404);
    };
    let mut held: Vec<_> = (0..4).map(|_| (Client::new(&server), Vec::new())).collect();
    for (client, streams) in &mut held {
        for _ in 0..64 {
            streams.push(client.requests.send_request(request(""), false).unwrap());
        }
        sync(client);
    }
    let (answer, mut stream) = client.requests.send_request(request(&client.token), false).unwrap();
    stream.send_data(capture_body(order, 1, "1.00").into(), true).unwrap();
    sync(&mut client);
    assert_eq!(server.ledger().captures(order), 0, "256 are before it");
    let (holder, streams) = &mut held[0];
    drop(streams.pop());
    sync(holder);
    let silence = Duration::from_secs(20);
    let answer = client.runtime.block_on(async { timeout(silence, answer).await }).unwrap();
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
    assert_eq!(server.ledger().captures(order), 1);
}
