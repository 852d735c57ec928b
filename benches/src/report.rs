//! The page `docs/performance.md`, its two plots and the README's sentence, from one run.

use std::fmt::Write as _;
use std::{fs, io};

use crate::chart::{self, Bar, Group, number};
use crate::goals::{self, Goal};
use crate::machine;
use crate::measure::{self, median};
use crate::results::{LOADS, Measurement, ROUNDS, Results};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

/// Writes the page, the plots, and the sentence in the README.
///
/// # Errors
/// When a file cannot be written, or the README lacks the markers around the sentence.
pub fn write(results: &Results) -> io::Result<()> {
    fs::create_dir_all(format!("{DOCS}/performance"))?;
    fs::write(format!("{DOCS}/performance/core.svg"), core_chart(results))?;
    fs::write(format!("{DOCS}/performance/adapters.svg"), adapters_chart(results))?;
    fs::write(format!("{DOCS}/performance.md"), page(results))?;
    let readme = fs::read_to_string(README)?;
    let updated = readme.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some(format!("{before}{BEGIN}\n{}\n{END}{after}", summary(results)))
    });
    fs::write(README, updated.ok_or_else(|| io::Error::other(format!("{README}: no {BEGIN}")))?)
}

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
const BEGIN: &str = "<!-- Written by `cargo xtask bench --write`. -->";
const END: &str = "<!-- End. -->";

const HEAD: &str = include_str!("report/head.md");
const LIMITS: &str = include_str!("report/limits.md");

/// The whole page.
pub fn page(results: &Results) -> String {
    let pinned = match results.is_pinned {
        true => "client and server on a processor each",
        false => "client and server on the same processors",
    };
    let mut page = HEAD.to_owned();
    for (name, value) in [
        ("{machine}", machine::description()),
        ("{summary}", summary(results)),
        ("{pinned}", pinned.to_owned()),
        ("{rounds}", measure::ROUNDS.to_string()),
        ("{net rounds}", ROUNDS.to_string()),
    ] {
        page = page.replace(name, &value);
    }
    page += "\n## Goals\n\n";
    page += GOALS;
    page += &goal_table(&[goals::counts(results), goals::ratios(results)].concat());
    page += "\n## Without a network\n\n![CPU time of one operation](performance/core.svg)\n\n";
    local_table(results, &mut page);
    page += "\n## Over HTTP on loopback, the client's side\n\n";
    page += "![CPU time of one capture by load](performance/adapters.svg)\n\n";
    client_tables(results, &mut page);
    page +=
        "\n## Growth\n\n| client | in flight | captures | CPU µs of each | peak memory, KiB |\n";
    page += "|---|--:|--:|--:|--:|\n";
    for point in &results.growth {
        let name = results.measurement(point.name).title;
        let (in_flight, total) = (number(point.in_flight as f64), number(point.total as f64));
        let (cpu, peak) = (number(point.cpu), number(point.peak as f64));
        let _ = writeln!(page, "| {name} | {in_flight} | {total} | {cpu} | {peak} |");
    }
    page += "\nThe *captures* of one line share one client in a fresh process. Memory at 1,000 in flight is that of\n\
             1,000 connections, most of it in the HTTP client's buffers; ureq has a thread for each as well.\n";
    page += "\n## What it costs a build\n\n";
    page += "| a program over | unique crates | CPU s of a clean release build | KB, stripped |\n";
    page += "|---|--:|--:|--:|\n";
    for cost in &results.build_costs {
        let crates = results.crates.iter().find(|(package, _)| *package == cost.package);
        let crates = crates.map_or(0, |(_, count)| *count);
        let (cpu, size) = (number(cost.cpu.round()), number((cost.size / 1_000) as f64));
        let _ = writeln!(page, "| {} | {crates} | {cpu} | {size} |", cost.package);
    }
    let by_hand = results.load_ratio(("hyper/hand", "reqwest/hand"), 16, |rounds| &rounds.cpu);
    let derive = results.cpu_ratio("read-large/serde", "read-large/value");
    let shown = |ratio: Option<f64>| ratio.map_or("-".into(), number);
    page + &LIMITS
        .replace("{hyper to reqwest}", &shown(by_hand))
        .replace("{derive to value}", &shown(derive))
}

const GOALS: &str = "P1 to P9 are counts, and a build that misses one fails. P10 to P19 are ratios inside one run, the \
                     median of the rounds' own; P18 and P19 are what must not grow.\n\n";

fn local_table(results: &Results, page: &mut String) {
    *page += "| operation | CPU ns | instructions | allocations | bytes |\n|---|--:|--:|--:|--:|\n";
    let core = || results.measurements.iter().filter(|measured| !measured.is_client());
    for ours in core().filter(|measured| measured.is_ours()) {
        let prefix = format!("{}/", ours.name);
        let peers = core().filter(|measured| measured.name.starts_with(&prefix));
        for measured in std::iter::once(ours).chain(peers) {
            let cpu = measured.cpu().map_or("-".into(), number);
            let _ = writeln!(page, "| {} | {cpu} | {} |", title(measured), counted(measured));
        }
    }
}

/// What each client takes, then how ours compares with the code by hand.
fn client_tables(results: &Results, page: &mut String) {
    *page += "| client |";
    for (in_flight, _) in LOADS {
        let _ = write!(page, " CPU µs ({in_flight}) | median µs ({in_flight}) |");
    }
    *page += " instructions | allocations | bytes |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
    for measured in results.measurements.iter().filter(|measured| measured.is_client()) {
        let _ = write!(page, "| {} |", title(measured));
        for load in &measured.loads {
            let shown = |values: &Vec<f64>| match values.is_empty() {
                true => "-".into(),
                false => number(median(values.clone())),
            };
            let _ = write!(page, " {} | {} |", shown(&load.cpu), shown(&load.time));
        }
        let _ = writeln!(page, " {} |", counted(measured));
    }
    *page += "\nThe number in brackets is how many captures are in flight at once. As ratios, ours to the code\n\
              by hand over the same client, in the same conversation:\n\n| client |";
    for (in_flight, _) in LOADS {
        let _ = write!(page, " CPU ({in_flight}) | median time ({in_flight}) |");
    }
    *page += " instructions |\n|---|--:|--:|--:|--:|--:|--:|--:|\n";
    for measured in
        results.measurements.iter().filter(|measured| measured.is_client() && measured.is_ours())
    {
        let hand = format!("{}/hand", measured.name);
        let pair = (measured.name, &*hand);
        let shown = |ratio: Option<f64>| ratio.map_or("-".into(), number);
        let _ = write!(page, "| {} |", measured.title);
        for (in_flight, _) in LOADS {
            let cpu = results.load_ratio(pair, in_flight, |rounds| &rounds.cpu);
            let time = results.load_ratio(pair, in_flight, |rounds| &rounds.time);
            let _ = write!(page, " {} | {} |", shown(cpu), shown(time));
        }
        let both = measured.instructions.zip(results.measurement(&hand).instructions);
        let _ = writeln!(page, " {} |", shown(both.map(|(ours, hand)| ours as f64 / hand as f64)));
    }
}

/// The goals, each with what was found.
pub fn goal_table(goals: &[Goal]) -> String {
    let mut table =
        String::from("| # | what | found | must | stretch | |\n|---|---|--:|--:|--:|---|\n");
    for goal in goals {
        let found = goal.value.map_or("-".into(), number);
        let stretch = goal.stretch.map_or("-".into(), number);
        let (id, what, must, word) = (goal.id, &goal.what, number(goal.must), goal.word());
        let first = goal.first.map_or(String::new(), |first| format!(" (was {})", number(first)));
        let _ =
            writeln!(table, "| {id} | {what} | {found} | ≤ {must}{first} | {stretch} | {word} |");
    }
    table
}

/// One sentence, for the README as well.
fn summary(results: &Results) -> String {
    let ratio = |ours, peer| results.cpu_ratio(ours, peer).map_or("-".into(), number);
    let calls = |name| results.measurement(name).allocations.calls();
    let hyper = results.load_ratio(("hyper", "hyper/hand"), 1, |rounds| &rounds.cpu);
    format!(
        "Building a capture takes {} times the CPU time of the obvious serde code, and {} allocations instead \
         of {}. A whole capture over `capture-hyper` takes {} times the CPU time of code by hand over the same \
         client.",
        ratio("encode", "encode/serde"),
        calls("encode"),
        calls("encode/serde"),
        hyper.map_or("-".into(), number),
    )
}

fn title(measured: &Measurement) -> String {
    if measured.is_ours() {
        format!("**{}**", measured.title)
    } else {
        format!("· {}", measured.title)
    }
}

fn counted(measured: &Measurement) -> String {
    let instructions = measured.instructions.map_or("-".into(), |count| number(count as f64));
    let allocations = measured.allocations;
    format!("{instructions} | {} | {}", allocations.calls(), number(allocations.bytes as f64))
}

fn core_chart(results: &Results) -> String {
    let groups = [
        ("Build one request", &["encode", "encode/serde", "encode/value", "encode/oauth2"][..]),
        ("Read the documented reply", &["read-small", "read-small/serde", "read-small/value"]),
        ("Read a large reply", &["read-large", "read-large/serde", "read-large/value"]),
    ];
    let groups = groups.map(|(title, names)| {
        let measurements = names.iter().map(|name| results.measurement(name));
        let bar = |measured: &Measurement| bar(measured, measured.cpu().unwrap_or(0.0));
        Group { title: title.into(), bars: measurements.map(bar).collect() }
    });
    chart::bars("CPU time of one operation", "ns", &groups)
}

/// Plain connections; the table has the others.
fn adapters_chart(results: &Results) -> String {
    let groups = LOADS.iter().enumerate().map(|(at, (in_flight, _))| {
        let measurements = results
            .measurements
            .iter()
            .filter(|measured| measured.is_client() && !measured.name.contains("tls"));
        let loads =
            measurements.filter_map(|measured| Some((measured, &measured.loads.get(at)?.cpu)));
        let bars = loads.filter(|(_, cpu)| !cpu.is_empty());
        let bars = bars.map(|(measured, cpu)| bar(measured, median(cpu.clone()))).collect();
        Group { title: format!("{in_flight} in flight"), bars }
    });
    chart::bars("CPU time of one capture, client side", "µs", &groups.collect::<Vec<_>>())
}

fn bar(measured: &Measurement, value: f64) -> Bar {
    let label = match (measured.is_ours(), measured.is_client()) {
        (true, true) => measured.title.replace("capture-", "Capture, "),
        (true, false) => "Capture".into(),
        _ => measured.title.into(),
    };
    Bar { label, value, ours: measured.is_ours() }
}
