//! What a reader may rely on: the core's purity, the adapters' size, no circles of files, a first line
//! in every file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::circles::circles;

#[test]
fn the_core_depends_on_no_client_runtime_or_tls() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "-p", "capture-core", "--all-features"])
        .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let names: std::collections::BTreeSet<&str> =
        text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("capture-core") && names.len() > 5, "{names:?}");
    assert!(names.len() <= 30, "{} crates: {names:?}", names.len());
    for foreign in
        ["tokio", "hyper", "reqwest", "ureq", "rustls", "mio", "async-std", "socket2", "openssl"]
    {
        assert!(!names.contains(foreign), "{foreign}");
    }
}

/// A number in an error is shown as it came; nothing else in the core is a float, amounts least of all.
#[test]
fn no_amount_is_a_float() {
    for file in sources(&root().join("crates/capture-core/src")) {
        let text = fs::read_to_string(&file).unwrap();
        let has_float = ["f32", "f64"].iter().any(|float| text.contains(float));
        assert_eq!(has_float, file.ends_with("wire/entries.rs"), "{}", file.display());
    }
}

#[test]
fn each_adapter_stays_small() {
    for adapter in ["capture-reqwest", "capture-ureq", "capture-hyper"] {
        let files = sources(&root().join("crates").join(adapter).join("src"));
        let lines: usize =
            files.iter().map(|file| fs::read_to_string(file).unwrap().lines().count()).sum();
        assert!((80..=150).contains(&lines), "{adapter}: {lines} lines");
    }
}

#[test]
fn every_file_begins_with_what_lives_there() {
    let files: Vec<PathBuf> = ["crates", "examples", "xtask", "tests", "fuzz/fuzz_targets"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .collect();
    assert!(files.len() > 60, "{}", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! ") && first.len() > 10, "{}: {first}", file.display());
    }
}

/// The folders whose files may not import from each other in circles.
const WITHOUT_CIRCLES: [&str; 8] = [
    "benches/src",
    "crates/capture-cli/src",
    "crates/capture-client/src",
    "crates/capture-conformance/src",
    "crates/capture-core/src",
    "crates/capture-sandbox/src",
    "tests/it",
    "tests/src",
];

#[test]
fn files_do_not_import_from_each_other_in_circles() {
    let found = WITHOUT_CIRCLES.map(|folder| (folder, circles(&root().join(folder))));
    let found: Vec<_> = found.iter().filter(|(_, circles)| !circles.is_empty()).collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// Rules, invariants and requirements have one list each, without gaps: other pages cite them.
#[test]
fn rules_invariants_and_requirements_are_listed_without_gaps() {
    for (page, begins, prefix, last) in [
        ("outcomes.md", "- **", 'R', 10),
        ("outcomes.md", "| ", 'I', 20),
        ("adapters.md", "| ", 'A', 12),
    ] {
        let text = fs::read_to_string(root().join("docs").join(page)).unwrap();
        let number = |line: &str| {
            let (word, _) = line.strip_prefix(begins)?.split_once(' ')?;
            word.strip_prefix(prefix)?.parse::<u32>().ok()
        };
        let numbers: Vec<u32> = text.lines().filter_map(number).collect();
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "{prefix} in docs/{page}");
    }
}

/// The transport that the documentation shows is the one that its tests hold to the rows.
#[test]
fn the_documented_transport_is_the_tested_one() {
    let example = fs::read_to_string(root().join("examples/over_attohttpc.rs")).unwrap();
    let (_, shown) = example.split_once("// docs: a transport of your own\n").unwrap();
    let (shown, _) = shown.split_once("// docs: end\n").unwrap();
    let page = fs::read_to_string(root().join("docs/adapters.md")).unwrap();
    let block = format!("```rust,ignore\n{shown}```\n");
    assert!(page.contains(&block), "copy this into docs/adapters.md:\n{block}");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// All Rust files below a folder, build output left out.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
