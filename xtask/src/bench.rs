//! `cargo xtask bench`: builds the measuring program in its own workspace, then runs it.

use std::process::Command;

use crate::command::{command, run};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches");

/// Measures; the arguments (`--check`, `--write`, `--accept`) are the program's own.
pub(crate) fn bench(arguments: &[&str]) -> Result<(), String> {
    let mut build = command("cargo", "build --quiet --locked --release --target-dir target");
    if !matches!(arguments, ["--check" | "--accept"]) {
        build.args(["--features", "peers"]); // the gate does without what takes minutes to build
    }
    build.current_dir(WORKSPACE);
    run("build the bench", build)?;
    let mut bench = Command::new(format!("{WORKSPACE}/target/release/capture-bench"));
    bench.args(arguments);
    run("bench", bench)
}
