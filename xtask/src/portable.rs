//! `cargo xtask portable`: what the manifests promise. The published crates compile with the oldest
//! compiler that they claim; the core runs in WebAssembly and imports nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::{ROOT, cargo, command, run, run_if_installed};
use crate::published::published;
use crate::wasm;

const OLDEST: &str = "1.85";

const LINKER: &str = "wasm-ld-19";
/// What the standard library is built from, for a target without a precompiled one.
const SOURCES: &str = "/usr/lib/rustlib/src/rust/library/Cargo.lock";
const INSTALL: &str = "Debian 12 has what is needed in rustc-web, cargo-web and rust-web-src of \
                       that version, and lld-19; .ci/run installs them";

pub(crate) fn portable() -> Result<(), String> {
    find_tools()?;
    check()?;
    build_wasm()?;
    let module = "target/wasm/wasm32-unknown-unknown/debug/capture_wasm.wasm";
    let bytes = fs::read(Path::new(ROOT).join(module)).map_err(|e| format!("{module}: {e}"))?;
    match &wasm::imports(&bytes)?[..] {
        [] => eprintln!("xtask: the module imports nothing"),
        imports => return Err(format!("the core in wasm32 imports {}", imports.join(", "))),
    }
    run_if_installed(
        "the core in wasm32, under node",
        "node --version",
        "on Debian, apt-get install nodejs",
        command("node", &format!("tests/wasm/run.mjs {module}")),
    )
}

fn find_tools() -> Result<(), String> {
    for program in ["/usr/bin/cargo", "/usr/bin/rustc"] {
        let found = version(program)?;
        if !found.contains(&format!(" {OLDEST}.")) {
            return Err(format!("{program} must be of Rust {OLDEST}, and is {found}; {INSTALL}"));
        }
    }
    version(LINKER)?;
    fs::metadata(SOURCES).map_err(|error| format!("{SOURCES}: {error}; {INSTALL}"))?;
    Ok(())
}

fn version(program: &str) -> Result<String, String> {
    let output = Command::new(program).arg("--version").output();
    let output = output
        .map_err(|error| format!("{program}: {error}; this needs Rust {OLDEST}: {INSTALL}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn oldest_cargo(arguments: &str) -> Command {
    let mut command = command("/usr/bin/cargo", arguments);
    command.env("RUSTC", "/usr/bin/rustc");
    command
}

fn check() -> Result<(), String> {
    let (oldest, newer): (Vec<_>, Vec<_>) =
        published()?.into_iter().partition(|krate| krate.rust_version == OLDEST);
    if oldest.is_empty() {
        return Err(format!("no published crate claims Rust {OLDEST}; change OLDEST in xtask"));
    }
    for krate in newer {
        let (name, claimed) = (&krate.name, &krate.rust_version);
        eprintln!("xtask: SKIPPED {name} with Rust {claimed}: only {OLDEST} is looked for");
        cargo(&format!("{name} with the compiler at hand"), &check_command(&[name]))?;
    }
    let names: Vec<&str> = oldest.iter().map(|krate| &krate.name[..]).collect();
    let check = format!("{} --target-dir target/oldest", check_command(&names));
    run(&format!("{} with Rust {OLDEST}", names.join(", ")), oldest_cargo(&check))
}

fn check_command(names: &[&str]) -> String {
    format!("check --quiet --locked --all-features -p {}", names.join(" -p "))
}

/// Builds the standard library, too, which stable compilers do only when told that they may.
fn build_wasm() -> Result<(), String> {
    let mut build = oldest_cargo(
        "build --quiet --locked --manifest-path tests/wasm/Cargo.toml --target-dir target/wasm \
         --target wasm32-unknown-unknown -Zbuild-std=std,panic_abort",
    );
    build.env("RUSTC_BOOTSTRAP", "1");
    build.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", LINKER);
    run("the core for wasm32-unknown-unknown", build)
}
