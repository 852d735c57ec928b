//! What a sandbox takes in memory: for orders that wait, and once each of them is captured.
//!
//! `cargo run --release -p capture-sandbox --example million -- 1000000` (Linux)

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use capture_core::{Capture, IdempotencyKey, wire};
use capture_sandbox::{Sandbox, Settings};
use http::Request;

fn main() {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    // A token for longer than the captures take.
    let lifetime = Duration::from_secs(24 * 60 * 60);
    let mut sandbox = Sandbox::new(Settings { token_lifetime: lifetime, ..Settings::default() });
    let now = SystemTime::now();
    let before = resident();
    let began = Instant::now();
    let mut orders = Vec::new();
    while orders.len() < count {
        let next = 10_000.min(count - orders.len());
        let drawn = sandbox.draw_orders(next, None, now);
        orders.extend(drawn.iter().map(|drawn| (drawn.order, drawn.money)));
    }
    let ours = orders.capacity() * size_of_val(&orders[0]);
    tell("waiting", count, began, before, ours);

    let began = Instant::now();
    let token = login(&mut sandbox, now);
    for (order, money) in &orders {
        let capture = Capture::new(*order, *money, IdempotencyKey::for_order(*order));
        let request = Request::post("/v1/capture")
            .header("host", "localhost")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(wire::capture::body(&capture));
        let reply = sandbox.handle(&request.expect("a request"), now);
        let status = reply.response().map(http::Response::status);
        assert_eq!(
            status,
            Some(http::StatusCode::OK),
            "after {} captures",
            sandbox.ledger().entries().len()
        );
    }
    assert_eq!(sandbox.ledger().entries().len(), count);
    tell("captured", count, began, before, ours);
    let began = Instant::now();
    let summary = sandbox.summary(now);
    println!("{summary:?} in {:?}", began.elapsed());
}

fn login(sandbox: &mut Sandbox, now: SystemTime) -> String {
    let Settings { app_key, app_secret, .. } = Settings::default();
    let body = format!(r#"{{"AppKey":"{app_key}","AppSecret":"{app_secret}"}}"#);
    let request = Request::post("/v1/oauth2/token")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Bytes::from(body));
    let reply = sandbox.handle(&request.expect("a request"), now);
    let grant = wire::token::read_reply(reply.response().expect("a reply")).expect("a grant");
    grant.token.expose().to_owned()
}

fn tell(what: &str, count: usize, began: Instant, before: [usize; 2], ours: usize) {
    let [now, most] = resident().map(|bytes| bytes.saturating_sub(before[0] + ours) / count);
    let took = began.elapsed();
    println!("{count} orders {what}: {now} bytes each, {most} at the most, in {took:?}");
}

/// The memory that this process has now, and the most that it ever had.
fn resident() -> [usize; 2] {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    ["VmRSS:", "VmHWM:"].map(|name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
        let kib = line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number");
        kib * 1024
    })
}
