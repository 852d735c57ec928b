//! `cargo xtask bench`: builds the measuring program in its own workspace, then runs it.

use std::process::{Command, ExitCode};

use crate::command::{command, exit_code, run};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches");

/// Measures; the arguments (`--check`, `--write`, `--accept`) and the exit code are the program's own.
pub(crate) fn bench(arguments: &[&str]) -> Result<ExitCode, String> {
    let mut build = command("cargo", "build --quiet --locked --release --target-dir target");
    if !matches!(arguments, ["--check" | "--accept"]) {
        build.args(["--features", "peers"]); // the gate does without what takes minutes to build
    }
    build.current_dir(WORKSPACE);
    run("build the bench", build)?;
    if arguments == ["--check"] {
        let mut tests =
            command("cargo", "test --quiet --locked --release --target-dir target --lib");
        tests.current_dir(WORKSPACE);
        run("the gate's own tests", tests)?;
    }
    eprintln!("xtask: bench");
    let mut bench = Command::new(format!("{WORKSPACE}/target/release/capture-bench"));
    let status = bench.args(arguments).status().map_err(|error| format!("bench: {error}"))?;
    Ok(exit_code(status))
}
