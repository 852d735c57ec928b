//! The arguments of the commands for whole files.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::guards::Guards;
use crate::flags::{Connection, Kept, Resend};

/// A file of captures.
#[derive(Args)]
pub(crate) struct List {
    /// How the file is written; by its name or its first byte unless given
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
    /// Other names of columns, such as order_id=Order,amount=Total
    #[arg(long, value_name = "FIELD=NAME,...", allow_hyphen_values = true)]
    pub(crate) columns: Option<String>,
}

/// How many captures a second begin at most, unless `--rate` says otherwise.
pub(super) const RATE: u32 = 50;

#[derive(Args)]
pub(crate) struct Plan {
    /// A CSV or JSON lines file; - for stdin
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) list: List,
    #[command(flatten)]
    pub(crate) guards: Guards,
    /// sandbox, production or a URL; wins over CAPTURE_ENVIRONMENT
    #[arg(long, value_name = "ENVIRONMENT", allow_hyphen_values = true)]
    pub(crate) environment: Option<String>,
    #[command(flatten)]
    pub(crate) kept: Kept,
}

#[derive(Args)]
pub(crate) struct Run {
    /// A CSV or JSON lines file; - for stdin; without one, every list that is not decided goes on
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) list: List,
    #[command(flatten)]
    pub(crate) guards: Guards,
    /// The number of captures and their totals as plan prints them: what was approved is what runs
    #[arg(long, value_name = "CAPTURES:TOTALS", allow_hyphen_values = true)]
    pub(crate) confirm: Option<String>,
    /// First looks at so many orders at the API, or at all; one that cannot be captured stops the list
    #[arg(long, value_name = "N|all", requires = "file")]
    pub(crate) preflight: Option<String>,
    /// Writes every line with its outcome to FILE (.csv or .jsonl), while it runs and at the end
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) until: Until,
    #[command(flatten)]
    pub(crate) work: Work,
}

/// How captures are worked off.
#[derive(Args)]
pub(crate) struct Work {
    /// How many captures are on their way at once, 1 to 256
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) concurrency: u16,
    /// How many captures a second this process begins at most; none for as many as go
    #[arg(long, value_name = "N|none", default_value_t = RATE.to_string(), allow_hyphen_values = true)]
    pub(crate) rate: String,
    /// Seconds that what is on its way may take after Ctrl-C or SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = 40)]
    pub(crate) grace: u64,
    /// Seconds after which nothing new is sent for a capture, until it is looked at again
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub(crate) deadline: Option<String>,
    /// Whether a capture in doubt is sent again, always under the same key
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Resend::Keyed)]
    pub(crate) resend: Resend,
    /// application/*+json (the contract's literal) or application/json
    #[arg(long, value_name = "TYPE", default_value = "application/*+json")]
    pub(crate) content_type: String,
    /// The journal, a file or postgres://USER@HOST/DATABASE; wins over CAPTURE_JOURNAL; captures.journal in the
    /// state directory unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// How long a run that ends by itself goes on, and what it tells meanwhile.
#[derive(Args)]
pub(crate) struct Until {
    /// Seconds to look again at what is in doubt once all else is decided
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) settle_for: u64,
    /// Prints how it goes as a JSON object a second on stdout, before what --json prints
    #[arg(long, requires = "json")]
    pub(crate) events: bool,
}

#[derive(Args)]
pub(crate) struct Settle {
    #[command(flatten)]
    pub(crate) until: Until,
    #[command(flatten)]
    pub(crate) work: Work,
}

/// A service that drains the journal.
#[derive(Args)]
pub(crate) struct Service {
    /// Serves /health and /metrics at a loopback address, such as 127.0.0.1:9184; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", allow_hyphen_values = true)]
    pub(crate) health: Option<String>,
    /// How the log on stderr is written; text on a terminal and json elsewhere unless given
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) log: Option<Log>,
    #[command(flatten)]
    pub(crate) work: Work,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Log {
    Text,
    Json,
}

#[derive(Args)]
pub(crate) struct Due {
    /// Ends with 1 if an order voids before then, or may, such as 6h
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) within: Option<String>,
    /// How long an order waits for its capture (5m to 7d), as configured with FlexFactor
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) window: Option<String>,
    /// The journal, a file or postgres://USER@HOST/DATABASE; wins over CAPTURE_JOURNAL; captures.journal in the
    /// state directory unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args)]
pub(crate) struct Runs {
    /// sandbox, production or a URL; wins over CAPTURE_ENVIRONMENT
    #[arg(long, value_name = "ENVIRONMENT", allow_hyphen_values = true)]
    pub(crate) environment: Option<String>,
    #[command(flatten)]
    pub(crate) kept: Kept,
}

#[derive(Args)]
pub(crate) struct Results {
    /// The number of the list, as runs prints it
    pub(crate) run: i64,
    /// A .csv or .jsonl file; CSV on stdout unless given
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) of: Runs,
}

#[derive(Args)]
pub(crate) struct Report {
    /// The number of the list, as runs prints it
    pub(crate) run: i64,
    /// The file to write; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) html: PathBuf,
    #[command(flatten)]
    pub(crate) of: Runs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Csv,
    Jsonl,
}
