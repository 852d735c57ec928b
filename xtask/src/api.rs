//! `cargo xtask api`: the public surface of each published library, kept as text in `docs/api`, so
//! that a review sees each change of it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::{fs, io};

use crate::command::{ROOT, command, run};
use crate::published::published;

/// Compares the surface with the files, or writes them anew.
pub(crate) fn api(write: bool) -> Result<(), String> {
    let folder = Path::new(ROOT).join("docs/api");
    fs::create_dir_all(&folder).map_err(|error| format!("docs/api: {error}"))?;
    let mut surfaces = BTreeMap::new();
    for krate in published()?.into_iter().filter(|krate| krate.is_library) {
        surfaces.insert(format!("{}.txt", krate.name), surface(&krate.name)?);
    }
    let kept = read(&folder).map_err(|error| format!("docs/api: {error}"))?;
    let files: BTreeSet<&String> = surfaces.keys().chain(kept.keys()).collect();
    let mut changed = Vec::new();
    for file in files {
        let difference = match (kept.get(file), surfaces.get(file)) {
            (Some(before), Some(now)) if before == now => continue,
            (Some(before), Some(now)) => difference(before, now),
            (None, _) => "it is missing\n".into(),
            (_, None) => "no published library has its name\n".into(),
        };
        changed.push(&file[..]);
        eprint!("docs/api/{file}:\n{difference}");
        if write {
            let path = folder.join(file);
            let done = match surfaces.get(file) {
                Some(now) => fs::write(path, now),
                None => fs::remove_file(path),
            };
            done.map_err(|error| format!("docs/api/{file}: {error}"))?;
        }
    }
    if write || changed.is_empty() {
        return Ok(());
    }
    let changed = changed.join(", ");
    Err(format!("the public API changed: {changed}; run cargo xtask api --write and review"))
}

/// Each file of the folder: its name and its text.
fn read(folder: &Path) -> io::Result<BTreeMap<String, String>> {
    fs::read_dir(folder)?
        .map(|entry| {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            Ok((name, fs::read_to_string(entry.path())?))
        })
        .collect()
}

/// One line for each public item, with all features: its full path and signature.
fn surface(name: &str) -> Result<String, String> {
    let arguments = format!("rustdoc --quiet --locked -p {name} --lib --all-features");
    let mut rustdoc = command("cargo", &arguments);
    rustdoc.args(["--", "-Zunstable-options", "--output-format", "json"]);
    rustdoc.env("RUSTDOC", Path::new(ROOT).join("xtask/unstable-rustdoc"));
    run(&format!("public API of {name}"), rustdoc)?;
    let json = format!("{ROOT}/target/doc/{}.json", name.replace('-', "_"));
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .map_err(|error| {
            format!("{name}: rustdoc's JSON is not the one that xtask reads: {error}")
        })?;
    let items: Vec<_> = api.items().map(|item| (item, item.to_string())).collect();
    let trait_impls: HashSet<_> = items
        .iter()
        .filter(|(_, text)| text.starts_with("impl") && text.contains(" for "))
        .map(|(item, _)| item.id())
        .collect();
    // `impl Clone for Money` says all that `pub fn Money::clone` would.
    Ok(items
        .iter()
        .filter(|(item, text)| {
            let in_trait_impl =
                item.parent_id().is_some_and(|parent| trait_impls.contains(&parent));
            !(in_trait_impl && text.contains(" fn "))
        })
        .map(|(_, text)| format!("{text}\n"))
        .collect())
}

/// The lines that only one of the two has, in the manner of diff.
fn difference(before: &str, now: &str) -> String {
    let only = |mark: char, text: &str, other: &str| -> String {
        let other: HashSet<&str> = other.lines().collect();
        let lines = text.lines().filter(|line| !other.contains(line));
        lines.map(|line| format!("{mark} {line}\n")).collect()
    };
    only('-', before, now) + &only('+', now, before)
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn a_change_is_shown_by_its_lines() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), "");
        assert_eq!(difference("a\nb\n", "a\nc\n"), "- b\n+ c\n");
    }
}
