//! The health port: two pages for programs on this machine, in a thread of its own. Every caller is a
//! stranger: requests are bounded in size, time and number, and nothing that they say is shown.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use capture_core::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST};
use capture_core::http::uri::Authority;
use capture_core::http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::config::BadInput;

/// What is answered at a path.
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) text: String,
}

/// Further connections are closed at once.
const MOST_CONNECTIONS: usize = 16;

/// A connection has one request, and so much time for it and its answer.
const LONGEST: Duration = Duration::from_secs(10);

const MOST_BYTES: usize = 8 * 1024;

const MOST_HEADERS: usize = 64;

/// Takes the address, so that one that is in use is known before anything is sent.
pub(super) fn bind(address: &str) -> Result<std::net::TcpListener, BadInput> {
    let refuse = |why: &str| BadInput::new("health", format!("health {address}: {why}"));
    let parsed: SocketAddr = address
        .parse()
        .map_err(|_| refuse("must be an address and a port, such as 127.0.0.1:9184"))?;
    if !parsed.ip().is_loopback() {
        return Err(refuse(
            "must be a loopback address, such as 127.0.0.1:9184: the port asks nobody who they are. \
             To read it from elsewhere, put a proxy that does in front of it",
        ));
    }
    let listener = std::net::TcpListener::bind(parsed).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.map_err(|error| refuse(&format!("cannot be listened at: {error}")))
}

/// Serves these pages until the process ends.
pub(super) fn serve(
    listener: std::net::TcpListener,
    pages: impl Fn(&str) -> Option<Page> + Send + Sync + 'static,
) -> io::Result<()> {
    let port = listener.local_addr()?.port();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let work = move || {
        runtime.block_on(async {
            if let Ok(listener) = TcpListener::from_std(listener) {
                accept(listener, port, Arc::new(pages)).await;
            }
        });
    };
    thread::Builder::new().name("health".to_owned()).spawn(work).map(drop)
}

type Pages = dyn Fn(&str) -> Option<Page> + Send + Sync;

async fn accept(listener: TcpListener, port: u16, pages: Arc<Pages>) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Usually there are no file handles left, and only waiting can help.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let pages = Arc::clone(&pages);
        tokio::spawn(async move {
            let _ = timeout(LONGEST, connection(stream, port, &pages)).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, port: u16, pages: &Arc<Pages>) -> hyper::Result<()> {
    let answers = service_fn(|request: Request<Incoming>| {
        let pages = Arc::clone(pages);
        async move {
            // The journal's disk may hang, and the other page must not wait for it.
            let answered = spawn_blocking(move || answer(&request, port, &*pages)).await;
            Ok::<_, Infallible>(answered.unwrap_or_else(|_| Response::default()))
        }
    });
    http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(MOST_BYTES)
        .max_headers(MOST_HEADERS)
        .timer(TokioTimer::new())
        .header_read_timeout(LONGEST)
        .serve_connection(TokioIo::new(stream), answers)
        .await
}

fn answer<B>(
    request: &Request<B>,
    port: u16,
    pages: &(impl Fn(&str) -> Option<Page> + ?Sized),
) -> Response<Full<Bytes>> {
    let plain = |status, text: &str| Page {
        status,
        content_type: "text/plain; charset=utf-8",
        text: format!("{text}\n"),
    };
    let is_known = matches!(request.uri().path(), "/health" | "/metrics");
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let page = if !names_this_machine(request, port) {
        plain(StatusCode::FORBIDDEN, "this port answers requests to a loopback host only")
    } else if is_known && !is_read {
        plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD")
    } else {
        let page = is_known.then(|| pages(request.uri().path())).flatten();
        page.unwrap_or_else(|| plain(StatusCode::NOT_FOUND, "there are /health and /metrics"))
    };
    let mut response = Response::new(Full::new(Bytes::from(page.text)));
    *response.status_mut() = page.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(page.content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    if page.status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

/// Whether the request names this machine. A web page can lead a browser here under a foreign name that
/// resolves to loopback.
fn names_this_machine<B>(request: &Request<B>, port: u16) -> bool {
    let hosts = request.headers().get_all(HOST).into_iter();
    let hosts: Vec<_> = hosts.map(|host| host.to_str().unwrap_or_default()).collect();
    let target = request.uri().authority().map(Authority::as_str);
    hosts.len() == 1 && hosts.into_iter().chain(target).all(|host| is_loopback(host, port))
}

fn is_loopback(host: &str, port: u16) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    // A user before the name is no host of anybody's.
    let Some(rest) = host.strip_prefix(name) else { return false };
    let is_port = rest.is_empty() || authority.port_u16() == Some(port);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_name = name.eq_ignore_ascii_case("localhost");
    is_port && (is_name || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: &str, target: &str, hosts: &[&str]) -> u16 {
        let mut request = Request::builder().method(method).uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let page = |_: &str| {
            Some(Page { status: StatusCode::OK, content_type: "text/plain", text: String::new() })
        };
        answer(&request.body(()).unwrap(), 9184, &page).status().as_u16()
    }

    #[test]
    fn only_this_machine_reads_and_nobody_writes() {
        for (host, expect) in [
            ("127.0.0.1:9184", 200),
            ("127.0.0.1", 200),
            ("localhost:9184", 200),
            ("LOCALHOST", 200),
            ("[::1]:9184", 200),
            ("127.0.0.1:9185", 403),
            ("evil.example", 403),
            ("evil.example:9184", 403),
            ("localhost.evil.example", 403),
            ("127.0.0.1@evil.example", 403),
            ("evil.example@127.0.0.1:9184", 403),
            ("192.168.0.1:9184", 403),
            ("0.0.0.0:9184", 403),
            ("", 403),
        ] {
            assert_eq!(status("GET", "/health", &[host]), expect, "{host}");
        }
        assert_eq!(status("GET", "/health", &[]), 403);
        assert_eq!(status("GET", "/health", &["localhost", "localhost"]), 403);
        assert_eq!(status("GET", "http://evil.example/health", &["localhost"]), 403);
        for (method, target, expect) in [
            ("HEAD", "/metrics", 200),
            ("GET", "/metrics?name=1", 200),
            ("POST", "/health", 405),
            ("DELETE", "/metrics", 405),
            ("OPTIONS", "/health", 405),
            ("GET", "/", 404),
            ("GET", "/health/", 404),
            ("POST", "/", 404),
        ] {
            assert_eq!(status(method, target, &["localhost"]), expect, "{method} {target}");
        }
    }

    #[test]
    fn other_machines_are_refused() {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9184", "localhost", "9184", ""] {
            assert!(bind(address).is_err(), "{address}");
        }
        assert!(bind("127.0.0.1:0").is_ok());
    }
}
