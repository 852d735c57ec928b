//! Where the command's journal is: by flag, by variable, or in the state directory.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fmt, fs};

use capture_core::{Environment, one_line};
use capture_postgres::{Config, Host, Options};

use crate::config::{BadInput, variable};

/// A file, or a database.
#[derive(Clone)]
pub(crate) enum Place {
    File(PathBuf),
    Database { config: Box<Config>, options: Options },
}

const FILE: &str = "captures.journal";

const FLAG: &str = "--journal";

/// Where the journal is. A password never comes by a flag, which every user of the machine can read.
pub(crate) fn find(flag: Option<&Path>) -> Result<Place, BadInput> {
    const VARIABLE: &str = "CAPTURE_JOURNAL";
    if let Some(path) = flag {
        return of(path.as_os_str(), FLAG);
    }
    match env::var_os(VARIABLE) {
        Some(path) if path.is_empty() => {
            Err(refuse(&format!("{VARIABLE} is set but empty; give it a value or unset it")))
        }
        Some(text) => of(&text, VARIABLE),
        None => {
            let file = state_directory().map(|directory| Place::File(directory.join(FILE)));
            file.ok_or_else(|| {
                refuse(
                    "there is no home directory to keep the journal in; give --journal FILE, or \
                     --no-journal to keep a record yourself",
                )
            })
        }
    }
}

fn of(text: &OsStr, source: &str) -> Result<Place, BadInput> {
    let shown = text.to_string_lossy();
    if shown.starts_with("postgres://") || shown.starts_with("postgresql://") {
        return database(&shown, source);
    }
    if means_database(&shown) {
        return Err(refuse(&format!(
            "{source} names neither a file nor a database; a database is written as postgres://USER@HOST/DATABASE"
        )));
    }
    Ok(Place::File(text.into()))
}

/// What was meant for a database must not become a file of that name, which each machine would have for itself.
fn means_database(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    let is_pairs = ["host=", "hostaddr=", "user=", "password=", "dbname="];
    text.contains("://")
        || ["postgres:", "postgresql:", "jdbc:"].iter().any(|it| text.starts_with(it))
        || is_pairs.iter().any(|it| text.starts_with(it) || text.contains(&format!(" {it}")))
}

/// What is wrong with a URL is told without it: it may have a password.
fn database(url: &str, source: &str) -> Result<Place, BadInput> {
    let wrong = |why: &dyn fmt::Display| {
        refuse(&format!("{source} is no URL of a database (postgres://USER@HOST/DATABASE): {why}"))
    };
    let mut config: Config = url.parse().map_err(|error| wrong(&one_line(&error)))?;
    if config.get_hosts().is_empty() {
        return Err(wrong(&"it names no host; a socket is written as ?host=/run/postgresql"));
    }
    let is_whole = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
    if config.get_hosts().iter().any(is_whole) {
        return Err(wrong(&"an @ within a password is written as %40"));
    }
    let password = env::var_os("PGPASSWORD").map(OsString::into_encoded_bytes);
    match (config.get_password().is_some(), password) {
        (true, _) if source == FLAG => {
            return Err(refuse(
                "--journal: every user of this machine can read a password in an argument; give it by PGPASSWORD, or \
                 the whole URL by CAPTURE_JOURNAL",
            ));
        }
        (false, Some(password)) => {
            config.password(password);
        }
        _ => {}
    }
    let mut options = Options::default();
    if let Some(file) = env::var_os("PGSSLROOTCERT") {
        options.root_certificates = fs::read(&file).map_err(|error| {
            refuse(&format!("PGSSLROOTCERT {}: {error}", Path::new(&file).display()))
        })?;
    }
    if let Some(text) = variable("CAPTURE_LEASE", "journal")? {
        let seconds = text.parse().ok().filter(|seconds| (1..=600).contains(seconds));
        let rule = "must be how many seconds others wait for a process that says nothing, 1 to 600";
        let seconds = seconds.ok_or_else(|| refuse(&format!("CAPTURE_LEASE \"{text}\": {rule}")));
        options.lease = Duration::from_secs(seconds?);
    }
    Ok(Place::Database { config: Box::new(config), options })
}

impl Place {
    /// Whether there may be a journal: of a database only its server knows.
    pub(crate) fn is_there(&self) -> bool {
        match self {
            Self::File(path) => path.exists(),
            Self::Database { .. } => true,
        }
    }

    /// Any environment, for what looks at the whole journal.
    pub(crate) const ANY: Environment = Environment::Sandbox;
}

/// Without a password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = match self {
            Self::File(path) => return write!(f, "{}", path.display()),
            Self::Database { config, .. } => config,
        };
        f.write_str("postgres://")?;
        if let Some(user) = config.get_user() {
            write!(f, "{user}@")?;
        }
        for (at, host) in config.get_hosts().iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                #[cfg(unix)]
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
            let ports = config.get_ports();
            if let Some(port) = ports.get(at).or(ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", config.get_dbname().or(config.get_user()).unwrap_or_default())
    }
}

fn refuse(sentence: &str) -> BadInput {
    BadInput::new("journal", sentence)
}

/// Where a program keeps what must outlive it. The rules are few, and the usual crates know no state
/// directory of macOS and Windows.
fn state_directory() -> Option<PathBuf> {
    let home = || absolute(env::home_dir().map(PathBuf::into_os_string));
    let state = if cfg!(windows) {
        absolute(env::var_os("LOCALAPPDATA"))
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Application Support"))
    } else {
        let state = absolute(env::var_os("XDG_STATE_HOME"));
        state.or_else(|| home().map(|home| home.join(".local/state")))
    };
    state.map(|state| state.join("capture"))
}

/// A relative path would lead to another journal from another directory. XDG ignores it too.
fn absolute(path: Option<OsString>) -> Option<PathBuf> {
    path.map(PathBuf::from).filter(|path| path.is_absolute())
}
