//! The asynchronous client over async-h1 and async-io, without tokio:
//! `cargo run -p capture-examples --bin over-async-h1`.

use std::io;
use std::time::{Duration, Instant};

use async_io::Timer;
use async_net::TcpStream;
use capture_client::driver::{CONNECT_TIMEOUT, MAX_BODY, TransportError};
use capture_client::http::{HeaderName, Response, StatusCode};
use capture_client::{Capture, Client, IdempotencyKey, Money, Setup, Transport, wire};
use futures_lite::{AsyncReadExt, FutureExt, future};

/// A connection for each request, which async-h1 neither keeps nor makes (A2, A4). It follows no
/// redirects, knows no proxies and decodes nothing (A1, A6, A8).
struct AsyncH1;

type Reply = Result<wire::Response, TransportError>;

impl Transport for AsyncH1 {
    async fn send(&self, request: wire::Request, timeout: Duration) -> Reply {
        let (began, uri) = (Instant::now(), request.uri().clone());
        let foreign = foreign(&request).map_err(|why| TransportError::not_sent(why.to_string()))?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let tcp = TcpStream::connect((host, uri.port_u16().unwrap_or(80)));
        let tcp = within(began + CONNECT_TIMEOUT.min(timeout), tcp).await; // A5
        let tcp = tcp.map_err(TransportError::not_sent)?; // A4: nothing was written yet
        if uri.scheme_str() == Some("https") {
            return Err(TransportError::cannot_be_sent("this example has no TLS"));
        }
        let reply = within(began + timeout, async_h1::connect(tcp, foreign)).await;
        let mut reply = reply.map_err(|why| TransportError::maybe_sent(why.to_string()))?; // A3

        let status = StatusCode::from_u16(reply.status().into());
        let status = status.map_err(TransportError::maybe_sent)?;
        let each = reply.iter().flat_map(|(name, all)| all.iter().map(move |value| (name, value)));
        // async-h1 makes up a date (a malformed one) and a type where there are none.
        let real = each.filter(|(_, value)| **value != "application/octet-stream");
        let headers = real.filter_map(|(name, value)| {
            Some((name.as_str().parse::<HeaderName>().ok()?, value.as_str().parse().ok()?))
        });
        let (headers, length, mut body) = (headers.collect(), reply.len(), Vec::new());
        let mut limited = reply.take_body().take(MAX_BODY as u64 + 1); // A6
        match within(began + timeout, limited.read_to_end(&mut body)).await {
            Ok(read) if read <= MAX_BODY && length.is_none_or(|length| length == read) => {
                let mut reply = Response::new(body.into());
                (*reply.status_mut(), *reply.headers_mut()) = (status, headers);
                Ok(reply)
            }
            _ => Err(TransportError::in_reply(status, headers, "too long, too late, or cut")), // A7
        }
    }

    async fn sleep(&self, time: Duration) {
        Timer::after(time).await;
    }
}

/// The request in the types of async-h1.
fn foreign(request: &wire::Request) -> http_types::Result<http_types::Request> {
    let url = http_types::Url::parse(&request.uri().to_string())?;
    let mut foreign = http_types::Request::new(request.method().as_str().parse()?, url);
    for (name, value) in request.headers() {
        foreign.append_header(name.as_str(), value.to_str()?);
    }
    if !request.body().is_empty() {
        foreign.set_body(&request.body()[..]);
    }
    Ok(foreign)
}

/// What this comes to, or an error once it is too late.
async fn within<T, E: From<io::Error>>(
    end: Instant,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let late = async {
        Timer::at(end).await;
        Err(io::Error::from(io::ErrorKind::TimedOut).into())
    };
    work.or(late).await
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = capture_sandbox::Sandbox::start();
    let money = Money::parse("100.00", "USD")?;
    let order = sandbox.create_order(money);
    let client = Client::over(Setup::new(&sandbox.environment(), sandbox.credentials()), AsyncH1);
    let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
    let outcome = future::block_on(client.capture(&capture));
    println!("{outcome}");
    assert_eq!((outcome.name(), sandbox.ledger().captures(order)), ("captured", 1));
    Ok(())
}

#[test]
fn async_h1_tells_the_truth() {
    let no_length = "async-h1 takes a reply without a length for one without a body";
    let no_head = "async-h1 refuses such a reply, and hands over nothing of it";
    let interim = "async-h1 takes an interim reply for the reply; it proves nothing";
    capture_conformance::Suite::new()
        .without("18 a body that never closes", no_length)
        .without("25 no length, and the body is whole", no_length)
        .without("26 two lengths", "async-h1 reads up to the last one; it is a cut reply")
        .without("27 a length beside chunks", no_head)
        .without("28 the coding", no_head)
        .without("28 chunks inside of gzip", no_head)
        .without("29 a chunk extension", "async-h1 knows none; it is a cut reply")
        .without("30 ", interim)
        .without("35 HTTP/1.0", no_head)
        .without("38 status 600", no_head)
        .without("38 status 999", no_head)
        .check(|setup| {
            let client = Client::over(setup, AsyncH1);
            move |capture: &Capture| future::block_on(client.capture(capture))
        });
}
