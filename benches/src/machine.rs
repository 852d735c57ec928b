//! What this run measures on: processor, system, compiler, C library.

use std::fs;
use std::process::Command;

/// For a reader of the page.
pub fn description() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model =
        cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let model = model.trim_start_matches(['\t', ' ', ':']);
    // All of them: this process may be pinned to one.
    let cpus = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    let (system, rustc) = (std::env::consts::OS, rustc());
    format!("{model}, {cpus} CPUs, {system}, {rustc}, load average {load}")
}

/// Everything but the code that decides how many instructions the same work takes.
///
/// Under valgrind all processors with AVX2 are alike. Without AVX2 the C library copies memory in
/// another way, which was seen to add up to 7 % to a capture.
pub fn ground() -> String {
    let libc = stdout(Command::new("getconf").arg("GNU_LIBC_VERSION"));
    #[cfg(target_arch = "x86_64")]
    let processor = if is_x86_feature_detected!("avx2") { "x86_64 with AVX2" } else { "x86_64" };
    #[cfg(not(target_arch = "x86_64"))]
    let processor = std::env::consts::ARCH;
    format!("{}, {processor}, {libc}", rustc())
}

fn rustc() -> String {
    stdout(Command::new("rustc").arg("--version"))
}

fn stdout(command: &mut Command) -> String {
    let output = command.output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}
