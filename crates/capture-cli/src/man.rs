//! `capture completions` and `capture man`, both made from the command line's own definition.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::Cli;
use crate::config::BadInput;
use crate::exit::Exit;
use crate::output;

/// Prints the completions for a shell.
pub(crate) fn completions(shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "capture", &mut script);
    output::print(&String::from_utf8_lossy(&script));
    Exit::Yes
}

/// Prints every man page, or writes one file for each into a directory, which it makes.
pub(crate) fn pages(dir: Option<&Path>) -> Result<Exit, BadInput> {
    let mut command = Cli::command();
    command.build();
    if let Some(dir) = dir {
        let written =
            std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(command, dir));
        written.map_err(|error| {
            BadInput::new("dir", format!("dir {}: cannot be written: {error}", dir.display()))
        })?;
        return Ok(Exit::Yes);
    }
    let mut pages = Vec::new();
    for command in with_subcommands(&command) {
        Man::new(command).render(&mut pages).expect("a Vec takes every write");
    }
    output::print(&String::from_utf8_lossy(&pages));
    Ok(Exit::Yes)
}

fn with_subcommands(command: &clap::Command) -> Vec<clap::Command> {
    let below = command.get_subcommands().flat_map(with_subcommands);
    std::iter::once(command.clone()).chain(below).collect()
}
