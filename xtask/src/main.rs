//! The project's own commands: `cargo xtask test`, `lint`, `demo`.

mod bench;

use std::env;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

const HELP: &str = "\
Usage: cargo xtask COMMAND

  test    everything that must pass: unit, property, golden, doc, README and end-to-end tests
  lint    format, clippy and rustdoc without warnings; typos and cargo-deny where installed
  ci      lint, then test
  demo    capture orders against the embedded sandbox, through each transport

  simulate --exhaustive           every sequence of answers, every server, a crash at every step
  simulate --seeds N [--from N]   random worlds: the real machine against the real sandbox
  simulate --seed N [--mutant M]  one world, with its trace
  vectors                         writes tests/vectors anew
  fuzz --seconds N [TARGET]       fuzzes each target, or one, for N seconds (needs cargo-fuzz)
  bench [--check | --write | --accept]
                                  measures beside other clients; --check is the gate on counts
  mutants                         breaks verdict and machine, line by line (needs cargo-mutants)
";

const FUZZ_TARGETS: [&str; 5] = ["machine", "reply", "retry_after", "ticket", "values"];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => test(),
        ["lint"] => lint(),
        ["ci"] => lint().and_then(|()| test()),
        ["demo"] => cargo("demo", "run --quiet --locked -p capture-cli -- demo"),
        ["simulate", ref arguments @ ..] => simulate(arguments),
        ["bench", ref arguments @ ..] => bench::bench(arguments),
        ["vectors"] => simulate(&["--vectors"]),
        ["fuzz", "--seconds", seconds] => {
            FUZZ_TARGETS.iter().try_for_each(|target| fuzz(target, seconds))
        }
        ["fuzz", "--seconds", seconds, target] => fuzz(target, seconds),
        ["mutants"] => cargo(
            "mutants",
            "mutants --package capture-core --file crates/capture-core/src/machine.rs \
             --file crates/capture-core/src/verdict.rs -- --lib --test it",
        ),
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

/// The sanitizers' flags are nightly's; the stable compiler takes them when told to.
fn fuzz(target: &str, seconds: &str) -> Result<(), String> {
    let arguments = format!("fuzz run {target} -- -max_total_time={seconds} -print_final_stats=1");
    let mut command = command("cargo", &arguments);
    command.env("RUSTC_BOOTSTRAP", "1");
    run(&format!("fuzz {target}"), command)
}

fn test() -> Result<(), String> {
    let began = Instant::now();
    // The optional parts first: they only have to compile.
    for adapter in ["capture-reqwest", "capture-ureq", "capture-hyper"] {
        for features in ["", "platform-verifier,random"] {
            let check = format!("check --quiet --locked -p {adapter} --no-default-features");
            let title = format!("{adapter} with features [{features}]");
            cargo(&title, &format!("{check} --features={features}"))?;
        }
    }
    cargo(
        "sandbox without TLS",
        "check --quiet --locked -p capture-sandbox --no-default-features",
    )?;
    cargo("unit, property, golden, end to end", "test --locked --workspace --all-targets")?;
    cargo("documentation and README", "test --locked --workspace --doc")?;
    eprintln!("xtask: all passed in {} s", began.elapsed().as_secs());
    Ok(())
}

fn lint() -> Result<(), String> {
    cargo("format", "fmt --all --check")?;
    for workspace in ["benches", "benches/probes"] {
        let check = format!("fmt --manifest-path {workspace}/Cargo.toml --check");
        cargo(&format!("format of {workspace}"), &check)?;
    }
    // They depend on the crates here, so that a change of those can leave their lock files behind.
    for workspace in ["benches", "benches/probes", "fuzz"] {
        let tree =
            format!("tree --quiet --locked --manifest-path {workspace}/Cargo.toml --depth 0");
        cargo(&format!("lock file of {workspace}"), &tree)?;
    }
    cargo("clippy", "clippy --locked --workspace --all-targets --all-features -- -D warnings")?;
    run("rustdoc", {
        let mut command = command("cargo", "doc --locked --workspace --no-deps --all-features");
        command.env("RUSTDOCFLAGS", "-D warnings");
        command
    })?;
    optional("typos", "typos", "--version", "")?;
    optional("cargo-deny", "cargo", "deny --version", "deny check bans licenses sources")
}

/// Runs a tool that a fresh machine lacks; says so instead where it is not installed.
fn optional(title: &str, program: &str, probe: &str, arguments: &str) -> Result<(), String> {
    let probe = command(program, probe).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if probe.is_ok_and(|status| status.success()) {
        return run(title, command(program, arguments));
    }
    eprintln!("xtask: SKIPPED {title}: it is not installed here");
    Ok(())
}

fn cargo(title: &str, arguments: &str) -> Result<(), String> {
    run(title, command("cargo", arguments))
}

fn command(program: &str, arguments: &str) -> Command {
    // Cargo names itself for the programs that it runs.
    let program = if program == "cargo" {
        env::var("CARGO").unwrap_or("cargo".into())
    } else {
        program.into()
    };
    let mut command = Command::new(program);
    command.args(arguments.split_whitespace());
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    command
}

fn run(title: &str, mut command: Command) -> Result<(), String> {
    eprintln!("xtask: {title}");
    let status = command.status().map_err(|error| format!("{title}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{title} ({status})")) }
}
