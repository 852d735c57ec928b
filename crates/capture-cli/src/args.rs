//! The command line: its arguments, and the help that explains them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, value_parser};
use clap_complete::Shell;

use crate::batch::args as batch;
pub(crate) use crate::flags::{Connection, Journal, Kept, Resend, Transport};
use crate::help::{
    ABOUT, AFTER, AFTER_DUE, AFTER_EXPLAIN, AFTER_JOURNAL, AFTER_ORDER, AFTER_PLAN, AFTER_REPORT,
    AFTER_RUN, AFTER_SANDBOX, AFTER_SETTLE, AFTER_STATUS, AFTER_WORK,
};

#[derive(Parser)]
#[command(
    name = "capture",
    version,
    about = "Captures the money of an authorised order exactly once, and says what happened",
    long_about = ABOUT,
    after_help = AFTER,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Captures orders on an embedded sandbox, loses replies and kills a process; needs no account
    Demo,
    /// Captures one order, once; run again, it resumes or shows the recorded outcome
    #[command(after_help = AFTER_ORDER)]
    Order(Order),
    /// Checks a file of captures: every fault at once, totals, the plan; sends nothing
    #[command(after_help = AFTER_PLAN)]
    Plan(batch::Plan),
    /// Captures a file, each order once; run again, it goes on where it stopped
    #[command(after_help = AFTER_RUN)]
    Run(Box<batch::Run>),
    /// Looks at what is in doubt, and at nothing else; for cron
    #[command(after_help = AFTER_SETTLE)]
    Settle(batch::Settle),
    /// Drains the journal as a service, until a signal: what was enqueued, left or is in doubt
    #[command(after_help = AFTER_WORK)]
    Work(batch::Service),
    /// Lists the files that were run, and what they came to
    Runs(batch::Runs),
    /// Writes every line of a list with its outcome, at any time
    Results(batch::Results),
    /// Lists the orders that wait for their capture, what voids first first
    #[command(after_help = AFTER_DUE)]
    Due(batch::Due),
    /// Makes one HTML file of a list: totals, times, and what needs attention
    #[command(after_help = AFTER_REPORT)]
    Report(batch::Report),
    /// Tells the story of one order from the journal, in plain words
    #[command(after_help = AFTER_EXPLAIN)]
    Explain(Explain),
    /// Checks, copies, moves and shortens the journal
    #[command(subcommand, after_help = AFTER_JOURNAL)]
    Journal(Keep),
    /// Reads the definitive status of one order
    #[command(after_help = AFTER_STATUS)]
    Status(Status),
    /// Runs the sandbox, a stateful imitation of the API, until Ctrl-C
    #[command(after_help = AFTER_SANDBOX)]
    Sandbox(Sandbox),
    /// Prints the completions for a shell
    Completions { shell: Shell },
    /// Prints the man pages
    Man {
        /// Write one file per command into this directory instead; it is made
        #[arg(long)]
        dir: Option<PathBuf>,
    },
}

impl Command {
    /// Whether what it prints is all that it does. An order is captured or not, even if nobody reads
    /// the result.
    pub(crate) fn only_prints(&self) -> bool {
        match self {
            Self::Order(order) => order.dry_run,
            Self::Run(_) | Self::Settle(_) | Self::Work(_) => false,
            _ => true,
        }
    }

    /// Whether stdout is for machines.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Order(order) => order.connection.json,
            Self::Plan(plan) => plan.kept.json,
            Self::Run(run) => run.work.connection.json,
            Self::Settle(settle) => settle.work.connection.json,
            Self::Work(service) => service.work.connection.json,
            Self::Runs(runs) => runs.kept.json,
            Self::Results(results) => results.of.kept.json,
            Self::Due(due) => due.connection.json,
            Self::Report(report) => report.of.kept.json,
            Self::Explain(explain) => explain.kept.json,
            Self::Journal(keep) => keep.kept().json,
            Self::Status(status) => status.connection.json,
            Self::Sandbox(sandbox) => sandbox.json,
            Self::Demo | Self::Completions { .. } | Self::Man { .. } => false,
        }
    }
}

// Values stay strings here: the core says what is wrong with them, and an amount such as -1 must
// reach it instead of being taken for a flag.
#[derive(Args)]
pub(crate) struct Order {
    /// The orderId (a GUID) that the API returned for the order
    #[arg(allow_negative_numbers = true)]
    pub(crate) order_id: String,
    /// The amount in the currency's own decimals, such as 100.00
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) amount: String,
    /// The ISO 4217 code, such as USD
    #[arg(long, value_name = "CODE", allow_hyphen_values = true)]
    pub(crate) currency: String,
    /// The idempotency key; derived from the order unless given
    #[arg(long, value_name = "GUID", allow_hyphen_values = true)]
    pub(crate) key: Option<String>,
    /// Prints the request with the token masked; sends nothing, needs no credentials
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Start nothing new after this many seconds; 120 unless given
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub(crate) deadline: Option<String>,
    /// How often the capture may be sent, 1 to 100; 4 unless given
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) max_sends: Option<String>,
    /// How often the order must be seen waiting before a refusal counts, 1 to 100; 3 unless given
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) confirmations: Option<String>,
    /// Whether a capture in doubt is sent again, always under the same key
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Resend::Keyed)]
    pub(crate) resend: Resend,
    /// application/*+json (the contract's literal) or application/json
    #[arg(long, value_name = "TYPE", default_value = "application/*+json")]
    pub(crate) content_type: String,
    #[command(flatten)]
    pub(crate) journal: Journal,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args)]
pub(crate) struct Explain {
    /// The orderId (a GUID) that the API returned for the order
    #[arg(allow_negative_numbers = true)]
    pub(crate) order_id: String,
    /// sandbox, production or a URL; needed only if the journal has the order more than once
    #[arg(long, value_name = "ENVIRONMENT", allow_hyphen_values = true)]
    pub(crate) environment: Option<String>,
    /// Writes what FlexFactor's support needs to FILE (JSON), without secrets and personal data
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) kept: Kept,
}

/// What can be done to the journal itself.
#[derive(Subcommand)]
pub(crate) enum Keep {
    /// Looks for damage, and for rows that contradict each other
    Check(Kept),
    /// Walks the chain of the records: whether any was edited
    Verify {
        /// A head that was printed before: whether the chain still goes through it
        #[arg(long, value_name = "HEX", allow_hyphen_values = true)]
        head: Option<String>,
        #[command(flatten)]
        kept: Kept,
    },
    /// Copies the journal to a new file, while it may be in use
    Backup {
        file: PathBuf,
        #[command(flatten)]
        kept: Kept,
    },
    /// Writes the captures of an environment as lines of JSON
    Export {
        /// A new file; stdout unless given
        file: Option<PathBuf>,
        /// sandbox, production or a URL; wins over CAPTURE_ENVIRONMENT
        #[arg(long, value_name = "ENVIRONMENT", allow_hyphen_values = true)]
        environment: Option<String>,
        #[command(flatten)]
        kept: Kept,
    },
    /// Reads in what export wrote: all of it, or nothing
    Import {
        /// The file; - for stdin
        file: PathBuf,
        /// sandbox, production or a URL; wins over CAPTURE_ENVIRONMENT
        #[arg(long, value_name = "ENVIRONMENT", allow_hyphen_values = true)]
        environment: Option<String>,
        #[command(flatten)]
        kept: Kept,
    },
    /// Removes the oldest records, as far as all of their orders were decided before a day
    Prune {
        /// Such as 2026-10-01, in UTC; at least 30 days ago
        #[arg(long, value_name = "DAY", allow_hyphen_values = true)]
        before: String,
        #[command(flatten)]
        kept: Kept,
    },
}

#[derive(Args)]
pub(crate) struct Status {
    /// The orderId (a GUID) that the API returned for the order
    #[arg(allow_negative_numbers = true)]
    pub(crate) order_id: String,
    #[command(flatten)]
    pub(crate) journal: Journal,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args)]
pub(crate) struct Sandbox {
    /// A loopback address and a port; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8787")]
    pub(crate) listen: String,
    /// The port, instead of the one in --listen; 0 takes a free one
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// A fault script: a preset such as lost-reply, or a JSON file (docs/sandbox.md)
    #[arg(long, value_name = "PRESET|FILE")]
    pub(crate) script: Option<String>,
    /// Serves TLS and HTTP/2 too; the authority to trust is written to FILE (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) tls: Option<PathBuf>,
    /// Begins with N orders that wait: amounts in five currencies, drawn by the seed
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) orders: Option<u32>,
    /// Writes these orders to FILE (CSV) before it says that it listens
    #[arg(long, value_name = "FILE", requires = "orders")]
    pub(crate) export: Option<PathBuf>,
    /// Draws when each is voided from this range, such as 10m..7d; after 7 days unless given
    #[arg(long, value_name = "FROM..TO", requires = "orders")]
    pub(crate) window: Option<String>,
    /// The seed of ids and random faults: the same seed gives the same replies
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Lets other machines use it; they then control it completely
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Prints one JSON object once it listens
    #[arg(long)]
    pub(crate) json: bool,
}
