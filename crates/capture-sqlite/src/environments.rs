//! Which environments a file has.

use capture_journal::Lost;

use crate::open::Sqlite;
use crate::read::lost;

impl Sqlite {
    /// The environments of this file's captures, as [`capture_journal::environment_name`] writes them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn environments(&self) -> Result<Vec<String>, Lost> {
        let used = "SELECT name FROM environment WHERE id IN (SELECT environment FROM intent) ORDER BY name";
        let mut statement = self.connection.prepare(used).map_err(lost)?;
        let names = statement.query_map([], |row| row.get(0)).map_err(lost)?;
        names.collect::<Result<_, _>>().map_err(lost)
    }
}
