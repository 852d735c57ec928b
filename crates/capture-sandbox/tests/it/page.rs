//! The page: what it says, that foreign text is escaped, and how a browser shows it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use capture_core::OrderStatus;
use capture_sandbox::{
    Claimed, Handshake, NewOrder, PERSONAL_DATA, Sandbox, Script, Server, Settings,
};
use http::{Method, Response};

use crate::socket::{capture, connect, login, post, reply};
use crate::world::{World, capture_body, money, respond};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn page(world: &mut World) -> Response<bytes::Bytes> {
    let mut request = world.request(Method::GET, "/_sandbox/", "");
    request.headers_mut().insert("accept", BROWSER.parse().unwrap());
    respond(world.send(&request))
}

fn html(world: &mut World) -> String {
    String::from_utf8(page(world).body().to_vec()).unwrap()
}

#[test]
fn a_browser_gets_the_page_and_a_program_the_list() {
    let mut world = World::new();
    let page = page(&mut world);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(page.headers()["cache-control"], "no-store");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    let list = world.get("/_sandbox/");
    assert!(list.headers()["content-type"].to_str().unwrap().starts_with("application/json"));
}

#[test]
fn the_page_runs_and_loads_nothing_but_its_own_style() {
    let mut world = World::new();
    let page = page(&mut world);
    let html = std::str::from_utf8(page.body()).unwrap();
    let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = ring::digest::digest(&ring::digest::SHA256, style.as_bytes());
    let hash = BASE64_STANDARD.encode(hash);
    assert_eq!(
        page.headers()["content-security-policy"],
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    );
    for never in ["<script", "<link", "<img", "style=", "@import", "url(", "http://", "https://"] {
        assert!(!html.contains(never), "{never}");
    }
    for once in ["<!doctype html>", "<html lang=\"en\">", "name=\"viewport\"", "<main>", "</html>"]
    {
        assert_eq!(html.matches(once).count(), 1, "{once}");
    }
    assert!(style.contains("prefers-color-scheme: dark") && style.contains("max-width: 46rem"));
}

#[test]
fn what_the_page_says() {
    let mut world = World::with(Settings { guard: false, ..Settings::default() });
    assert!(html(&mut world).contains("Nothing has been claimed yet"));
    let (paid, twice) = (world.order("100.00"), world.order("7.50"));
    let short = NewOrder::new(money("2.00")).window(Duration::from_secs(3_661));
    let short = world.sandbox.create_order(short, world.now);
    world.sandbox.script(Script::lost_reply().then(Script::status(503).times(4).skip(3)));
    world.sandbox.script(Script::handshake(Handshake::Expired, 2));
    world.sandbox.script(Script::status(200).path("/v1/sites/*"));
    let _ = world.capture(paid, 1, "100.00");
    for (order, key, amount) in
        [(paid, 1, "100.00"), (twice, 2, "7.50"), (twice, 3, "7.50"), (twice, 4, "7.50")]
    {
        let _ = world.capture(order, key, amount);
    }
    assert!(world.sandbox.claim(paid, Claimed::Captured, None, world.now));
    let agreed = html(&mut world);
    assert!(agreed.contains("1 order was captured more than once"), "{agreed}");
    assert!(world.sandbox.claim(paid, Claimed::NotCaptured, Some("checkout"), world.now));
    let shown = html(&mut world);
    for said in [
        "<title>(2) Capture sandbox</title>",
        "1 claim disagrees with the truth, 1 order was captured more than once",
        "checkout reported failed for an order that was captured",
        "this order was captured 2 times",
        "3 orders, 3 captures, 1 login",
        "the next 3 of POST /v1/capture: answered 503 Service Unavailable, not carried out",
        "the next 2 of the TLS handshakes: expired certificate",
        "the next request to /v1/sites/*: answered 200 OK, not carried out",
        "carried out, then closed",
        "captured the money; carried out, then closed",
        "repeated the answer kept under its key",
        "answered 503 Service Unavailable, not carried out",
        "100.00 USD",
        "1 h 1 min",
        "2 times",
        "no reply",
        "POST /v1/capture",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    for order in [paid, twice, short] {
        assert_eq!(shown.matches(&format!("<tr id=\"o-{order}\"")).count(), 1);
    }
    let settings = Settings::default();
    let secrets = [&world.token, &settings.app_key, &settings.app_secret];
    for secret in secrets.map(String::as_str).iter().chain(&PERSONAL_DATA) {
        assert!(!shown.contains(secret), "{secret}");
    }
    assert!(shown.matches("<tr").count() == shown.matches("</tr>").count());
    assert!(shown.matches("<td").count() == shown.matches("</td>").count());
}

#[test]
fn hostile_text_is_escaped() {
    let mut world = World::new();
    let order = world.order("1.00");
    let hostile = r#"<script>alert(1)</script>"'&<b onload=x>"#;
    assert!(world.sandbox.claim(order, Claimed::Captured, Some(hostile), world.now));
    let header = r#"{"rules":[{"do":{"headers":{"x-'a":"<i>"}}}]}"#;
    assert_eq!(world.post("/_sandbox/script", header).status(), 200);
    let _ = world.get("/v1/orders");
    assert!(world.sandbox.claim(order, Claimed::Captured, Some("\u{1b}[2J\u{202e}"), world.now));
    let shown = html(&mut world);
    assert!(shown.contains(
        "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;&lt;b onload=x&gt; reported captured"
    ));
    assert!(shown.contains("header x-&#39;a changed"));
    for never in ["<script", "<b ", "<i>", "\u{1b}", "\u{202e}"] {
        assert!(!shown.contains(never), "{never:?}");
    }
}

#[test]
fn long_lists_are_cut() {
    let mut world = World::new();
    for _ in 0..300 {
        let order = world.order("1.00");
        let _ = world.capture(order, 1, "1.00");
        assert!(world.sandbox.claim(order, Claimed::Captured, None, world.now));
    }
    let shown = html(&mut world);
    assert!(
        shown.contains("300 orders, the last 200") && shown.contains("301 requests, the last 200")
    );
    assert_eq!(shown.matches("<tr id=").count(), 200);
    assert!(shown.len() < 400_000, "{}", shown.len());
}

/// Several orders, several faults, one claim that is wrong.
fn scene() -> Server {
    let server = Sandbox::start();
    let token = login(&server);
    let send = |request: String| {
        let mut stream = connect(&server);
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
    };
    let orders: Vec<_> = ["100.00", "24.90", "1250.00", "8.75", "61.20"]
        .map(|amount| server.create_order(money(amount)))
        .into();
    let send_capture = |order: usize, amount: &str| {
        let body = capture_body(orders[order], u8::try_from(order).unwrap() + 1, amount);
        send(post("/v1/capture", &token, &body));
    };
    send_capture(0, "100.00");
    server.script(Script::lost_reply());
    send_capture(1, "24.90");
    server.script(Script::captured_but(504));
    send_capture(2, "1250.00");
    send_capture(2, "1250.00");
    server.script(Script::preset("frozen-500").unwrap());
    send_capture(3, "8.75");
    send_capture(3, "8.75");
    send(format!(
        "GET /v1/orders/{} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n",
        orders[3]
    ));
    send(capture("expired", orders[4], 9));
    let void = NewOrder::new(money("15.00")).status(OrderStatus::Cancelled);
    let _ = server.create_order(void);
    server.script(Script::preset("slow-lookup").unwrap().then(Script::status(503).times(3)));
    for (order, outcome) in [
        (0, Claimed::Captured),
        (1, Claimed::NotCaptured),
        (2, Claimed::Captured),
        (3, Claimed::Unknown),
    ] {
        assert!(server.claim(orders[order], outcome, Some("checkout")));
    }
    server
}

/// Looked for by the names under which it is packaged.
fn chromium() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok())
}

#[test]
fn a_browser_shows_it() {
    let Some(chromium) = chromium() else {
        crate::skipped("no chromium here, so nobody looked at the page");
        return;
    };
    let server = scene();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, size, more) in [
        ("sandbox", "1180,1270", None),
        ("sandbox-dark", "1180,1270", Some("--blink-settings=preferredColorScheme=0")),
        ("sandbox-phone", "500,1400", None),
    ] {
        let picture = directory.join(format!("{name}.png"));
        let _ = std::fs::remove_file(&picture);
        let profile = directory.join(format!("chromium-{name}-{}", std::process::id()));
        let output = Command::new(chromium)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--hide-scrollbars", "--enable-logging=stderr"])
            .args(more)
            .arg(format!("--window-size={size}"))
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("--screenshot={}", picture.display()))
            .arg(format!("{}/_sandbox/", server.base_url()))
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!log.contains("Content Security Policy"), "{log}");
        let _ = std::fs::remove_dir_all(&profile);
        let bytes = std::fs::read(&picture).unwrap_or_else(|error| panic!("{error}: {log}"));
        assert!(bytes.starts_with(b"\x89PNG\r\n"), "{log}");
        let width = u32::from_be_bytes(bytes[16..20].try_into().unwrap());
        assert_eq!(width.to_string(), size.split(',').next().unwrap());
        assert!(bytes.len() > 20_000, "a blank page? {} bytes", bytes.len());
    }
}

#[test]
fn over_a_socket() {
    let server = Sandbox::start();
    let mut stream = connect(&server);
    let request =
        format!("GET /_sandbox/ HTTP/1.1\r\nhost: localhost\r\naccept: {BROWSER}\r\n\r\n");
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let (head, body) = reply(&mut stream);
    assert!(head.contains("content-type: text/html"), "{head}");
    assert!(body.ends_with("</html>\n"));
}
