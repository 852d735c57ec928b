//! `cargo xtask lint`: format, clippy, rustdoc, spelling, and what may enter the dependency tree.

use crate::command::{cargo, command, run, run_if_installed};
use crate::published::published;

pub(crate) fn lint() -> Result<(), String> {
    published()?; // each manifest says what a registry shows of it
    cargo("format", "fmt --all --check")?;
    for workspace in
        ["benches", "benches/probes", "examples/restate", "examples/sqlx", "tests/wasm"]
    {
        let check = format!("fmt --manifest-path {workspace}/Cargo.toml --check");
        cargo(&format!("format of {workspace}"), &check)?;
    }
    // They depend on the crates here, so that a change of those can leave their lock files behind.
    for workspace in
        ["benches", "benches/probes", "examples/restate", "examples/sqlx", "fuzz", "tests/wasm"]
    {
        let tree =
            format!("tree --quiet --locked --manifest-path {workspace}/Cargo.toml --depth 0");
        cargo(&format!("lock file of {workspace}"), &tree)?;
    }
    // Only the whole benchmark builds them, which nobody runs for a change.
    let probes = "check --quiet --locked --all-features --manifest-path benches/probes/Cargo.toml";
    cargo("probes of the bench", &format!("{probes} --target-dir target"))?;
    cargo("clippy", "clippy --locked --workspace --all-targets --all-features -- -D warnings")?;
    run("rustdoc", {
        let mut command = command("cargo", "doc --locked --workspace --no-deps --all-features");
        command.env("RUSTDOCFLAGS", "-D warnings");
        command
    })?;
    run_if_installed(
        "typos",
        "typos --version",
        "pip install typos, in the version of .ci/run",
        command("typos", ""),
    )?;
    run_if_installed(
        "cargo-deny",
        "cargo deny --version",
        "cargo install --locked cargo-deny",
        command("cargo", "deny --locked check bans licenses sources"),
    )
}
