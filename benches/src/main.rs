//! `capture-bench`: measures and prints. `--write` also writes the documentation, `--check` is the
//! gate alone, with the exit code of its verdict, `--accept` makes a new baseline for it.

use std::process::ExitCode;

use capture_bench::children::{self, ServerProcess};
use capture_bench::gate::{self, Verdict};
use capture_bench::results::Results;
use capture_bench::{clients, goals, growth, report, server, suite};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => measure(|_| Ok(())),
        ["--write"] => measure(|results| report::write(results).map_err(|error| error.to_string())),
        ["--check"] => match check() {
            Ok(verdict) => return ExitCode::from(verdict as u8),
            Err(why) => Err(why),
        },
        ["--accept"] if !children::has_valgrind() => Err("a baseline needs valgrind".into()),
        ["--accept"] => gate::accept(&counted()),
        // What follows is for the program itself: see `children`.
        ["serve"] => {
            server::serve();
            Ok(())
        }
        ["repeat", name, count, endpoint] => repeat(name, count, endpoint),
        ["grow", name, in_flight, total, endpoint] => match (in_flight.parse(), total.parse()) {
            (Ok(in_flight), Ok(total)) => {
                growth::run(name, in_flight, total, endpoint);
                Ok(())
            }
            _ => Err("grow NAME IN_FLIGHT TOTAL ENDPOINT".into()),
        },
        _ => Err("usage: capture-bench [--write | --check | --accept]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("capture-bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn measure(then: impl Fn(&Results) -> Result<(), String>) -> Result<(), String> {
    if !children::has_valgrind() {
        eprintln!("capture-bench: NOT MEASURED: instructions (valgrind is not installed)");
    }
    let results = Results::measured(&ServerProcess::start());
    println!("{}", report::page(&results));
    then(&results)
}

fn check() -> Result<Verdict, String> {
    let results = counted();
    let findings = gate::check(&results)?;
    println!("{}", report::goal_table(&goals::counts(&results)));
    for what in &findings.not_checked {
        println!("NOT CHECKED: {what}");
    }
    for what in &findings.faults {
        println!("WORSE: {what}");
    }
    let verdict = findings.verdict(std::env::var_os("CI").is_some());
    println!("The gate: {verdict}");
    Ok(verdict)
}

/// What the gate counts.
fn counted() -> Results {
    Results::counted(&ServerProcess::start(), clients::is_gated)
}

fn repeat(name: &str, count: &str, endpoint: &str) -> Result<(), String> {
    let count: u32 = count.parse().map_err(|_| "repeat NAME COUNT ENDPOINT")?;
    let mut benchmark =
        suite::find(name, endpoint).ok_or_else(|| format!("there is no benchmark {name}"))?;
    for _ in 0..count {
        (benchmark.once)();
    }
    Ok(())
}
