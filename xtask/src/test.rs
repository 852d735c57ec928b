//! `cargo xtask test`: everything that must pass, and what did not run.

use std::path::Path;
use std::time::Instant;

use crate::command::{cargo, command, run};
use crate::skipped;
use crate::watchdog::guard_tests;

pub(crate) fn test() -> Result<(), String> {
    let began = Instant::now();
    let skipped = skipped::begin()?;
    let done = everything(&skipped);
    eprintln!("xtask: {}", skipped::end(&skipped)?);
    done?;
    eprintln!("xtask: all passed in {} s", began.elapsed().as_secs());
    Ok(())
}

fn everything(skipped: &Path) -> Result<(), String> {
    // The optional parts first: they only have to compile.
    for adapter in ["capture-reqwest", "capture-ureq", "capture-hyper"] {
        for features in ["", "platform-verifier,random", "webpki-roots,metrics,tracing"] {
            let check = format!("check --quiet --locked -p {adapter} --no-default-features");
            let title = format!("{adapter} with features [{features}]");
            cargo(&title, &format!("{check} --features={features}"))?;
        }
    }
    let without_tls = "check --quiet --locked -p capture-sandbox --no-default-features";
    cargo("sandbox without TLS", without_tls)?;
    // Its tests ask for it, and would wait for it in the time that they have.
    cargo("the command", "build --quiet --locked -p capture-cli")?;
    for (title, arguments) in [
        (
            "core and client with all features",
            "--quiet -p capture-core -p capture-client --all-features",
        ),
        ("unit, property, golden, end to end", "--workspace"),
    ] {
        let mut tests = command("cargo", &format!("test --locked {arguments} --all-targets"));
        guard_tests(&mut tests)?;
        tests.env(skipped::VARIABLE, skipped);
        run(title, tests)?;
    }
    // Without the watchdog, under which rustdoc would run them in one process: what hangs here hangs
    // above, too.
    cargo("documentation and README", "test --locked --workspace --doc --all-features")
}
