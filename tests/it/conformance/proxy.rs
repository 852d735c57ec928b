//! Proxies in the environment are ignored (A8). The environment belongs to the process, so this
//! runs in a child: the same test again, under variables that point to a trap.

use capture_conformance::fixture::{capture, setup};
use capture_conformance::wire::{Dialogue, Server};

use super::authority::Authority;
use super::child::{again, is_child, succeeds};
use super::drivers::Driver;

pub(crate) fn check<D: Driver>(module: &str) {
    if is_child() {
        return requests::<D>();
    }
    let trap = Server::start(Dialogue::default());
    let mut child = again(module, "proxies_in_the_environment_are_ignored");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        let url = format!("http://{}", trap.address());
        child.env(name, &url).env(name.to_lowercase(), &url);
    }
    for name in ["NO_PROXY", "REQUEST_METHOD"] {
        child.env_remove(name).env_remove(name.to_lowercase());
    }
    succeeds(&mut child);
    assert_eq!(trap.connections(), 0, "a request went to the proxy");
}

/// One capture over plain HTTP and one over TLS, to servers that must receive them.
fn requests<D: Driver>() {
    let plain = Server::start(Dialogue::default());
    let outcome = D::new(setup(&format!("http://{}", plain.address()), false)).capture(&capture());
    assert_eq!(outcome.name(), "captured", "{outcome:?}");
    assert_eq!(plain.seen().len(), 2);

    let authority = Authority::new();
    let tls = Server::with(Dialogue::default(), Some(authority.server(&["http/1.1"])), None);
    let outcome = D::new(setup(&format!("https://{}", tls.address()), true)).capture(&capture());
    assert_eq!(outcome.code(), "never_sent", "nobody trusts this authority: {outcome:?}");
    assert_eq!(tls.connections(), 1);
}
