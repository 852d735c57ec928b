//! The page `docs/performance.md`, its two plots and the README's sentence, from one run.

use std::fmt::Write as _;
use std::{fs, io};

use crate::chart::{self, Bar, Group, number};
use crate::goals::{self, Goal};
use crate::measure::{self, median};
use crate::results::{LOADS, Line, ROUNDS, Results};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

/// Writes the page, the plots, and the sentence in the README.
///
/// # Errors
/// When a file cannot be written, or the README has lost the place of the sentence.
pub fn write(results: &Results) -> io::Result<()> {
    fs::create_dir_all(format!("{DOCS}/performance"))?;
    fs::write(format!("{DOCS}/performance/core.svg"), core_chart(results))?;
    fs::write(format!("{DOCS}/performance/adapters.svg"), adapters_chart(results))?;
    fs::write(format!("{DOCS}/performance.md"), page(results))?;
    let readme = fs::read_to_string(README)?;
    let place = readme.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some(format!("{before}{BEGIN}\n{}\n{END}{after}", summary(results)))
    });
    fs::write(README, place.ok_or_else(|| io::Error::other(format!("{README}: no {BEGIN}")))?)
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
        ("{machine}", machine()),
        ("{summary}", summary(results)),
        ("{pinned}", pinned.to_owned()),
        ("{rounds}", measure::ROUNDS.to_string()),
        ("{net rounds}", ROUNDS.to_string()),
    ] {
        page = page.replace(name, &value);
    }
    page += "\n## Goals\n\n";
    page += GOALS;
    page += &goal_table(&[goals::deterministic(results), goals::ratios(results)].concat());
    page += "\n## Without a network\n\n![CPU time of one operation](performance/core.svg)\n\n";
    core_table(results, &mut page);
    page += "\n## Over HTTP on loopback, the client's side\n\n";
    page += "![CPU time of one capture by load](performance/adapters.svg)\n\n";
    net_tables(results, &mut page);
    page +=
        "\n## Growth\n\n| client | in flight | captures | CPU µs of each | peak memory, KiB |\n";
    page += "|---|--:|--:|--:|--:|\n";
    for point in &results.growth {
        let name = results.line(point.name).what;
        let (in_flight, total) = (number(point.in_flight as f64), number(point.total as f64));
        let (cpu, peak) = (number(point.cpu), number(point.peak as f64));
        let _ = writeln!(page, "| {name} | {in_flight} | {total} | {cpu} | {peak} |");
    }
    page += "\nThe *captures* of one line share one client in a fresh process. Memory at 1,000 in flight is that of\n\
             1,000 connections, most of it in the HTTP client's buffers; ureq has a thread for each as well.\n";
    page += "\n## What it costs a build\n\n";
    page += "| a program over | unique crates | CPU s of a clean release build | KB, stripped |\n";
    page += "|---|--:|--:|--:|\n";
    for built in &results.built {
        let crates = results.crates.iter().find(|(package, _)| *package == built.package);
        let crates = crates.map_or(0, |(_, count)| *count);
        let (cpu, size) = (number(built.cpu.round()), number((built.size / 1_000) as f64));
        let _ = writeln!(page, "| {} | {crates} | {cpu} | {size} |", built.package);
    }
    let by_hand = results.load_ratio(("hyper/hand", "reqwest/hand"), 16, |load| &load.cpu);
    let derive = results.cpu_ratio("read-large/serde", "read-large/value");
    let shown = |ratio: Option<f64>| ratio.map_or("-".into(), number);
    page + &LIMITS.replace("{P15 hand}", &shown(by_hand)).replace("{P12 derive}", &shown(derive))
}

const GOALS: &str = "P1 to P9 are deterministic and gate a build. P10 to P17 are ratios inside one run, the median of the\n\
                     rounds' own; P18 and P19 are what must not grow. They gate nothing.\n\n";

fn core_table(results: &Results, page: &mut String) {
    *page += "| operation | CPU ns | instructions | allocations | bytes |\n|---|--:|--:|--:|--:|\n";
    let core = || results.lines.iter().filter(|line| !line.is_net());
    for ours in core().filter(|line| line.is_ours()) {
        let prefix = format!("{}/", ours.name);
        let peers = core().filter(|line| line.name.starts_with(&prefix));
        for line in std::iter::once(ours).chain(peers) {
            let cpu = line.cpu().map_or("-".into(), number);
            let _ = writeln!(page, "| {} | {cpu} | {} |", title(line), counted(line));
        }
    }
}

/// What each client takes, then how ours compares with the hand-written code.
fn net_tables(results: &Results, page: &mut String) {
    *page += "| client |";
    for (in_flight, _) in LOADS {
        let _ = write!(page, " CPU µs ({in_flight}) | median µs ({in_flight}) |");
    }
    *page += " instructions | allocations | bytes |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
    for line in results.lines.iter().filter(|line| line.is_net()) {
        let _ = write!(page, "| {} |", title(line));
        for load in &line.loads {
            let shown = |values: &Vec<f64>| match values.is_empty() {
                true => "-".into(),
                false => number(median(values.clone())),
            };
            let _ = write!(page, " {} | {} |", shown(&load.cpu), shown(&load.time));
        }
        let _ = writeln!(page, " {} |", counted(line));
    }
    *page += "\nThe number in brackets is how many captures are in flight at once. The same as ratios, ours to the\n\
              code written by hand beside it:\n\n| client |";
    for (in_flight, _) in LOADS {
        let _ = write!(page, " CPU ({in_flight}) | median time ({in_flight}) |");
    }
    *page += " instructions |\n|---|--:|--:|--:|--:|--:|--:|--:|\n";
    for line in results.lines.iter().filter(|line| line.is_net() && line.is_ours()) {
        let hand = format!("{}/hand", line.name);
        let pair = (line.name, &*hand);
        let shown = |ratio: Option<f64>| ratio.map_or("-".into(), number);
        let _ = write!(page, "| {} |", line.what);
        for (in_flight, _) in LOADS {
            let cpu = results.load_ratio(pair, in_flight, |load| &load.cpu);
            let time = results.load_ratio(pair, in_flight, |load| &load.time);
            let _ = write!(page, " {} | {} |", shown(cpu), shown(time));
        }
        let both = line.instructions.zip(results.line(&hand).instructions);
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
        let first = goal.first.map_or(String::new(), |first| format!(" (first {})", number(first)));
        let _ =
            writeln!(table, "| {id} | {what} | {found} | ≤ {must}{first} | {stretch} | {word} |");
    }
    table
}

/// One sentence for a reader in a hurry.
fn summary(results: &Results) -> String {
    let ratio = |ours, peer| results.cpu_ratio(ours, peer).map_or("-".into(), number);
    let calls = |name| results.line(name).allocations.calls();
    let hyper = results.load_ratio(("hyper", "hyper/hand"), 1, |load| &load.cpu);
    format!(
        "Building a capture takes {} of the CPU time and {} allocations where the obvious serde code takes {}; \
         a whole capture over `capture-hyper` takes {} of the CPU time of one written by hand on the same client.",
        ratio("encode", "encode/serde"),
        calls("encode"),
        calls("encode/serde"),
        hyper.map_or("-".into(), number),
    )
}

fn title(line: &Line) -> String {
    if line.is_ours() { format!("**{}**", line.what) } else { format!("· {}", line.what) }
}

fn counted(line: &Line) -> String {
    let instructions = line.instructions.map_or("-".into(), |count| number(count as f64));
    let allocations = line.allocations;
    format!("{instructions} | {} | {}", allocations.calls(), number(allocations.bytes as f64))
}

fn core_chart(results: &Results) -> String {
    let groups = [
        ("Build one request", &["encode", "encode/serde", "encode/value", "encode/oauth2"][..]),
        ("Read the documented reply", &["read-small", "read-small/serde", "read-small/value"]),
        ("Read a large reply", &["read-large", "read-large/serde", "read-large/value"]),
    ];
    let groups = groups.map(|(title, names)| {
        let lines = names.iter().map(|name| results.line(name));
        let bar = |line: &Line| bar(line, line.cpu().unwrap_or(0.0));
        Group { title: title.into(), bars: lines.map(bar).collect() }
    });
    chart::bars("CPU time of one operation", "ns", &groups)
}

/// Plain connections; the table has the others.
fn adapters_chart(results: &Results) -> String {
    let groups = LOADS.iter().enumerate().map(|(at, (in_flight, _))| {
        let lines = results.lines.iter().filter(|line| line.is_net() && !line.name.contains("tls"));
        let loads = lines.filter_map(|line| Some((line, &line.loads.get(at)?.cpu)));
        let bars = loads.filter(|(_, cpu)| !cpu.is_empty());
        let bars = bars.map(|(line, cpu)| bar(line, median(cpu.clone()))).collect();
        Group { title: format!("{in_flight} in flight"), bars }
    });
    chart::bars("CPU time of one capture, client side", "µs", &groups.collect::<Vec<_>>())
}

fn bar(line: &Line, value: f64) -> Bar {
    let label = match (line.is_ours(), line.is_net()) {
        (true, true) => line.what.replace("capture-", "Capture, "),
        (true, false) => "Capture".into(),
        _ => line.what.into(),
    };
    Bar { label, value, ours: line.is_ours() }
}

/// Processor, system and compiler of this run.
fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model =
        cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let model = model.trim_start_matches(['\t', ' ', ':']);
    // This process may keep to one of them.
    let cpus = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    let (system, rustc) = (std::env::consts::OS, rustc());
    format!("{model}, {cpus} CPUs, {system}, {rustc}, load average {load}")
}

/// The compiler's name for itself.
pub fn rustc() -> String {
    let rustc = std::process::Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    rustc.unwrap_or_default()
}
