//! The command line: its arguments, and the help that explains them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

const ABOUT: &str = "\
Captures the money of an authorised FlexFactor order exactly once, and says what happened: \
captured, not captured, or unknown.

An unknown outcome is never called a failure: money may have moved. Run the same command again \
to find out: the idempotency key is derived from the order unless you give one.";

const AFTER: &str = "\
Environment variables:
  CAPTURE_ENVIRONMENT  sandbox, production or a URL; there is no default
  CAPTURE_TOKEN        a bearer token; or, instead of it,
  CAPTURE_APP_KEY      the API key and
  CAPTURE_APP_SECRET   the API secret to log in with
  CAPTURE_PROXY        a proxy, http://[USER:PASSWORD@]HOST:PORT; the proxies that
                       other variables name (HTTPS_PROXY, ALL_PROXY) are ignored
  A variable that is set but empty is an error. No flag takes a secret.

Exit codes:
  0  captured, or the command is done
  1  definitely not captured; for the other commands: not done, or not printed
  2  nothing done: invalid input or configuration, no connection, no login
  3  unknown: money may have moved; or captured with a caveat (refunded since,
     or in another currency). Hold the goods.

Examples:
  capture demo
  capture sandbox
  capture order 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81 --amount 100.00 \\
    --currency USD
  capture status 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81 --json";

const AFTER_ORDER: &str = "\
Output:
  Results go to stdout, everything else to stderr. With --json, stdout is one
  object with exactly these keys: order_id, outcome (captured, not_captured,
  nothing_done, unknown), code, cause (what stands in the way), says,
  idempotency_key, asked_amount (in minor units), asked_currency,
  captured_amount (null unless the proof shows it), amount_verified, proof (null
  unless captured), caveat (null, refunded or other_currency), errors (all that
  the API said about a refusal), new_key (the key of the next capture, where
  this one must not be used again), obstacle, retry_after_s (the wait that the
  API asked for), due_at_ms (when to look again), attempts (each with its reply,
  where that was a refusal or decided nothing), next_step. Invalid input gives
  {\"error\", \"field\"} instead.

After exit code 2 (nothing done):
  This run did not get as far as the order: fix what it names and run it
  again. It is not called \"not captured\", because an earlier run may have sent
  the same capture: if that one ended as unknown, it still is.

After exit code 3 (unknown):
  Run the same command again; the key stays the same. With --ticket FILE the
  unknown outcome is saved to a file, and the next run resumes it, starting
  with the order's status. Never capture the order with another key before it
  is decided.

Exit codes:
  0  captured    1  definitely not captured
  2  nothing done: invalid input or configuration, no connection, no login
  3  unknown: money may have moved; or captured with a caveat. Hold the goods.

Examples:
  capture order 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81 --amount 100.00 \\
    --currency USD --ticket order.ticket
  capture order 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81 --amount 100 \\
    --currency JPY --environment production --dry-run";

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
    /// Captures orders on an embedded sandbox and loses replies; needs no account
    Demo,
    /// Captures one order
    #[command(after_help = AFTER_ORDER)]
    Order(Order),
    /// Reads the definitive status of one order
    #[command(
        after_help = "With --json: {\"order_id\", \"status\", \"status_name\", \"next_step\"}; without a status {\"error\", \"field\", \"cause\", \"retry_after_s\", \"next_step\"}."
    )]
    Status(Status),
    /// Runs the sandbox, a stateful imitation of the API, until Ctrl-C
    #[command(
        after_help = "With --json: one line {\"base_url\", \"plain_url\", \"app_key\", \"app_secret\"} once it listens."
    )]
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
        !matches!(self, Self::Order(order) if !order.dry_run)
    }

    /// Whether stdout is for machines.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Order(order) => order.connection.json,
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
    /// Saves an unknown outcome to FILE, and resumes it from there
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub(crate) ticket: Option<PathBuf>,
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
    pub(crate) connection: Connection,
}

#[derive(Args)]
pub(crate) struct Status {
    /// The orderId (a GUID) that the API returned for the order
    #[arg(allow_negative_numbers = true)]
    pub(crate) order_id: String,
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

/// The environment, the credentials and the HTTP client.
#[derive(Args)]
pub(crate) struct Connection {
    /// sandbox, production or a URL; wins over CAPTURE_ENVIRONMENT
    #[arg(long, value_name = "ENVIRONMENT", allow_hyphen_values = true)]
    pub(crate) environment: Option<String>,
    /// A JSON file: {"app_key": "...", "app_secret": "..."} or {"token": "..."}
    #[arg(long, value_name = "FILE")]
    pub(crate) credentials: Option<PathBuf>,
    /// The HTTP client
    #[arg(long, value_enum, value_name = "CLIENT", default_value_t = Transport::Reqwest)]
    pub(crate) transport: Transport,
    /// Trusts the certificates in FILE (PEM) too, such as the sandbox's own
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// A proxy by its URL (http://HOST:PORT); wins over CAPTURE_PROXY
    #[arg(long, value_name = "URL", allow_hyphen_values = true)]
    pub(crate) proxy: Option<String>,
    /// Seconds that one attempt may take; 35 unless given (the gateway answers up to 30)
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub(crate) attempt_timeout: Option<String>,
    /// Prints one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Resend {
    Keyed,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    Reqwest,
    Ureq,
    Hyper,
}

impl Transport {
    /// As it is written after `--transport`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reqwest => "reqwest",
            Self::Ureq => "ureq",
            Self::Hyper => "hyper",
        }
    }
}
