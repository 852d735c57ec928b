//! `docs/sandbox.md` is true: its commands, its tests in other languages, its scripts.

use std::process::{Command, Stdio};

use capture_sandbox::{PRESETS, Sandbox, Script, Server};

use crate::world::{World, json, money};

const DOCS: &str = include_str!("../../../../docs/sandbox.md");
const WRITTEN_FOR: &str = "http://127.0.0.1:8787";

/// The fenced blocks: the words after the fence, and the text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let mut fences = DOCS.split("```");
    let _before = fences.next();
    let mut blocks = Vec::new();
    while let Some(block) = fences.next() {
        blocks.push(block.split_once('\n').unwrap());
        let _between = fences.next();
    }
    blocks
}

fn is_here(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        crate::skipped(&format!("no {program} here, so its part of docs/sandbox.md was not run"));
    }
    found
}

/// What the program prints when it runs this text against the sandbox.
fn run(server: &Server, program: &str, flags: &[&str], text: &str) -> String {
    let text = text.replace(WRITTEN_FOR, &server.base_url());
    let output = Command::new(program)
        .args(flags)
        .arg(&text)
        .env_remove("http_proxy")
        .env("no_proxy", "127.0.0.1,localhost")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {errors}\n{text}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_walk_with_curl() {
    if !is_here("curl") {
        return;
    }
    for orders in [0, 1] {
        let server = Sandbox::start();
        // The command's sandbox begins with an order, to have something to show.
        (0..orders).for_each(|_| _ = server.create_order(money("100.00")));
        walk(&server);
        assert_eq!(server.audit().disagreements, 1);
        assert_eq!(server.ledger().entries().len(), 2);
    }
}

fn walk(server: &Server) {
    let blocks = blocks();
    // One shell for all of them, as a reader has; a line of its own tells their outputs apart.
    let commands: Vec<_> = blocks.iter().filter(|(kind, _)| *kind == "sh").collect();
    assert!(commands.len() >= 9, "{}", commands.len());
    let text: String =
        commands.iter().map(|(_, text)| format!("{text}\necho; echo ----\n")).collect();
    let printed = run(server, "sh", &["-euc"], &text);
    let printed: Vec<_> = printed.split("\n----\n").map(str::trim).collect();

    let pairs = blocks.windows(2).filter(|pair| pair[0].0 == "sh" && pair[1].0 == "text");
    let mut compared = 0;
    for pair in pairs {
        let place = commands.iter().position(|(_, text)| *text == pair[0].1).unwrap();
        assert_eq!(printed[place], pair[1].1.trim(), "{}", pair[0].1);
        compared += 1;
    }
    assert!(compared >= 7, "{compared}");
}

#[cfg(feature = "tls")]
#[test]
fn the_walk_over_tls() {
    if !is_here("curl") {
        return;
    }
    let blocks = blocks();
    let at = blocks.iter().position(|(kind, _)| *kind == "sh tls").unwrap();
    let server = Sandbox::builder().tls().start().unwrap();
    let folder = std::env::temp_dir().join(format!("capture-docs-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("authority.pem"), server.authority_pem().unwrap()).unwrap();
    let port = server.base_url().rsplit(':').next().unwrap().to_owned();
    let text = format!("cd '{}'\n{}", folder.display(), blocks[at].1.replace("8787", &port));
    let printed = run(&server, "sh", &["-euc"], &text);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(printed.trim(), blocks[at + 1].1.trim());
}

#[test]
fn the_tests_in_other_languages() {
    for (kind, program, flags, client) in [
        ("python", "python3", &["-c"][..], "python"),
        ("js", "node", &["--input-type=module", "--eval"][..], "node"),
    ] {
        if !is_here(program) {
            continue;
        }
        let server = Sandbox::start();
        let blocks = blocks();
        let (_, text) = blocks.iter().find(|(found, _)| *found == kind).unwrap();
        assert_eq!(run(&server, program, flags, text), "");
        let report = server.audit();
        assert_eq!(report.comparisons.len(), 1, "{report:?}");
        assert_eq!(report.comparisons[0].by.as_deref(), Some(client));
        assert_eq!(report.comparisons[0].captures, 1);
        // And it would have noticed a lie.
        let liar = text.replace("\"unknown\"", "\"not_captured\"");
        assert_ne!(liar, *text);
        let output = Command::new(program)
            .args(flags)
            .arg(liar.replace(WRITTEN_FOR, &server.base_url()))
            .output()
            .unwrap();
        assert!(!output.status.success(), "{program} did not notice");
    }
}

#[test]
fn the_scripts_and_the_presets() {
    let blocks = blocks();
    let scripts: Vec<_> = blocks.iter().filter(|(kind, _)| *kind == "json script").collect();
    assert_eq!(scripts.len(), 6);
    for (_, text) in scripts {
        let script = Script::from_json(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_ne!(script, Script::default());
    }
    for (name, what) in PRESETS {
        assert!(DOCS.contains(&format!("| `{name}` | {what} |")), "{name}");
    }
    let mut world = World::new();
    let index = json(&world.get("/_sandbox/"));
    for route in index["sandbox"].as_object().unwrap().keys() {
        let (method, path) = route.split_once(' ').unwrap();
        let mut rows = DOCS.lines().filter(|row| row.contains(&format!("{path}` |")));
        assert!(rows.any(|row| row.contains(method)), "{route} is not in the table");
    }
}
