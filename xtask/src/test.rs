//! `cargo xtask test`: everything that must pass.

use std::time::Instant;

use crate::command::cargo;

pub(crate) fn test() -> Result<(), String> {
    let began = Instant::now();
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
    let all_features = "test --quiet --locked -p capture-core -p capture-client --all-features";
    cargo("core and client with all features", &format!("{all_features} --all-targets"))?;
    cargo("unit, property, golden, end to end", "test --locked --workspace --all-targets")?;
    cargo("documentation and README", "test --locked --workspace --doc --all-features")?;
    eprintln!("xtask: all passed in {} s", began.elapsed().as_secs());
    Ok(())
}
