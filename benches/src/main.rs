//! `capture-bench`: measures and prints; with `--write` also the documentation, with `--check` only
//! the gate, with `--accept` a new baseline for it.

use std::process::ExitCode;

use capture_bench::children::{self, Server};
use capture_bench::results::Results;
use capture_bench::{check, goals, grow, net, report, rows, server};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => measure(|_| Ok(())),
        ["--write"] => measure(|results| report::write(results).map_err(|error| error.to_string())),
        ["--check"] => gate(),
        ["--accept"] if !children::has_valgrind() => Err("a baseline needs valgrind".into()),
        ["--accept"] => check::accept(&Results::counted(&Server::start(), net::is_gated)),
        // What follows is for the program itself: see `children`.
        ["serve"] => {
            server::serve();
            Ok(())
        }
        ["repeat", name, count, place] => repeat(name, count, place),
        ["grow", name, in_flight, total, place] => match (in_flight.parse(), total.parse()) {
            (Ok(in_flight), Ok(total)) => {
                grow::run(name, in_flight, total, place);
                Ok(())
            }
            _ => Err("grow NAME IN_FLIGHT TOTAL PLACE".into()),
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
    let results = Results::measured(&Server::start());
    println!("{}", report::page(&results));
    then(&results)
}

fn gate() -> Result<(), String> {
    let results = Results::counted(&Server::start(), net::is_gated);
    let found = check::findings(&results)?;
    println!("{}", report::goal_table(&goals::deterministic(&results)));
    for what in &found.not_checked {
        println!("NOT CHECKED: {what}");
    }
    if found.faults.is_empty() {
        Ok(())
    } else {
        Err(format!("the gate fails\n  {}", found.faults.join("\n  ")))
    }
}

fn repeat(name: &str, count: &str, place: &str) -> Result<(), String> {
    let count: u32 = count.parse().map_err(|_| "repeat NAME COUNT PLACE")?;
    let core = || rows(None).into_iter().find(|row| row.name == name);
    let mut row = net::row(name, place).or_else(core).ok_or(format!("there is no row {name}"))?;
    for _ in 0..count {
        (row.once)();
    }
    Ok(())
}
