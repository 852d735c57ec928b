//! Opening the file: what it must be, what it is set to, and what its opener is told.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use capture_core::Environment;
use capture_journal::{Fence, Held, Holder, Story, environment_name, unix_ms};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params};

use crate::body;
use crate::holder::{self, Alive, Holders};
use crate::place;
use crate::want::Scan;

/// The journal of one environment's captures, in a file that other environments may share.
///
/// Any number of processes may have it open. The file and its companions (`-wal`, `-shm`, `.holders`)
/// belong together.
#[derive(Debug)]
pub struct Sqlite {
    pub(crate) connection: Connection,
    pub(crate) environment: i64,
    pub(crate) environment_name: String,
    pub(crate) fence: Fence,
    pub(crate) us: Holder,
    pub(crate) holders: Holders,
    pub(crate) path: PathBuf,
    pub(crate) identity: (u64, u64),
    pub(crate) restored_at: Option<SystemTime>,
    pub(crate) is_closed: bool,
    pub(crate) scan: Cell<Scan>,
    /// What this opening claimed as the first one, and has not settled.
    pub(crate) begun: RefCell<BTreeMap<Held, Story>>,
    _alive: Option<Alive>,
}

/// Why a journal cannot be opened. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory or the file cannot be used.
    #[error("journal {}: {source}", path.display())]
    Place {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A network file system, on which SQLite's locks do not hold.
    #[error("journal {}: {kind} is a network file system; take a local disk, or PostgreSQL for many machines", path.display())]
    Network {
        /// The file.
        path: PathBuf,
        /// Its name.
        kind: &'static str,
    },
    /// The file is of another kind.
    #[error("journal {}: the file is no journal of Capture; it is left as it is", .0.display())]
    Foreign(PathBuf),
    /// The file is damaged.
    #[error("journal {}: the file is damaged; keep it, and restore a backup or ask for help", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A newer program wrote it.
    #[error("journal {}: the file is of version {version}, and this program knows {VERSION}; update Capture", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: i64,
    },
    /// SQLite could not read or write it.
    #[error("journal {}: the file cannot be read or written", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// "Capt" in ASCII, in the header of the file.
const APPLICATION: i64 = 0x4361_7074;
pub(crate) const VERSION: i64 = SCHEMA.len() as i64;

/// One step for each version.
const SCHEMA: [&str; 3] =
    [include_str!("schema-1.sql"), include_str!("schema-2.sql"), include_str!("schema-3.sql")];

/// How long a turn waits for those of other processes.
const BUSY: Duration = Duration::from_secs(30);

/// How long after an older copy was put in the journal's place each order is looked up before its first
/// send: as long as an order may wait for its capture, and a day.
const RESTORED: Duration = Duration::from_secs(8 * 24 * 3600);

impl Sqlite {
    /// Opens the journal, or makes a new one where there is no file.
    ///
    /// # Errors
    /// When the file is anything but a journal that this program knows, on a local disk. It is never
    /// overwritten.
    pub fn open(path: &Path, environment: &Environment) -> Result<Self, OpenError> {
        let path = place::prepare(path)?;
        let failed = |source| failed(&path, source);
        let placed = |source| OpenError::Place { path: path.clone(), source };
        let mut connection = connect(&path)?;
        let identity = place::identity(&path).map_err(placed)?;
        let holders = Holders::of(&path).map_err(placed)?;
        let now = SystemTime::now();
        let name = environment_name(environment);

        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        migrate(&transaction, &path)?;
        let known: i64 = transaction
            .query_row("SELECT coalesce(max(fence), 0) FROM opening", [], |row| row.get(0))
            .map_err(failed)?;
        let latest = holders.latest().unwrap_or_default();
        if latest > known {
            transaction
                .execute("UPDATE journal SET restored_ms = ?", [unix_ms(now)])
                .map_err(failed)?;
        }
        let fence = known.max(latest) + 1;
        let us = holder::this();
        let program = concat!("capture ", env!("CARGO_PKG_VERSION"));
        transaction
            .execute(
                "INSERT INTO opening VALUES (?, ?, ?, ?, ?)",
                params![fence, us.host, us.process, program, unix_ms(now)],
            )
            .map_err(failed)?;
        transaction
            .execute("INSERT OR IGNORE INTO environment (name) VALUES (?)", [&name])
            .map_err(failed)?;
        let environment = transaction
            .query_row("SELECT id FROM environment WHERE name = ?", [&name], |row| row.get(0))
            .map_err(failed)?;
        let restored: Option<i64> = transaction
            .query_row("SELECT restored_ms FROM journal", [], |row| row.get(0))
            .map_err(failed)?;
        let alive = holders.enter(Fence(fence)).map_err(placed)?;
        transaction.commit().map_err(failed)?;
        holders.note(Fence(fence)).map_err(placed)?;

        let opening = Opening { fence: Fence(fence), environment, restored, alive: Some(alive) };
        Ok(Self::new(connection, path, identity, holders, name, opening))
    }

    pub(crate) fn new(
        connection: Connection,
        path: PathBuf,
        identity: (u64, u64),
        holders: Holders,
        environment_name: String,
        opening: Opening,
    ) -> Self {
        let restored = opening.restored.map(crate::read::moment);
        let is_recent = |at: &SystemTime| at.elapsed().unwrap_or_default() < RESTORED;
        Self {
            connection,
            environment: opening.environment,
            environment_name,
            fence: opening.fence,
            us: holder::this(),
            holders,
            path,
            identity,
            restored_at: restored.filter(is_recent),
            is_closed: opening.alive.is_none(),
            scan: Cell::default(),
            begun: RefCell::default(),
            _alive: opening.alive,
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// When an older copy of the file was found in its place, if that was lately. What was captured since
    /// the copy was made is missing, so that each order is looked up before its first send.
    #[must_use]
    pub fn restored_at(&self) -> Option<SystemTime> {
        self.restored_at
    }
}

/// What is known of an opening once it is made.
pub(crate) struct Opening {
    pub(crate) fence: Fence,
    pub(crate) environment: i64,
    /// When an older copy was found in the file's place, in milliseconds since 1970.
    pub(crate) restored: Option<i64>,
    /// `None` for one that only reads.
    pub(crate) alive: Option<Alive>,
}

/// Another process may be making the journal just now. SQLite's own patience does not hold while the file
/// changes to WAL mode.
pub(crate) fn connect(path: &Path) -> Result<Connection, OpenError> {
    let began = Instant::now();
    loop {
        match try_connect(path) {
            Err(OpenError::Sqlite { source, .. })
                if source.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && began.elapsed() < BUSY =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

fn try_connect(path: &Path) -> Result<Connection, OpenError> {
    let failed = |source| failed(path, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    body::teach(&connection).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0));
    // Of one moment: another process may be making the journal just now.
    let moment = connection.unchecked_transaction().map_err(failed)?;
    let application: i64 = pragma("application_id").map_err(failed)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    moment.commit().map_err(failed)?;
    if application != APPLICATION && (application != 0 || tables != 0) {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    let version: i64 = pragma("user_version").map_err(failed)?;
    if version > VERSION {
        return Err(OpenError::Newer { path: path.to_owned(), version });
    }
    let set = |name, value: &str| connection.pragma_update(None, name, value).map_err(failed);
    set("journal_mode", "wal")?;
    set("synchronous", "full")?;
    set("fullfsync", "on")?;
    set("checkpoint_fullfsync", "on")?;
    set("foreign_keys", "on")?;
    set("trusted_schema", "off")?;
    Ok(connection)
}

/// Brings an older file, or an empty one, up to date.
pub(crate) fn migrate(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |source| failed(path, source);
    let version: i64 =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    let done = usize::try_from(version).unwrap_or_default();
    for step in SCHEMA.iter().skip(done) {
        connection.execute_batch(step).map_err(failed)?;
    }
    if version < VERSION {
        connection.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
        connection.pragma_update(None, "user_version", VERSION).map_err(failed)?;
    }
    Ok(())
}

pub(crate) fn failed(path: &Path, source: rusqlite::Error) -> OpenError {
    use ErrorCode::{DatabaseCorrupt, NotADatabase};
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(NotADatabase) => OpenError::Foreign(path),
        Some(DatabaseCorrupt) => OpenError::Damaged { path, source },
        _ => OpenError::Sqlite { path, source },
    }
}
