//! The health port: what it says, and whom it does not answer.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use capture_sandbox::Script;
use serde_json::json;

use super::service::{Service, Shop};

/// Prometheus' text, read strictly: each sample below its family, no name twice, plain numbers.
fn parsed(text: &str) -> BTreeMap<String, f64> {
    let (mut family, mut samples) = (None, BTreeMap::new());
    assert!(text.ends_with('\n'));
    let is_name = |name: &str| {
        name.starts_with("capture_") && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            assert!(is_name(name) && !help.is_empty(), "{line}");
            let kind = lines.next().unwrap().strip_prefix("# TYPE ").unwrap();
            let (of, kind) = kind.split_once(' ').unwrap();
            assert_eq!(of, name);
            assert!(kind == if name.ends_with("_total") { "counter" } else { "gauge" }, "{line}");
            assert!(!samples.keys().any(|known: &String| known.starts_with(&format!("{name}{{"))));
            family = Some(name);
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        assert_eq!(Some(name), family, "{line}");
        for label in labels.strip_suffix('}').unwrap().split(',').filter(|it| !it.is_empty()) {
            let (label, value) = label.split_once('=').unwrap();
            let value = value.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap();
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'.';
            assert!(label.bytes().all(|b| b.is_ascii_lowercase()), "{line}");
            assert!(!value.is_empty() && value.bytes().all(is_plain), "{line}");
        }
        let value: f64 = value.parse().unwrap();
        assert!(value.is_finite() && value >= 0.0, "{line}");
        assert!(samples.insert(series.to_owned(), value).is_none(), "twice: {line}");
    }
    samples
}

fn metrics(service: &Service) -> BTreeMap<String, f64> {
    let (status, head, body) = service.get("/metrics");
    assert_eq!(status, 200);
    assert!(head.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    parsed(&body)
}

fn total(samples: &BTreeMap<String, f64>, begins: &str) -> f64 {
    samples.iter().filter(|(series, _)| series.starts_with(begins)).map(|(_, value)| value).sum()
}

#[test]
fn the_metrics_say_what_the_ledger_says() {
    let shop = Shop::new("metrics");
    let orders = shop.enqueue(30);
    shop.server.script(Script::lost_reply().skip(4).times(3));
    let service = shop.start(&[]);
    service.wait("all", || {
        metrics(&service).get("capture_open{standing=\"ready\"}") == Some(&0.0)
            && total(&metrics(&service), "capture_open") == 0.0
            && total(&metrics(&service), "capture_outcomes_total{outcome=\"captured\"") == 30.0
    });
    let samples = metrics(&service);
    assert_eq!(shop.captured(&orders), 30);
    assert_eq!(total(&samples, "capture_outcomes_total"), 30.0, "{samples:#?}");
    // One line for each request that the sandbox saw; it saw the lost ones, too.
    let seen = shop.server.transcript().len();
    assert_eq!(total(&samples, "capture_attempts_total"), seen as f64, "{samples:#?}");
    let lost = "capture_attempts_total{operation=\"capture\",phase=\"maybe_sent\",status=\"none\"}";
    assert_eq!(samples.get(lost), Some(&3.0), "{samples:#?}");
    for (series, value) in [
        ("capture_in_flight", 0.0),
        ("capture_in_hand", 0.0),
        ("capture_healthy", 1.0),
        ("capture_unknown_age_seconds", 0.0),
        ("capture_brake{kind=\"none\"}", 1.0),
        ("capture_brake{kind=\"outage\"}", 0.0),
        (concat!("capture_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1.0),
    ] {
        assert_eq!(samples.get(series), Some(&value), "{series}: {samples:#?}");
    }
    assert!(samples["capture_round_age_seconds"] < 5.0, "{samples:#?}");
    assert!(samples["capture_turn_seconds"] < 30.0, "{samples:#?}");
}

#[test]
fn health_is_503_in_an_outage_and_200_after_it() {
    let shop = Shop::new("outage");
    shop.server.script(Script::status(503).times(u32::MAX));
    let service = shop.start(&["--deadline", "1"]);
    let (status, health) = service.health();
    assert_eq!((status, &health["status"]), (200, &json!("ok")), "nothing was sent yet");
    let orders = shop.enqueue(120);
    service.wait("an outage", || service.health().0 == 503);
    let (_, health) = service.health();
    assert_eq!(health["reason"], "the API is out of order", "{health}");
    assert_eq!(health["brake"], "outage", "{health}");
    service.wait("its event", || !service.events("outage").is_empty());
    let samples = metrics(&service);
    assert_eq!(samples["capture_healthy"], 0.0);
    assert_eq!(samples["capture_brake{kind=\"outage\"}"], 1.0);
    let open = |standing| samples[&format!("capture_open{{standing=\"{standing}\"}}")];
    assert!(open("ready") + open("claimed") > 60.0, "it stopped sending: {samples:#?}");
    shop.server.clear_script();
    service.wait("the end of the outage", || service.health().0 == 200);
    service.wait("most of them", || shop.captured(&orders) > 100);
}

/// The port answers programs on this machine that read, and is not held up by anybody.
#[test]
fn strangers_get_nothing() {
    let shop = Shop::new("strangers");
    let service = shop.start(&[]);
    let address = service.address();
    let host = format!("host: {address}\r\n");
    let long = format!("GET /health HTTP/1.1\r\n{host}x: {}\r\n\r\n", "x".repeat(20_000));
    let many = format!("GET /health HTTP/1.1\r\n{host}{}\r\n", "x: y\r\n".repeat(200));
    for (request, expect) in [
        (format!("POST /health HTTP/1.1\r\n{host}content-length: 3\r\n\r\nabc"), 405),
        (format!("DELETE /metrics HTTP/1.1\r\n{host}\r\n"), 405),
        (format!("GET / HTTP/1.1\r\n{host}\r\n"), 404),
        (format!("GET /health/../metrics HTTP/1.1\r\n{host}\r\n"), 404),
        ("GET /health HTTP/1.1\r\nhost: evil.example\r\n\r\n".to_owned(), 403),
        ("GET /health HTTP/1.1\r\n\r\n".to_owned(), 403),
        (long, 431),
        (many, 431),
        ("nonsense\r\n\r\n".to_owned(), 400),
    ] {
        let (status, head, body) = service.ask(&request);
        assert_eq!(status, expect, "{request}: {head}");
        assert_eq!(head.contains("\r\nallow: get, head"), expect == 405, "{head}");
        assert!(!body.contains("status"), "{body}");
    }
    let (status, head, body) = service.ask(&format!("HEAD /health HTTP/1.1\r\n{host}\r\n"));
    assert_eq!((status, body.as_str()), (200, ""), "{head}");
    assert!(head.contains("\r\ncache-control: no-store"), "{head}");
    // One request for each connection.
    let two = format!("GET /health HTTP/1.1\r\n{host}\r\n").repeat(2);
    assert_eq!(service.ask(&two).2.matches("HTTP/1.1").count(), 0);

    // As many as it serves at once say nothing. Others are closed at once, and these after a while.
    let mut silent: Vec<_> = (0..16).map(|_| TcpStream::connect(&address).unwrap()).collect();
    silent.iter_mut().for_each(|it| it.write_all(b"GET /health HT").unwrap());
    service.wait("that it is full", || service.get("/health").0 == 0);
    let orders = shop.enqueue(3);
    service.wait("the work to go on", || shop.captured(&orders) == 3);
    service.wait("that there is room again", || service.get("/health").0 == 200);
    for mut it in silent {
        let mut end = Vec::new();
        let _ = it.read_to_end(&mut end);
        assert!(!end.starts_with(b"HTTP/1.1 200"));
    }
}
