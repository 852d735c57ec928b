//! The `capture` command: one order captured, from the shell, with an exit code that never lies.

mod args;
mod batch;
mod config;
mod connections;
mod demo;
mod drawn;
mod exit;
mod explain;
mod file;
mod flags;
mod help;
mod journal;
mod keep;
mod killed;
mod length;
mod man;
mod order;
mod output;
mod place;
mod report;
mod route;
mod sandbox;
mod status;
mod store;
mod told;
mod transport;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use config::BadInput;
use exit::Exit;

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => return explained(&error).into(),
    };
    let json = command.json();
    let exit = run(&command).unwrap_or_else(|bad| {
        output::error(json, &bad.sentence, Some(bad.field));
        Exit::Nothing
    });
    // What could not be printed was not done, unless it was done elsewhere.
    let exit = match exit {
        Exit::Yes if command.only_prints() && output::stdout_failed() => Exit::No,
        exit => exit,
    };
    exit.into()
}

fn run(command: &Command) -> Result<Exit, BadInput> {
    match command {
        Command::Demo => demo::run(),
        Command::Order(args) => order::run(args),
        Command::Plan(args) => batch::plan::run(args),
        Command::Run(args) => batch::run::run(args),
        Command::Settle(args) => batch::run::settle(args),
        Command::Work(args) => batch::work::run(args),
        Command::Runs(args) => batch::runs::runs(args),
        Command::Results(args) => batch::runs::results(args),
        Command::Due(args) => batch::due::run(args),
        Command::Report(args) => batch::report::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Journal(keep) => keep::run(keep),
        Command::Status(args) => status::run(args),
        Command::Sandbox(args) => sandbox::run(args),
        Command::Completions { shell } => Ok(man::completions(*shell)),
        Command::Man { dir } => man::pages(dir.as_deref()),
    }
}

/// Prints what clap reports: the help that was asked for, or what is wrong with the command line.
fn explained(error: &clap::Error) -> Exit {
    let printed = error.print();
    if !error.use_stderr() {
        output::written(printed);
        return if output::stdout_failed() { Exit::No } else { Exit::Yes };
    }
    if std::env::args_os().any(|arg| arg == "--json") {
        let text = error.to_string();
        let sentence = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
        let words: Vec<&str> = sentence.split_whitespace().collect();
        output::json(&output::Error::new(&words.join(" "), None));
    }
    Exit::Nothing
}
