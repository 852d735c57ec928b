//! How the project's commands run other programs.

use std::env;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

/// The folder of the workspace, in which every program runs.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

pub(crate) fn cargo(title: &str, arguments: &str) -> Result<(), String> {
    run(title, command("cargo", arguments))
}

pub(crate) fn command(program: &str, arguments: &str) -> Command {
    // Cargo names itself for the programs that it runs.
    let program = if program == "cargo" {
        env::var("CARGO").unwrap_or("cargo".into())
    } else {
        program.into()
    };
    let mut command = Command::new(program);
    command.args(arguments.split_whitespace());
    command.current_dir(ROOT);
    command
}

pub(crate) fn run(title: &str, mut command: Command) -> Result<(), String> {
    eprintln!("xtask: {title}");
    let status = command.status().map_err(|error| format!("{title}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{title} ({status})")) }
}

/// The code of a program that has ended; one that a signal ended has none.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Runs a command whose program may be missing on a developer's machine: says so there, and fails
/// in CI, where a check that did not run would look like one that passed.
pub(crate) fn run_if_installed(
    title: &str,
    probe: &str,
    install: &str,
    command: Command,
) -> Result<(), String> {
    let (program, arguments) = probe.split_once(' ').unwrap_or((probe, ""));
    let probe = self::command(program, arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if probe.is_ok_and(|status| status.success()) {
        return run(title, command);
    }
    if env::var_os("CI").is_some() {
        return Err(format!("{title}: not installed here; {install}"));
    }
    eprintln!("xtask: SKIPPED {title}: not installed here; {install}");
    Ok(())
}
