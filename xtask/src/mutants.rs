//! `cargo xtask mutants`: breaks the code line by line, and wants a test to fail for each break.
//!
//! What is left alone on purpose is in `.cargo/mutants.toml`, with the reason.

use std::fs;

use crate::command::{ROOT, command, run};

/// Files that are broken together, because the same tests hold them.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    /// Globs, from the root; each is in one of the packages.
    files: &'static [&'static str],
    /// Where the tests are in another package, the unbroken code cannot be tested first: it would be
    /// looked for in these.
    packages: &'static str,
    /// What `cargo test` is told.
    tests: &'static str,
}

pub(crate) const GROUPS: [Group; 9] = [
    Group {
        name: "core",
        files: &[
            "crates/capture-core/src/verdict.rs",
            "crates/capture-core/src/machine.rs",
            "crates/capture-core/src/outcome.rs",
            "crates/capture-core/src/reason.rs",
            "crates/capture-core/src/stored.rs",
            "crates/capture-core/src/tokens.rs",
            "crates/capture-core/src/token_error.rs",
            "crates/capture-core/src/ticket.rs",
            "crates/capture-core/src/shared.rs",
            "crates/capture-core/src/policy.rs",
            "crates/capture-core/src/transport.rs",
            "crates/capture-core/src/time.rs",
            "crates/capture-core/src/proof.rs",
            "crates/capture-core/src/record.rs",
            "crates/capture-core/src/mask.rs",
            "crates/capture-core/src/unread.rs",
            "crates/capture-core/src/limits/*.rs",
            "crates/capture-core/src/wire/*.rs",
            "crates/capture-core/src/values/*.rs",
        ],
        packages: "-p capture-core --all-features",
        tests: "--lib --test it",
    },
    Group {
        name: "client",
        files: &["crates/capture-client/src/*.rs"],
        packages: "-p capture-client --all-features",
        tests: "--lib --tests",
    },
    Group {
        name: "adapters",
        files: &["crates/capture-{reqwest,ureq,hyper}/src/*.rs"],
        packages: "-p capture-reqwest -p capture-ureq -p capture-hyper --test-package capture-tests \
                   --baseline skip --timeout 900",
        tests: "--test it -- conformance",
    },
    Group {
        name: "command",
        files: &["crates/capture-cli/src/**/*.rs"],
        // With its own package, or a break that does not compile would count as caught: `it` builds
        // the command only once it runs. The filters are for `it`, and for the command's unit tests.
        packages: "-p capture-cli --test-package capture-tests --test-package capture-cli \
                   --baseline skip --timeout 900",
        tests: "--bins --test it -- cli tests::",
    },
    Group {
        name: "journal",
        files: &["crates/capture-journal/src/*.rs"],
        packages: "-p capture-journal --test-package capture-tests --test-package capture-journal \
                   --baseline skip --timeout 900",
        tests: "--lib --test it -- journal foremen tests::",
    },
    Group {
        name: "file",
        files: &["crates/capture-sqlite/src/*.rs"],
        packages: "-p capture-sqlite --test-package capture-tests --test-package capture-sqlite \
                   --baseline skip --timeout 900",
        tests: "--lib --test it -- journal cli::keep cli::kept cli::batch cli::preflight tests::",
    },
    Group {
        name: "database",
        files: &["crates/capture-postgres/src/*.rs"],
        packages: "-p capture-postgres --test-package capture-tests --test-package capture-postgres \
                   --baseline skip --timeout 900",
        tests: "--lib --test it -- journal::postgres journal::fleet journal::outbox journal::evidence tests::",
    },
    Group {
        name: "bulk",
        files: &["crates/capture-bulk/src/**/*.rs"],
        packages: "-p capture-bulk",
        tests: "--lib --test it",
    },
    Group {
        name: "invariants",
        files: &[
            "tests/src/exhaustive/invariants.rs",
            "tests/src/exhaustive/clause.rs",
            "tests/src/simulation/judge.rs",
            "tests/src/simulation/clause.rs",
        ],
        packages: "-p capture-tests",
        tests: "--test it -- exhaustive simulation",
    },
];

/// Breaks one group after the other, or only the named one.
pub(crate) fn mutants(name: Option<&str>) -> Result<(), String> {
    let groups: Vec<_> =
        GROUPS.iter().filter(|it| name.is_none_or(|name| it.name == name)).collect();
    if groups.is_empty() {
        return Err(format!("mutants: one of {}", GROUPS.map(|group| group.name).join(", ")));
    }
    groups.into_iter().try_for_each(|group| {
        let figures = group.check("")?;
        eprintln!("xtask: mutants of the {}: {figures}", group.name);
        Ok(())
    })
}

impl Group {
    /// Breaks these files, or a part of what can be broken in them (cargo-mutants' `--shard`), and
    /// says how often.
    pub(crate) fn check(&self, shard: &str) -> Result<String, String> {
        let output = format!("target/mutants/{}", self.name);
        fs::create_dir_all(format!("{ROOT}/{output}"))
            .map_err(|error| format!("{output}: {error}"))?;
        let files: String = self.files.iter().map(|file| format!("--file {file} ")).collect();
        let Self { name, packages, tests, .. } = self;
        let arguments = format!("mutants {packages} {files} --output {output} {shard} -- {tests}");
        // It fails if a mutant survives, and lists each one that does.
        run(&format!("mutants of the {name}"), command("cargo", &arguments))?;
        let count = |list: &str| {
            let list = format!("{output}/mutants.out/{list}.txt");
            let text = fs::read_to_string(format!("{ROOT}/{list}"));
            text.map(|text| text.lines().count()).map_err(|error| format!("{list}: {error}"))
        };
        let (caught, missed) = (count("caught")? + count("timeout")?, count("missed")?);
        Ok(format!("{caught} caught, {missed} missed; {} do not compile", count("unviable")?))
    }
}
