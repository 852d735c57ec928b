//! Who may use the control surface.

use std::net::IpAddr;

use bytes::Bytes;
use http::uri::Authority;
use http::{Request, header};

/// Whether the request names this machine as its host, and does not come from another site's page.
///
/// A web page can make a browser send requests here: under a foreign name that resolves to loopback
/// (which `Host` shows), or directly (which `Origin` shows). With `remote` any host name is allowed,
/// but a page must still come from that host.
pub(super) fn is_allowed(request: &Request<Bytes>, remote: bool) -> bool {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let host = header(header::HOST).or(request.uri().authority().map(Authority::as_str));
    let is_host = |authority: &str| is_loopback(authority) || remote;
    let is_own = header(header::ORIGIN).is_none_or(|origin| {
        let authority = origin.strip_prefix("http://").or(origin.strip_prefix("https://"));
        authority
            .is_some_and(|authority| is_loopback(authority) || (remote && Some(authority) == host))
    });
    host.is_some_and(is_host) && is_own
}

fn is_loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else {
        return false;
    };
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}
