//! `cargo xtask test`: everything that must pass.

use std::time::Instant;

use crate::command::cargo;

pub(crate) fn test() -> Result<(), String> {
    let began = Instant::now();
    // The optional parts first: they only have to compile.
    for adapter in ["capture-reqwest", "capture-ureq", "capture-hyper"] {
        for features in ["", "platform-verifier,random"] {
            let check = format!("check --quiet --locked -p {adapter} --no-default-features");
            let title = format!("{adapter} with features [{features}]");
            cargo(&title, &format!("{check} --features={features}"))?;
        }
    }
    cargo("unit, property, golden, end to end", "test --locked --workspace --all-targets")?;
    cargo("documentation and README", "test --locked --workspace --doc")?;
    eprintln!("xtask: all passed in {} s", began.elapsed().as_secs());
    Ok(())
}
