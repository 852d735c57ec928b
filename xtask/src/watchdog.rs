//! A watchdog over each test program: one that hangs is ended and named, so that it cannot hold up
//! everything for ever.

use std::env;
use std::process::{Command, ExitCode, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use crate::command::exit_code;

/// How long a test program may take. The longest one takes about five minutes on two cores where
/// nothing else runs, and more than ten on a busy machine.
const PATIENCE: Duration = Duration::from_secs(25 * 60);

/// How often it looks whether the program has ended.
const GLANCE: Duration = Duration::from_millis(20);

/// Makes `cargo test` start each of its programs through `xtask guard`: cargo knows them, and building
/// them takes nothing of their time. Nobody else's process is ended, and Ctrl-C ends all of them.
pub(crate) fn guard_tests(command: &mut Command) -> Result<(), String> {
    let this = env::current_exe().map_err(|error| format!("xtask's own path: {error}"))?;
    command.arg("--config").arg(format!("target.'cfg(all())'.runner = [{this:?}, \"guard\"]"));
    Ok(())
}

/// Runs this program to its end, or to the end of our patience.
pub(crate) fn guard(program: &str, arguments: &[&str]) -> Result<ExitCode, String> {
    within(PATIENCE, Command::new(program).args(arguments)).map(exit_code)
}

fn within(patience: Duration, command: &mut Command) -> Result<ExitStatus, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| format!("{program}: {error}");
    let (began, mut child) = (Instant::now(), command.spawn().map_err(failed)?);
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok(status);
        }
        if began.elapsed() > patience {
            child.kill().and_then(|()| child.wait()).map_err(failed)?;
            let seconds = patience.as_secs();
            return Err(format!(
                "{program} hung: it did not end within {seconds} s and was killed; see above which \
                 of its tests has been running"
            ));
        }
        thread::sleep(GLANCE);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_ended_and_named() {
        // It would take an hour: that this test ends shows that it was killed.
        let hung = within(Duration::ZERO, Command::new("sleep").arg("3600")).unwrap_err();
        assert!(hung.starts_with("sleep hung: it did not end within 0 s"), "{hung}");
    }

    #[test]
    fn a_program_that_ends_keeps_its_status() {
        for code in [0, 7] {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("exit {code}")]);
            assert_eq!(within(PATIENCE, &mut command).unwrap().code(), Some(code));
        }
        assert!(guard("./no-such-program", &[]).unwrap_err().starts_with("./no-such-program: "));
    }
}
