//! The checks that did not run here. Each says so in a file, because the harness hides what a test
//! prints; the list ends `cargo xtask test`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::ROOT;

/// Names the file to the tests.
pub(crate) const VARIABLE: &str = "CAPTURE_SKIPPED";

/// The file, without a line.
pub(crate) fn begin() -> Result<PathBuf, String> {
    let folder = Path::new(ROOT).join("target");
    let file = folder.join("skipped.txt");
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    fs::create_dir_all(&folder).and_then(|()| fs::write(&file, "")).map_err(failed)?;
    Ok(file)
}

/// What the tests wrote into it, for a person.
pub(crate) fn end(file: &Path) -> Result<String, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(list(&text))
}

/// A check that runs with several sets of features is listed once.
fn list(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    match lines[..] {
        [] => "nothing was skipped".into(),
        _ => format!("SKIPPED, so not checked here:\n  {}", lines.join("\n  ")),
    }
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn each_skipped_check_is_listed_once() {
        assert_eq!(list(""), "nothing was skipped");
        let listed = list("no node here\nno curl here\nno node here\n");
        assert_eq!(listed, "SKIPPED, so not checked here:\n  no curl here\n  no node here");
    }
}
