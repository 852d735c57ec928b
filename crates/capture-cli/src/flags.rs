//! The flags that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Which journal is read or looked after, and how to answer.
#[derive(Args)]
pub(crate) struct Kept {
    /// The journal, a file or postgres://USER@HOST/DATABASE; wins over CAPTURE_JOURNAL; captures.journal in the
    /// state directory unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Prints one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where captures are recorded.
#[derive(Args)]
pub(crate) struct Journal {
    /// The journal, a file or postgres://USER@HOST/DATABASE; wins over CAPTURE_JOURNAL; captures.journal in the
    /// state directory unless given
    #[arg(long, value_name = "FILE", conflicts_with = "no_journal")]
    pub(crate) journal: Option<PathBuf>,
    /// Keeps no record, for those who keep one: the command knows of no earlier run
    #[arg(long)]
    pub(crate) no_journal: bool,
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
