//! The replies that dialogues are made of, as bytes.

use std::io::Write as _;

use crate::fixture::{ORDER, OTHER_ORDER};

/// A reply with this body, its length and its type.
pub fn json(status: u16, body: &str) -> Vec<u8> {
    with(status, "content-type: application/json\r\n", body)
}

/// A reply with these header lines and this body, and its length.
pub fn with(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A head with these lines, and what follows it.
pub fn raw(status_line: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    [format!("{status_line}\r\n{headers}\r\n").as_bytes(), body.as_ref()].concat()
}

/// A chunked reply whose body is these bytes, chunks and all.
pub fn chunked(chunks: impl AsRef<[u8]>) -> Vec<u8> {
    let headers = "content-type: application/json\r\ntransfer-encoding: chunked\r\n";
    raw("HTTP/1.1 200 OK", headers, chunks)
}

pub const SUCCESS: &str = r#"{"status":"SUCCESS","success":true,"errors":[]}"#;

pub fn captured() -> Vec<u8> {
    json(200, SUCCESS)
}

pub fn granted(token: &str) -> Vec<u8> {
    let body = format!(r#"{{"accessToken":"{token}","refreshToken":"canary-refresh-token"}}"#);
    json(200, &body)
}

/// A lookup that asks to come back tomorrow: the client stops and returns its ticket.
pub fn later() -> Vec<u8> {
    with(503, "retry-after: 86400\r\n", "")
}

/// The order with this status.
pub fn order(status: i64) -> Vec<u8> {
    json(200, &order_body(ORDER, status))
}

pub fn other_order(status: i64) -> Vec<u8> {
    json(200, &order_body(OTHER_ORDER, status))
}

/// The person in every order, so that a test can show that nothing of it is kept or logged.
pub const PERSONAL_DATA: [&str; 3] = ["Canary-of-the-Rows", "row@canary.example", "2 Canary Row"];

pub fn order_body(id: &str, status: i64) -> String {
    let person = PERSONAL_DATA.join(", ");
    format!(r#"{{"id":"{id}","status":{status},"person":"{person}"}}"#)
}

/// A page with these items, and whether it says that another follows.
pub fn page(items: &[String], has_next: Option<bool>) -> Vec<u8> {
    let items = items.join(",");
    let next = has_next.map_or_else(String::new, |next| format!(r#","hasNextPage":{next}"#));
    json(200, &format!(r#"{{"orders":[{items}]{next}}}"#))
}

/// The order still waits for its capture.
pub fn waiting() -> Vec<u8> {
    order(5)
}

pub fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(plain).expect("a Vec takes every write");
    gzip.finish().expect("a Vec takes every write")
}
