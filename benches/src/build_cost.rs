//! What a dependency on each crate costs a build: crates, CPU time of a clean build, size of a program.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

pub const PACKAGES: [&str; 4] =
    ["capture-core", "capture-ureq", "capture-hyper", "capture-reqwest"];

pub struct BuildCost {
    pub package: &'static str,
    /// CPU seconds of a clean release build, the compiler's and the linker's.
    pub cpu: f64,
    /// Bytes of the stripped program.
    pub size: u64,
}

const PROBES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/probes");

/// Builds the smallest program that captures, over each crate.
pub fn all() -> Vec<BuildCost> {
    PACKAGES.map(built).into()
}

fn built(package: &'static str) -> BuildCost {
    eprintln!("capture-bench: a clean build of a program over {package}");
    let probe = package.trim_start_matches("capture-");
    let target = env::temp_dir().join(format!("capture-bench-{}-{probe}", std::process::id()));
    // What is compiled must not depend on what was compiled or downloaded before.
    cargo(&["fetch", "--quiet", "--locked"], &target);
    let before = children_cpu();
    cargo(
        &["build", "--quiet", "--locked", "--release", "--bin", probe, "--features", probe],
        &target,
    );
    let cpu = children_cpu() - before;
    let program = fs::metadata(target.join("release").join(probe)).expect("the program");
    fs::remove_dir_all(&target).expect("a directory of ours");
    BuildCost { package, cpu, size: program.len() }
}

fn cargo(arguments: &[&str], target: &Path) {
    let mut command = Command::new(env::var("CARGO").unwrap_or("cargo".into()));
    command.current_dir(PROBES).args(arguments).env("CARGO_TARGET_DIR", target);
    let status = command.stdin(Stdio::null()).status().expect("cargo");
    assert!(status.success(), "{command:?}");
}

/// CPU seconds of all children that have ended, and of theirs; a tick is a hundredth of a second.
fn children_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
    let ticks =
        fields.split_whitespace().skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}
