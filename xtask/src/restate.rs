//! `cargo xtask restate`: gets the engine, builds the service, and proves both by killing them.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::command::{ROOT, command, run};

/// Into `target/`, in one version, without the scripts that packages run. `docs/fleet.md` has the same line.
const INSTALL: &str = "install --prefix target/restate @restatedev/restate-server@1.7.12 --no-audit --no-fund --ignore-scripts";
const PACKAGES: &str = "target/restate/node_modules/@restatedev";
const BUILD: &str = "build --quiet --locked --manifest-path examples/restate/Cargo.toml";
const TEST: &str = "test --quiet --locked --manifest-path examples/restate/Cargo.toml";
const PROOF: &str = "examples/restate/target/debug/proof";

/// The walk of `docs/fleet.md`, then the kills; or what the arguments say.
pub(crate) fn restate(arguments: &[&str]) -> Result<(), String> {
    prepare()?;
    if arguments.is_empty() || arguments[0] == "--kills" {
        walk()?;
    }
    let mut proof = proof()?;
    proof.args(arguments);
    run("kills of the engine and the service", proof)
}

pub(crate) fn walk() -> Result<(), String> {
    run("the walk of docs/fleet.md", command(PROOF, "--walk"))
}

/// The engine's program and the service, tested, with what the walk needs.
pub(crate) fn prepare() -> Result<(), String> {
    let npm = Command::new("npm").arg("--version").stdout(Stdio::null()).status();
    if !npm.is_ok_and(|status| status.success()) {
        return Err("npm is not installed here, and the engine comes from it".to_owned());
    }
    run("the engine, by npm", command("npm", INSTALL))?;
    run("the command", command("cargo", "build --quiet --locked -p capture-cli"))?;
    run("the service", command("cargo", BUILD))?;
    run("tests of the service", command("cargo", TEST))
}

/// The proof, with the engine's own program: the script in front of it would outlive a kill.
pub(crate) fn proof() -> Result<Command, String> {
    let mut proof = command(PROOF, "--server");
    proof.arg(server()?);
    Ok(proof)
}

fn server() -> Result<PathBuf, String> {
    let folder = PathBuf::from(ROOT).join(PACKAGES);
    let packages = fs::read_dir(&folder).map_err(|error| format!("{PACKAGES}: {error}"))?;
    let mut programs = packages.flatten().map(|package| package.path().join("bin/restate-server"));
    let found = programs.find(|program| program.is_file());
    let found = found.ok_or_else(|| format!("{PACKAGES}: no engine for {}", env::consts::OS))?;
    found.canonicalize().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_installation_is_this_one() {
        let page = fs::read_to_string(format!("{ROOT}/docs/fleet.md")).unwrap();
        assert!(page.contains(&format!("npm {INSTALL}")), "{INSTALL}");
    }
}
