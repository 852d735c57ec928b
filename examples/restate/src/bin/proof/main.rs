//! Proves that orders are captured once while the engine and the service are killed: `cargo xtask restate`.

mod broken;
mod callers;
mod cost;
mod dice;
mod engine;
mod operator;
mod verdict;
mod walk;
mod world;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, io};

pub(crate) type Failed = Box<dyn Error + Send + Sync>;

const HELP: &str = "\
Usage: proof --server PROGRAM [--kills N] [--seed N] [--broken NAME] | --walk | --cost
       proof --serve NAME

  --server PROGRAM  the engine's own program, not the script that npm puts in front of it
  --kills N         so many kills of the service, the engine, or both; 100 unless given
  --seed N          which ones, when, and what else goes wrong
  --broken NAME     a handler that is wrong on purpose, which the checks must catch
  --walk            runs the commands of docs/fleet.md instead, and compares what they print
  --cost            compares captures through the engine with those of the plain client
  --serve NAME      is such a wrong handler: what --broken starts instead of the service
";

/// What is asked for.
struct Wanted {
    server: PathBuf,
    kills: u32,
    seed: u64,
    broken: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("proof: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failed> {
    let mut wanted = Wanted { server: PathBuf::new(), kills: 100, seed: 1, broken: None };
    let (mut walk, mut cost) = (false, false);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| io::Error::other(HELP));
        match argument.as_str() {
            "--server" => wanted.server = value()?.into(),
            "--kills" => wanted.kills = value()?.parse()?,
            "--seed" => wanted.seed = value()?.parse()?,
            "--broken" => wanted.broken = Some(value()?),
            "--walk" => walk = true,
            "--cost" => cost = true,
            "--serve" => return broken::serve(&value()?).await,
            _ => return Err(HELP.into()),
        }
    }
    if walk {
        return walk::walk();
    }
    if !wanted.server.is_file() {
        return Err(format!("{}: no such program\n{HELP}", wanted.server.display()).into());
    }
    if cost { cost::cost(&wanted).await } else { verdict::prove(&wanted).await }
}
