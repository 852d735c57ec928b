//! Who may talk to a server: programs that name this machine, and no page of another site.

use std::net::IpAddr;
use std::time::Duration;

use capture_core::wire::json_reply;
use http::uri::Authority;
use http::{HeaderName, Method, Request, StatusCode, header};
use serde_json::json;

use crate::faults::{Action, Reply};

/// The rule for every path, the API's and the control surface's.
///
/// A web page can make a browser send requests here: under a foreign name that resolves to loopback
/// (which `Host` shows), or directly (which `Origin` or `Sec-Fetch-Site` shows). Such a request is
/// refused before anything counts it, so that it spends no rule of a script.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access {
    pub(crate) port: u16,
    /// Whether any host name is allowed. A page must still come from that host.
    pub(crate) remote: bool,
}

impl Access {
    /// The reply to a request that is not answered.
    pub(crate) fn refusal<B>(self, request: &Request<B>) -> Option<Reply> {
        const WHY: &str = "this sandbox answers programs on this machine, and no page of another \
                           site: use a loopback host such as 127.0.0.1 with its own port, or start \
                           it for other machines (--allow-remote)";
        if self.allows(request) {
            return None;
        }
        let response = json_reply(StatusCode::FORBIDDEN, &json!({ "error": WHY }));
        Some(Reply { delay: Duration::ZERO, action: Action::Respond(response) })
    }

    fn allows<B>(self, request: &Request<B>) -> bool {
        let authority = request.uri().authority().map(Authority::as_str);
        let hosts: Vec<_> = values(request, &header::HOST).chain(authority).collect();
        let origins: Vec<_> = values(request, &header::ORIGIN).collect();
        let is_own_page = |origin: &str| {
            let page = origin.strip_prefix("http://").or(origin.strip_prefix("https://"));
            page.is_some_and(|page| {
                is_loopback(page, None) || (self.remote && hosts.iter().all(|host| *host == page))
            })
        };
        let is_own_host = |host: &&str| self.remote || is_loopback(host, Some(self.port));
        let has_own_host = !hosts.is_empty() && hosts.iter().all(is_own_host);
        let is_from_own_page = origins.iter().all(|origin| is_own_page(origin));
        has_own_host
            && is_from_own_page
            && (!origins.is_empty() || is_direct(request) || is_visit(request))
    }
}

/// Whether no page of another origin sends this, as far as the browser says. Other programs say
/// nothing.
fn is_direct<B>(request: &Request<B>) -> bool {
    values(request, &SITE).all(|site| matches!(site, "same-origin" | "none"))
}

/// Whether a person follows a link to the page, which shows what happened and changes nothing.
fn is_visit<B>(request: &Request<B>) -> bool {
    let is_page = matches!(request.uri().path(), "/_sandbox" | "/_sandbox/");
    let navigates = values(request, &MODE).eq(["navigate"]);
    let is_whole = values(request, &DEST).eq(["document"]);
    *request.method() == Method::GET && is_page && navigates && is_whole
}

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

fn values<'r, B>(request: &'r Request<B>, name: &HeaderName) -> impl Iterator<Item = &'r str> {
    let values = request.headers().get_all(name).into_iter();
    values.map(|value| value.to_str().unwrap_or_default())
}

/// Whether it names this machine; where a port is asked for, with that port or none.
fn is_loopback(authority: &str, port: Option<u16>) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else {
        return false;
    };
    if authority.as_str().contains('@') {
        return false;
    }
    let rest = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    let is_port = port.is_none() || rest.is_empty() || authority.port_u16() == port;
    let host = authority.host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_name = host.eq_ignore_ascii_case("localhost");
    is_port && (is_name || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a request with these headers is answered.
    fn allows(remote: bool, method: Method, path: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Access { port: 8787, remote }.allows(&request.body(()).unwrap())
    }

    #[test]
    fn hosts() {
        for (host, is_ours) in [
            ("127.0.0.1", true),
            ("127.0.0.1:8787", true),
            ("127.9.9.9:8787", true),
            ("localhost:8787", true),
            ("LOCALHOST", true),
            ("[::1]:8787", true),
            ("[::1]", true),
            ("127.0.0.1:8788", false),
            ("localhost:80", false),
            ("localhost:99999", false),
            ("evil.example", false),
            ("evil.example:8787", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example:8787", false),
            ("127.0.0.1@evil.example", false),
            ("evil.example@127.0.0.1", false),
            ("0.0.0.0:8787", false),
            ("192.168.0.1", false),
            ("", false),
        ] {
            for path in ["/v1/capture", "/v1/nothing", "/_sandbox/reset"] {
                let found = allows(false, Method::POST, path, &[("host", host)]);
                assert_eq!(found, is_ours, "{host} {path}");
            }
        }
        assert!(!allows(false, Method::GET, "/v1/orders", &[]), "every client names a host");
        assert!(!allows(true, Method::GET, "/v1/orders", &[]));
        assert!(allows(true, Method::GET, "/v1/orders", &[("host", "sandbox:9000")]));
        // An absolute form, and HTTP/2, name the host in the target.
        assert!(allows(false, Method::GET, "http://localhost:8787/v1/orders", &[]));
        let host = [("host", "localhost:8787")];
        assert!(!allows(false, Method::GET, "http://evil.example:8787/v1/orders", &host));
    }

    #[test]
    fn pages() {
        let (origin, site) = ("origin", "sec-fetch-site");
        for (headers, is_ours) in [
            (&[(origin, "http://127.0.0.1:8787")][..], true),
            (&[(origin, "http://localhost:3000"), (site, "same-site")], true),
            (&[(origin, "https://localhost:3000"), (site, "cross-site")], true),
            (&[(site, "same-origin")], true),
            (&[(site, "none")], true),
            (&[(origin, "http://evil.example")], false),
            (&[(origin, "http://evil.example"), (site, "same-origin")], false),
            (&[(origin, "null")], false),
            (&[(origin, "")], false),
            (&[(origin, "http://127.0.0.1:8787"), (origin, "http://evil.example")], false),
            (&[(site, "cross-site")], false), // what an image or a form of another site sends
            (&[(site, "same-site")], false),
            (&[(site, "")], false),
        ] {
            let headers = [&[("host", "127.0.0.1:8787")], headers].concat();
            for (method, path) in [(Method::GET, "/v1/orders"), (Method::POST, "/_sandbox/reset")] {
                assert_eq!(allows(false, method, path, &headers), is_ours, "{path} {headers:?}");
            }
        }
        for (origin, is_ours) in
            [("http://sandbox:8787", true), ("http://evil.example", false), ("null", false)]
        {
            let headers = [("host", "sandbox:8787"), ("origin", origin)];
            assert_eq!(allows(true, Method::POST, "/v1/capture", &headers), is_ours, "{origin}");
        }
        let link = [
            ("host", "127.0.0.1:8787"),
            (site, "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert!(allows(false, Method::GET, "/_sandbox/", &link), "a person follows a link");
        assert!(!allows(false, Method::POST, "/_sandbox/", &link));
        assert!(!allows(false, Method::GET, "/v1/orders", &link));
        assert!(!allows(false, Method::GET, "/_sandbox/", &link[..3]), "a frame");
    }
}
