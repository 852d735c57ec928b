//! The walk of `docs/fleet.md`: its commands as they are written, in one shell, on other ports.

use std::env;
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::Failed;
use crate::engine::free_ports;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const SECTION: &str = "\n## On a durable-execution engine\n";

/// What the page is written for: the engine's own ports, the service's and the sandbox's.
const WRITTEN_FOR: [&str; 4] = ["8080", "9070", "9080", "8787"];

/// Runs every block of commands of the section, and compares what it prints with the block after it.
pub(crate) fn walk() -> Result<(), Failed> {
    let page = fs::read_to_string(format!("{ROOT}/docs/fleet.md"))?;
    let (_, section) = page.split_once(SECTION).ok_or("docs/fleet.md: no section on an engine")?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = blocks(section);
    let commands: Vec<_> = blocks.iter().filter(|(kind, _)| *kind == "sh").collect();
    let [node, ports @ ..] = free_ports::<5>().map(|port| port.to_string());
    let moved = |text: &str| {
        let pairs = WRITTEN_FOR.iter().zip(&ports);
        pairs.fold(text.to_owned(), |text, (written, port)| text.replace(written, port))
    };
    let mut script = String::new();
    for (_, text) in &commands {
        script += &moved(text);
        script += "echo; echo ----\n";
    }
    let mut shell = Command::new("bash");
    shell.args(["-euc", &script]).current_dir(ROOT);
    shell.env("RESTATE_BIND_PORT", node).env("RESTATE_INGRESS__BIND_PORT", &ports[0]);
    shell.env("RESTATE_ADMIN__BIND_PORT", &ports[1]);
    shell.env("CAPTURE_LISTEN", format!("127.0.0.1:{}", ports[2]));
    shell.env_remove("http_proxy").env("no_proxy", "127.0.0.1");
    // A file, as the end of a pipe would be awaited from what the walk has started, too.
    let file = env::temp_dir().join(format!("capture-walk-{}", std::process::id()));
    shell.stdin(Stdio::null()).stdout(File::create(&file)?).process_group(0);
    let mut shell = shell.spawn()?;
    let status = shell.wait()?;
    let group = format!("-{}", shell.id());
    let _ = Command::new("kill").args(["-9", "--", &group]).stderr(Stdio::null()).status();
    let printed = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    if !status.success() {
        return Err(format!("the walk of docs/fleet.md ended with {status}:\n{printed}").into());
    }
    let printed: Vec<_> = printed.split("\n----\n").map(str::trim).collect();
    let mut compared = 0;
    for pair in blocks.windows(2).filter(|pair| pair[0].0 == "sh" && pair[1].0 == "text") {
        let place = commands.iter().position(|(_, text)| *text == pair[0].1);
        let printed = printed[place.expect("it is one of them")];
        let expected = moved(pair[1].1.trim());
        if printed != expected {
            return Err(format!("docs/fleet.md says\n{expected}\nand it is\n{printed}").into());
        }
        compared += 1;
    }
    if compared < 4 {
        return Err(format!("docs/fleet.md: only {compared} blocks could be compared").into());
    }
    println!("proof: the walk of docs/fleet.md does what it says ({compared} blocks)");
    Ok(())
}

/// The fenced blocks: the word after the fence, and the text.
fn blocks(section: &str) -> Vec<(&str, &str)> {
    let fenced = section.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n')).collect()
}
