//! What is open in the journal now, in a few numbers, for those who watch over it.

use capture_journal::{Claim, IntentId, Lost, OpenNow};

use crate::open::Sqlite;
use crate::read::{self, lost};
use crate::want::{LEFT_OPEN, WITHOUT_RECORD};

pub(crate) fn open_now(journal: &mut Sqlite) -> Result<OpenNow, Lost> {
    journal.is_in_its_place()?;
    let unclaimed = "SELECT count(*) FROM intent WHERE environment = ?1
            AND id >= (SELECT low FROM environment WHERE id = ?1)
            AND NOT EXISTS (SELECT 1 FROM record WHERE record.intent = intent.id AND is_note = 0)
            AND NOT EXISTS (SELECT 1 FROM claim WHERE low BETWEEN intent.id - 63 AND intent.id
                AND high >= intent.id)";
    let begun = format!(
        "SELECT DISTINCT record.intent {LEFT_OPEN} UNION SELECT id {WITHOUT_RECORD} ORDER BY 1"
    );
    let transaction = journal.connection.transaction().map_err(lost)?;
    let ready: i64 =
        transaction.query_row(unclaimed, [journal.environment], |row| row.get(0)).map_err(lost)?;
    let mut open =
        OpenNow { ready: u64::try_from(ready).unwrap_or_default(), ..OpenNow::default() };
    let mut statement = transaction.prepare_cached(&begun).map_err(lost)?;
    let every_run = None::<i64>;
    let mut rows =
        statement.query(rusqlite::params![journal.environment, every_run]).map_err(lost)?;
    while let Some(row) = rows.next().map_err(lost)? {
        let story = read::story(&transaction, IntentId(row.get(0).map_err(lost)?))?;
        let is_alive = |claim: &Claim| journal.holders.is_alive(claim.fence);
        let is_alive = story.claims.last().is_some_and(is_alive);
        open.add(story, is_alive);
    }
    Ok(open)
}
