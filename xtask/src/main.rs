//! The project's own commands: `cargo xtask help` lists them.

mod api;
mod bench;
mod command;
mod lint;
mod mutants;
mod portable;
mod published;
mod restate;
mod skipped;
mod test;
mod wasm;
mod watchdog;
mod weekly;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs};

use command::{ROOT, cargo, command, run};

const HELP: &str = "\
Usage: cargo xtask COMMAND

  test    everything that must pass: unit, property, golden, doc, README and end-to-end tests
  lint    format, clippy and rustdoc without warnings; typos and cargo-deny where installed
  ci      lint, then test
  demo    capture orders against the embedded sandbox, through each transport

  portable        the published crates with Rust 1.85; the core in WebAssembly, without imports
  api [--write]   compares the public API with docs/api, or writes it there

  simulate --exhaustive           every sequence of answers, every server, a crash at every step
  simulate --seeds N [--from N]   random worlds: the real machine against the real sandbox
  simulate --seed N [--mutant M]  one world, with its trace
  vectors                         writes tests/vectors anew
  fuzz --seconds N [TARGET]       fuzzes each target, or one, for N seconds (needs cargo-fuzz)
  bench [--check | --write | --accept]
                                  measures beside other clients; --check is the gate on counts,
                                  with exit code 3 if it could not check everything
  mutants [GROUP]                 breaks the code, line by line: the core, the client, the adapters,
                                  the command, the invariants, or one of them (needs cargo-mutants)
  restate [--kills N] [--seed N] [--broken NAME | --cost]
                                  the walk of docs/fleet.md on a durable-execution engine, and 100
                                  kills of it and of the service amid sends (needs npm, and a network
                                  the first time: the engine is 226 MB, the service takes minutes to
                                  build)
  weekly [--quick]                the full search, 1,000,000 worlds, ten minutes of fuzzing for each
                                  target, and the mutants: hours. Writes the figures into
                                  docs/proofs.md; --quick only shows that each part runs
";

const FUZZ_TARGETS: [&str; 6] = ["machine", "reply", "retry_after", "rows", "ticket", "values"];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => test::test(),
        ["lint"] => lint::lint(),
        ["ci"] => lint::lint().and_then(|()| test::test()),
        ["portable"] => portable::portable(),
        ["api"] => api::api(false),
        ["api", "--write"] => api::api(true),
        ["demo"] => cargo("demo", "run --quiet --locked -p capture-cli -- demo"),
        ["simulate", ref arguments @ ..] => simulate(arguments),
        // These two end with the exit code of what they run; the second one is for cargo to call.
        ["bench", ref arguments @ ..] => match bench::bench(arguments) {
            Ok(code) => return code,
            Err(step) => Err(step),
        },
        ["guard", program, ref arguments @ ..] => match watchdog::guard(program, arguments) {
            Ok(code) => return code,
            Err(step) => Err(step),
        },
        ["vectors"] => simulate(&["--vectors"]),
        ["fuzz", "--seconds", seconds] => {
            FUZZ_TARGETS.iter().try_for_each(|target| fuzz(target, seconds))
        }
        ["fuzz", "--seconds", seconds, target] => fuzz(target, seconds),
        ["mutants"] => mutants::mutants(None),
        ["mutants", group] => mutants::mutants(Some(group)),
        ["restate", ref arguments @ ..] => restate::restate(arguments),
        ["weekly"] => weekly::weekly(false),
        ["weekly", "--quick"] => weekly::weekly(true),
        ["help" | "-h" | "--help"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(step) => {
            eprintln!("xtask: failed: {step}");
            ExitCode::FAILURE
        }
    }
}

fn simulate(arguments: &[&str]) -> Result<(), String> {
    let simulate = "run --quiet --locked --release -p capture-tests --bin simulate --";
    cargo("simulate", &format!("{simulate} {}", arguments.join(" ")))
}

fn fuzz(target: &str, seconds: &str) -> Result<(), String> {
    run(&format!("fuzz {target}"), fuzzing(target, seconds)?)
}

fn fuzzing(target: &str, seconds: &str) -> Result<Command, String> {
    // The first folder gets what is found; the inputs that are part of the project stay as they are.
    let (found, known) = (format!("fuzz/target/corpus/{target}"), format!("fuzz/corpus/{target}"));
    let (found, known) = (Path::new(ROOT).join(found), Path::new(ROOT).join(known));
    fs::create_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
    let mut command = command("cargo", &format!("fuzz run {target}"));
    command.args([found, known]).args(["--", "-print_final_stats=1"]);
    command.arg(format!("-max_total_time={seconds}"));
    // The sanitizers' flags are nightly's; the stable compiler takes them when told to.
    command.env("RUSTC_BOOTSTRAP", "1");
    Ok(command)
}
