//! Runs this test binary again for a single test, which needs a process of its own.

use std::process::{Command, Output};

use super::canaries;

/// Set in the child.
const CHILD: &str = "CAPTURE_CONFORMANCE_CHILD";

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

/// Runs a child, which must succeed, and returns what it printed.
pub(crate) fn succeeds(child: &mut Command) -> String {
    let Output { status, stdout, stderr } = child.output().expect("the child starts");
    let text = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    canaries::search("a child", &text);
    assert!(status.success(), "{}", text.get(text.len().saturating_sub(4000)..).unwrap_or(&text));
    assert!(text.contains("1 passed"), "the child ran nothing: {text}");
    text
}
