//! Phrases that stay out of the repository, because no native speaker would write them.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What is not said, in lower case, and what is said instead. Single words are in `_typos.toml`.
const PHRASES: [(&str, &str); 25] = [
    ("a body too long that ends", "rejects a body that ends exactly at its limit"),
    ("after how long no", "start nothing new after this long"),
    ("comes onto a socket", "serving a sandbox"),
    ("has lost its teeth", "is escaped"),
    ("how far it came", "how far it got"),
    ("neither says success nor failed", "says neither SUCCESS nor FAILED"),
    ("never fails otherwise", "returns no other error"),
    ("comes of them", "happens to them"),
    ("did not leave", "was not sent"),
    ("for good", "permanently, or cannot be sent"),
    ("found stored", "if it is already stored"),
    ("her own", "their own, or your own"),
    ("in vain", "for nothing"),
    ("lied to", "never lies"),
    ("no known body", "a body that no known server sends"),
    ("nobody we know", "no known server"),
    ("passages between", "transitions"),
    ("question stays open", "saved to FILE; run the same command again"),
    ("stands there", "appears"),
    ("the passages that", "the transitions that"),
    ("under the roots of", "trusting the roots selected by features"),
    ("who says nothing is left", "an idle connection is closed"),
    ("nothing of ours", "no request of ours"),
    ("thousands marks", "thousands separators"),
    ("who captures may", "a client that captures may"),
];

#[test]
fn no_tracked_file_has_a_phrase_of_the_list() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let listed = Command::new("git")
        // In a container the checkout may be another user's, which git refuses to read.
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let this = file!().replace('\\', "/");
    let mut searched = 0;
    let mut found = Vec::new();
    for file in listed.split_terminator('\0').filter(|file| !this.ends_with(file)) {
        // Not every tracked file is text, and one may be deleted but not yet committed.
        let Ok(text) = fs::read_to_string(root.join(file)) else { continue };
        searched += 1;
        let text = one_line(&text);
        for (phrase, instead) in PHRASES.iter().filter(|(phrase, _)| text.contains(phrase)) {
            found.push(format!("{file}: \"{phrase}\": say \"{instead}\""));
        }
    }
    assert!(searched > 200, "only {searched} files: is this a git checkout?");
    assert!(found.is_empty(), "{found:#?}");
}

/// In lower case, without line ends and the marks of comments, so that a phrase may be broken, and
/// with the words of each name apart.
fn one_line(text: &str) -> String {
    let text = text.replace('_', " ").to_lowercase();
    let lines = text.lines().map(|line| line.trim_start_matches([' ', '/', '!', '#', '*']));
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_phrase_is_found_across_lines() {
    assert_eq!(one_line("    /// No known\n    ///  body\n"), "no known body");
    assert_eq!(one_line("# Who captures\n# may"), "who captures may");
    assert_eq!(one_line("fn no_known_body() {}"), "fn no known body() {}");
}
