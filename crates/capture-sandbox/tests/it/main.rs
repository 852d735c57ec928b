//! The sandbox from outside: its semantics in virtual time, and its sockets.

mod access;
mod batch;
mod capture;
mod claims;
mod control;
mod docs;
mod fault;
mod hostile;
#[cfg(feature = "tls")]
mod http2;
mod idempotency;
#[cfg(feature = "tls")]
mod many;
mod orders;
mod page;
mod preset;
mod script;
mod socket;
#[cfg(feature = "tls")]
mod tls;
mod token;
mod world;

use std::io::Write as _;

/// Where `cargo xtask test` wants to be told which checks did not run.
const SKIPPED: &str = "CAPTURE_SKIPPED";

/// Says past the harness, which would hide it, that a check did not run. In CI that is a failure.
fn skipped(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "not checked: {why}");
    let _ = std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes());
    if let Some(list) = std::env::var_os(SKIPPED) {
        let list = std::fs::File::options().append(true).create(true).open(list);
        list.unwrap().write_all(format!("{why}\n").as_bytes()).unwrap();
    }
}

#[test]
fn a_check_without_its_program_says_so_and_fails_in_ci() {
    let list = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped.txt");
    let _ = std::fs::remove_file(&list);
    for is_ci in [false, true] {
        let mut without = std::process::Command::new(std::env::current_exe().unwrap());
        without.args(["--exact", "docs::the_walk_with_curl"]);
        without.env("PATH", "").env(SKIPPED, &list).env_remove("CI");
        if is_ci {
            without.env("CI", "true");
        }
        let output = without.output().unwrap();
        assert_eq!(output.status.success(), !is_ci, "{output:?}");
    }
    let told = std::fs::read_to_string(&list).unwrap();
    assert_eq!(told, "no curl here, so its part of docs/sandbox.md was not run\n");
}
