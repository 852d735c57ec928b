//! Opening the file to read it.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use capture_core::Environment;
use capture_journal::{Fence, environment_name, unix_ms};
use rusqlite::TransactionBehavior;

use crate::holder::Holders;
use crate::open::{OpenError, Opening, Sqlite, VERSION, connect, failed, migrate};
use crate::place;

impl Sqlite {
    /// Opens a journal only to read it: nothing is made, nobody is noted as its opener, and a turn fails. A
    /// file of an older version is brought up to this one.
    ///
    /// # Errors
    /// When there is no file, or it is anything but a journal that this program knows, on a local disk.
    pub fn open_to_read(path: &Path, environment: &Environment) -> Result<Self, OpenError> {
        let path = place::existing(path)?;
        let failed = |source| failed(&path, source);
        let placed = |source| OpenError::Place { path: path.clone(), source };
        // To connect would make a database of it.
        if fs::metadata(&path).map_err(placed)?.len() == 0 {
            return Err(OpenError::Foreign(path));
        }
        let mut connection = connect(&path)?;
        let identity = place::identity(&path).map_err(placed)?;
        let version: i64 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
        if version == 0 {
            return Err(OpenError::Foreign(path));
        }
        if version < VERSION {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(failed)?;
            migrate(&transaction, &path)?;
            transaction.commit().map_err(failed)?;
        }
        connection.pragma_update(None, "query_only", "on").map_err(failed)?;
        let holders = Holders::beside(&path);
        // Before the query: an opening is noted once it is in the journal.
        let latest = holders.latest();
        let name = environment_name(environment);
        // No environment has the number 0, and no opening either.
        const FOUND: &str = "SELECT (SELECT coalesce(max(fence), 0) FROM opening), restored_ms,
            coalesce((SELECT id FROM environment WHERE name = ?), 0) FROM journal";
        let found = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let (known, restored, environment): (i64, _, _) =
            connection.query_row(FOUND, [&name], found).map_err(failed)?;
        let is_older = latest.is_some_and(|latest| latest > known);
        let restored = if is_older { Some(unix_ms(SystemTime::now())) } else { restored };
        let opening = Opening { fence: Fence(0), environment, restored, alive: None };
        Ok(Self::new(connection, path, identity, holders, name, opening))
    }
}
