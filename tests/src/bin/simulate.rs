//! The long checks, in release: `cargo xtask simulate` and `cargo xtask vectors`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use capture_core::Resend;
use capture_tests::exhaustive::{self, Broken, Clause, Coverage, Scope, policy, server};
use capture_tests::foremen::{self, Misuse};
use capture_tests::simulation::{self, Plan};
use capture_tests::subject::Mutant;
use capture_tests::vectors;

/// Begins the line that `cargo xtask weekly` takes into the documentation.
const FIGURES: &str = "figures: ";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    let named = |name: &str| Mutant::ALL.into_iter().find(|mutant| format!("{mutant:?}") == name);
    let done = match arguments[..] {
        ["--exhaustive"] => Some(exhaustive_check(4, 2)),
        ["--exhaustive", "--sends", sends] => {
            sends.parse().ok().filter(|sends| *sends > 0).map(|sends| exhaustive_check(sends, 1))
        }
        ["--checkers"] => Some(if checkers() { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        ["--vectors"] => Some(write_vectors()),
        ["--seeds", seeds] => number(seeds).map(|seeds| random_check(0, seeds)),
        ["--seeds", seeds, "--from", from] => {
            number(seeds).zip(number(from)).map(|(seeds, from)| random_check(from, seeds))
        }
        ["--foremen", seeds] => number(seeds).map(foremen_check),
        ["--seed", seed] => number(seed).map(|seed| one_run(seed, None)),
        ["--seed", seed, "--mutant", mutant] => {
            number(seed).zip(named(mutant)).map(|(seed, mutant)| one_run(seed, Some(mutant)))
        }
        _ => None,
    };
    done.unwrap_or_else(usage)
}

fn usage() -> ExitCode {
    eprintln!(
        "Usage: simulate --exhaustive [--sends N] | --checkers | --seeds N [--from N] | --foremen N | --seed N [--mutant M] | --vectors"
    );
    ExitCode::from(2)
}

/// Whether each clause catches its broken client, merging loses nothing, and each part of the key is
/// needed.
fn checkers() -> bool {
    let mut all = true;
    let mut say = |what: String, shown: bool| {
        all &= shown;
        println!("{what}: {}", if shown { "shown" } else { "NOT SHOWN" });
    };
    for clause in Clause::ALL {
        let coverage = exhaustive::search(exhaustive::showing(clause, policy(2)), true);
        let name =
            format!("{} {clause:?} against {:?}", clause.invariant(), clause.broken_client());
        say(name, !coverage.violations.is_empty());
    }
    let every = exhaustive::scopes(policy(1), 1);
    let every = every.into_iter().chain(exhaustive::further(policy(1), [1, 2]));
    for scope in every.map(|scope| Scope { few: true, ..scope }) {
        say(format!("merging in {scope:?}"), exhaustive::merging_loses(scope, 5).is_none());
    }
    for part in exhaustive::key_parts() {
        let scope = exhaustive::where_it_decides(part, policy(1));
        let whole = exhaustive::merging_loses(scope, 300);
        let lost = exhaustive::merging_loses(Scope { forgotten: Some(part), ..scope }, 300);
        say(format!("the key's {part}"), whole.is_none() && lost.is_some());
    }
    all
}

/// Every server, with and without its state guard, under every policy; then every broken client, and
/// whether each clause and each part of the key does its work.
fn exhaustive_check(sends: u32, restarts: u32) -> ExitCode {
    let (captures, lookups) = exhaustive::kinds();
    println!(
        "Up to {sends} sends, {restarts} restarts; {captures} kinds of answers to a capture, {lookups} to a lookup."
    );
    println!();
    println!(
        "server       guard  resend  looks echo  late  dies  states   transitions  sequences of 16 events  I1      rest"
    );
    let mut scopes = exhaustive::scopes(policy(sends), restarts);
    scopes.extend(exhaustive::further(policy(sends.min(2)), [restarts, restarts + 1]));
    // Alternating, so that both halves have as many of the large searches.
    let search = |half: usize| -> Vec<(usize, Scope, Coverage)> {
        let mine = scopes.iter().enumerate().filter(|(index, _)| index / 4 % 2 == half);
        mine.map(|(index, scope)| (index, *scope, exhaustive::search(*scope, false))).collect()
    };
    let mut searched = thread::scope(|threads| {
        let other = threads.spawn(|| search(1));
        let mut searched = search(0);
        searched.extend(other.join().expect("a search does not panic"));
        searched
    });
    searched.sort_by_key(|(index, ..)| *index);
    let mut failed = false;
    for (_, scope, coverage) in &searched {
        let server::Assumptions { semantics, state_guard } = scope.assumptions;
        let violations = &coverage.violations;
        let twice = violations.iter().any(|violation| violation.invariant() == "I1");
        let expected = exhaustive::may_capture_twice(scope);
        let word = |broken: bool| if broken { "BROKEN" } else { "holds" };
        println!(
            "{:<12} {:<6} {:<7} {:<5} {:<5} {:<5} {:<4} {:>7} {:>12}  {:>22.2e}  {:<7} {}",
            format!("{semantics:?}"),
            if state_guard { "yes" } else { "no" },
            if scope.policy.resend() == Resend::Keyed { "keyed" } else { "never" },
            if scope.policy.lookup() { "yes" } else { "no" },
            if scope.echo.is_some() { "yes" } else { "no" },
            if scope.late { "yes" } else { "no" },
            scope.restarts,
            coverage.states,
            coverage.transitions,
            coverage.sequences.last().copied().unwrap_or_default(),
            word(twice),
            word(violations.iter().any(|violation| violation.invariant() != "I1")),
        );
        for violation in violations.iter().filter(|v| v.invariant() != "I1" || !expected) {
            failed = true;
            println!("  {violation}");
        }
        failed |= expected != twice;
    }
    let states: usize = searched.iter().map(|(_, _, coverage)| coverage.states).sum();
    let transitions: u64 = searched.iter().map(|(_, _, coverage)| coverage.transitions).sum();
    println!(
        "I1 (at most one capture) is broken exactly where the server neither keeps every answer"
    );
    println!(
        "under its key nor guards the order's state, and the client sends again: there the state"
    );
    println!(
        "guard carries it, or Resend::Never. Everywhere else the idempotency key carries it alone."
    );
    println!();
    let mut caught = 0;
    for broken in Broken::all() {
        let coverage = exhaustive::search(exhaustive::against(broken, policy(2)), true);
        match coverage.violations.first() {
            Some(violation) => {
                caught += 1;
                println!("broken client {broken:?}: {violation}");
            }
            None => {
                failed = true;
                println!("broken client {broken:?}: NOT CAUGHT");
            }
        }
    }
    failed |= !checkers();
    println!(
        "{FIGURES}{} searches, {states} states, {transitions} transitions, {caught} broken clients caught",
        searched.len()
    );
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Foremen in virtual time, alone, in fleets and ten that share a rate; then the broken ones.
fn foremen_check(seeds: u64) -> ExitCode {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut beyond: f64 = 0.0;
    for seed in 0..seeds {
        let worlds = [
            ("alone", foremen::play(seed, None)),
            ("in a fleet", foremen::hosts(seed, None, &BTreeSet::new())),
            ("sharing a rate", foremen::share(seed, None, seed % 4 == 0)),
        ];
        for (how, report) in worlds {
            if !report.broken.is_empty() {
                println!("seed {seed}, {how}: {:#?}", report.broken);
                return ExitCode::FAILURE;
            }
            beyond = beyond.max(report.beyond);
            for (what, times) in report.counts {
                *counts.entry(what).or_default() += times;
            }
        }
    }
    let is_caught = |misuse: &Misuse| {
        let is_broken =
            |seed| foremen::against(*misuse, seed).broken.contains_key(&misuse.breaks());
        (0..60).any(is_broken)
    };
    let missed: Vec<_> = Misuse::ALL.into_iter().filter(|it| !is_caught(it)).collect();
    let sum = |of: &[&str]| of.iter().filter_map(|what| counts.get(what)).sum::<u64>();
    println!("{counts:#?}");
    println!("hosts that share a rate were at most {beyond:.0} first sends beyond it");
    println!(
        "{FIGURES}{} worlds, {} captures, {} deaths, {} of {} broken foremen caught",
        3 * seeds,
        sum(&["captures begun", "captures resumed"]),
        sum(&["deaths"]),
        Misuse::ALL.len() - missed.len(),
        Misuse::ALL.len()
    );
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Many runs on all cores; the first broken one is shrunk and shown.
fn random_check(from: u64, seeds: u64) -> ExitCode {
    let began = Instant::now();
    let next = AtomicU64::new(from);
    let until = from.saturating_add(seeds);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let play = || {
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut faults = 0;
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= until {
                return (counts, faults, None);
            }
            let summary = simulation::play(&Plan { seed, ..Plan::default() });
            faults += summary.faults.len();
            for (what, times) in summary.counts {
                *counts.entry(what).or_default() += times;
            }
            if summary.violation.is_some() {
                next.store(until, Ordering::Relaxed);
                return (counts, faults, Some(seed));
            }
        }
    };
    let played = thread::scope(|threads| {
        let running: Vec<_> = (0..workers).map(|_| threads.spawn(play)).collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("a run does not panic"))
            .collect::<Vec<_>>()
    });
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (what, times) in played.iter().flat_map(|(counts, ..)| counts) {
        *counts.entry(what).or_default() += times;
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{seeds} runs from seed {from}, {workers} threads, {:.0} a second",
        seeds as f64 / seconds
    );
    for (what, times) in counts {
        println!("{times:>12}  {what}");
    }
    match played.iter().find_map(|(.., failing)| *failing) {
        None => {
            println!("no invariant was broken, and every order settled");
            let faults: usize = played.iter().map(|(_, faults, _)| faults).sum();
            println!("{FIGURES}{seeds} worlds, {faults} faults");
            ExitCode::SUCCESS
        }
        Some(seed) => {
            one_run(seed, None);
            println!("again: cargo xtask simulate --seed {seed}");
            ExitCode::FAILURE
        }
    }
}

/// One run with its trace; a broken one with as few faults as possible.
fn one_run(seed: u64, mutant: Option<Mutant>) -> ExitCode {
    let plan = Plan { seed, mutant, traced: true, ..Plan::default() };
    let mut summary = simulation::play(&plan);
    if summary.violation.is_some() {
        (_, summary) = simulation::shrink(&plan);
    }
    println!("seed {seed}, {} faults", summary.faults.len());
    summary.trace.iter().for_each(|line| println!("{line}"));
    match summary.violation {
        None => ExitCode::SUCCESS,
        Some(violation) => {
            println!("{violation}");
            ExitCode::FAILURE
        }
    }
}

fn write_vectors() -> ExitCode {
    for (name, text) in vectors::files() {
        let path = format!("{}/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
        if let Err(error) = std::fs::write(&path, text) {
            eprintln!("{path}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
