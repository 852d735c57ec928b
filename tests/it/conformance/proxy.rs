//! Proxies in the environment divert nothing (A8). The environment belongs to the process, so this
//! runs in a child: the same test again, under variables that point to a trap.

use std::process::{Command, Output};

use super::drivers::Driver;
use super::rows::setup;
use super::tls::Authority;
use super::wire::{Script, Server};
use super::{capture, secrets};

/// Set in the child.
const CHILD: &str = "CAPTURE_CONFORMANCE_CHILD";

pub(crate) fn check<D: Driver>(module: &str) {
    if is_child() {
        return requests::<D>();
    }
    let trap = Server::start(Script::default());
    let mut child = again(module, "proxies_in_the_environment_do_not_divert");
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

/// One capture over plain HTTP and one over TLS, to servers that must hear of them.
fn requests<D: Driver>() {
    let plain = Server::start(Script::default());
    let outcome = D::new(setup(&format!("http://{}", plain.address()), false)).capture(&capture());
    assert_eq!(outcome.name(), "captured", "{outcome:?}");
    assert_eq!(plain.seen().len(), 2);

    let authority = Authority::new();
    let tls = Server::with(Script::default(), Some(authority.server(&["http/1.1"])), None);
    let outcome = D::new(setup(&format!("https://{}", tls.address()), true)).capture(&capture());
    assert_eq!(outcome.code(), "never_sent", "nobody trusts this authority: {outcome:?}");
    assert_eq!(tls.connections(), 1);
}

pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// This test binary again, for one test of this module only.
pub(crate) fn again(module: &str, test: &str) -> Command {
    // The harness names a test without the name of its crate.
    let module = module.split_once("::").map_or(module, |(_, path)| path);
    let mut child = Command::new(std::env::current_exe().expect("a path"));
    child.args(["--exact", &format!("{module}::{test}"), "--nocapture"]).env(CHILD, "1");
    child
}

/// Runs a child to its end, which must be a good one; what it printed.
pub(crate) fn succeeds(child: &mut Command) -> String {
    let Output { status, stdout, stderr } = child.output().expect("the child starts");
    let text = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    secrets::search("a child", &text);
    assert!(status.success(), "{}", text.get(text.len().saturating_sub(4000)..).unwrap_or(&text));
    assert!(text.contains("1 passed"), "the child ran nothing: {text}");
    text
}
