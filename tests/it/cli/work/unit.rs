//! The systemd unit and the container file: what the page shows is what is in the repository, and holds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::command::{Run, capture, directory};
use super::service::Shop;
use crate::skipped;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs")
}

fn read(name: &str) -> String {
    fs::read_to_string(docs().join("operations").join(name)).unwrap()
}

#[test]
fn the_page_shows_the_files_as_they_are() {
    let page = fs::read_to_string(docs().join("operations.md")).unwrap();
    for (name, language) in [("capture-work.service", "ini"), ("Containerfile", "dockerfile")] {
        let block = format!("```{language}\n{}```\n", read(name));
        assert!(page.contains(&block), "copy docs/operations/{name} into docs/operations.md");
    }
}

/// The command lines of both files are understood by the command itself.
#[test]
fn the_command_lines_are_understood() {
    let unit = read("capture-work.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let own = directory("work-unit");
    let words: Vec<_> = line
        .split(' ')
        .skip(1)
        .map(|word| word.replace("${STATE_DIRECTORY}", &own.display().to_string()))
        .map(|word| word.replace("${CREDENTIALS_DIRECTORY}", &own.display().to_string()))
        .collect();
    let file = read("Containerfile");
    let (_, entry) = file.split_once("ENTRYPOINT ").unwrap();
    let entry: Vec<String> = serde_json::from_str(entry.lines().next().unwrap()).unwrap();
    let (_, flags) = file.split_once("CMD [\"--").unwrap();
    let flags: Vec<String> =
        serde_json::from_str(&format!("[\"--{}", flags.lines().next().unwrap())).unwrap();
    let contained: Vec<_> = entry.into_iter().skip(1).chain(flags).collect();
    for words in [words, contained] {
        assert_eq!(words[0], "work", "{words:?}");
        // What is missing is named, and it is no flag.
        let mut command = capture(&[]);
        command.args(&words).args(["--rate", "no number"]).env("CAPTURE_ENVIRONMENT", "sandbox");
        let run = Run::of(command.output().unwrap());
        assert!(run.code == 2 && run.stderr.contains("rate no number"), "{words:?}: {run:?}");
    }
}

/// The health check's own line, against a service that is well, and where there is none.
#[test]
fn the_health_check_of_the_container_tells_well_from_gone() {
    let service = Shop::new("check").start(&[]);
    let file = read("Containerfile");
    let line = file.lines().find(|line| line.starts_with("HEALTHCHECK")).unwrap();
    let (_, words) = line.split_once(" CMD ").unwrap();
    let words: Vec<String> = serde_json::from_str(words).unwrap();
    let (_, port) =
        service.address().rsplit_once(':').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let check = || {
        let words: Vec<_> = words.iter().map(|word| word.replace("9184", &port)).collect();
        Command::new(&words[0]).args(&words[1..]).output()
    };
    let Ok(well) = check() else { return skipped("the health check: bash is not installed") };
    assert!(well.status.success(), "{well:?}");
    assert_eq!(service.stop().code, 0);
    assert!(!check().unwrap().status.success());
}

#[test]
fn systemd_takes_the_unit() {
    let unit = read("capture-work.service");
    let place = directory("work-verify");
    // The program need not be installed here, and the version here may not know the newest settings.
    fs::write(place.join("capture"), "#!/bin/sh\n").unwrap();
    Command::new("chmod").args(["755"]).arg(place.join("capture")).status().unwrap();
    let here = unit.replace("/usr/local/bin/capture", &place.join("capture").display().to_string());
    fs::write(place.join("capture-work.service"), here).unwrap();
    let mut command = Command::new("systemd-analyze");
    let verified = command.args(["verify", "--man=no"]).arg(place.join("capture-work.service"));
    let Ok(verified) = verified.output() else {
        return skipped("the systemd unit: systemd-analyze is not installed");
    };
    let says = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && says.is_empty(), "{says}");
}
