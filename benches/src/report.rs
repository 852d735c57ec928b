//! The page `docs/performance.md` and its two plots, from one run.

use std::fmt::Write as _;
use std::{fs, io};

use crate::chart::{self, Bar, Group, number};
use crate::goals::goals;
use crate::results::{LOADS, Line, Results};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

/// Writes the page and the plots.
///
/// # Errors
/// When a file cannot be written.
pub fn write(results: &Results) -> io::Result<()> {
    fs::create_dir_all(format!("{DOCS}/performance"))?;
    fs::write(format!("{DOCS}/performance/core.svg"), core_chart(results))?;
    fs::write(format!("{DOCS}/performance/adapters.svg"), adapters_chart(results))?;
    fs::write(format!("{DOCS}/performance.md"), page(results))
}

const HEAD: &str = include_str!("report/head.md");
const LIMITS: &str = include_str!("report/limits.md");

/// The whole page.
pub fn page(results: &Results) -> String {
    let mut page = HEAD.replace("{machine}", &machine()).replace("{summary}", &summary(results));
    page += "\n## Goals\n\nD: deterministic, a gate. R: ratios inside one run.\n\n";
    page += &goal_table(results);
    page += "\n## Without a network\n\n![CPU time of one operation](performance/core.svg)\n\n";
    page += "| operation | CPU ns | instructions | allocations | bytes |\n|---|--:|--:|--:|--:|\n";
    let core = || results.lines.iter().filter(|line| !line.is_net());
    let peers = |ours: &Line| {
        let prefix = format!("{}/", ours.name);
        core().filter(move |line| line.name.starts_with(&prefix))
    };
    let ours = core().filter(|line| line.is_ours());
    for line in ours.flat_map(|ours| std::iter::once(ours).chain(peers(ours))) {
        let cpu = line.cpu.map_or("-".into(), number);
        let _ = writeln!(page, "| {} | {cpu} | {} |", title(line), counted(line));
    }
    page += "\n## Over HTTP on loopback, the client's side\n\n";
    page += "![CPU time of one capture by load](performance/adapters.svg)\n\n| client |";
    for (in_flight, _) in LOADS {
        let _ = write!(page, " CPU µs ({in_flight}) | median µs ({in_flight}) |");
    }
    page += " instructions | allocations | bytes |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
    for line in results.lines.iter().filter(|line| line.is_net()) {
        let _ = write!(page, "| {} |", title(line));
        for load in &line.loads {
            let dash = || ("-".into(), "-".into());
            let (cpu, time) = load.map_or_else(dash, |(cpu, time)| (number(cpu), number(time)));
            let _ = write!(page, " {cpu} | {time} |");
        }
        let _ = writeln!(page, " {} |", counted(line));
    }
    page += "\nThe number in brackets is how many captures are in flight at once.\n";
    page +=
        "\n## Growth\n\n| client | in flight | captures | CPU µs of each | peak memory, KiB |\n";
    page += "|---|--:|--:|--:|--:|\n";
    for point in &results.growth {
        let name = results.line(point.name).what;
        let (in_flight, total) = (number(point.in_flight as f64), number(point.total as f64));
        let (cpu, peak) = (number(point.cpu), number(point.peak as f64));
        let _ = writeln!(page, "| {name} | {in_flight} | {total} | {cpu} | {peak} |");
    }
    page + LIMITS
}

/// The goals, each with what was found.
pub fn goal_table(results: &Results) -> String {
    let mut table =
        String::from("| # | what | found | must | stretch | |\n|---|---|--:|--:|--:|---|\n");
    for goal in goals(results) {
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
    let cpu = |name: &str| results.line(name).cpu.unwrap_or(f64::NAN);
    let machine = results.line("machine");
    format!(
        "Building a capture takes {} ns of CPU and {} allocations where the obvious serde code takes \
         {} ns and {}; a whole capture through the machine takes {:.1} µs beside the HTTP client's own work.",
        number(cpu("encode")),
        results.line("encode").allocations.calls(),
        number(cpu("encode/serde")),
        results.line("encode/serde").allocations.calls(),
        machine.cpu.unwrap_or(f64::NAN) / 1e3,
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
        let bar = |line: &Line| bar(line, line.cpu.unwrap_or(0.0));
        Group { title: title.into(), bars: lines.map(bar).collect() }
    });
    chart::bars("CPU time of one operation", "ns", &groups)
}

fn adapters_chart(results: &Results) -> String {
    let groups = LOADS.iter().enumerate().map(|(at, (in_flight, _))| {
        let lines = results.lines.iter().filter(|line| line.is_net());
        let loads = lines.filter_map(|line| Some((line, line.loads.get(at).copied().flatten()?)));
        let bars = loads.map(|(line, load)| bar(line, load.0)).collect();
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
    let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    let rustc = std::process::Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    format!(
        "{model}, {cpus} CPUs, {}, {}, load average {load}",
        std::env::consts::OS,
        rustc.unwrap_or_default()
    )
}
