//! What is open in the journal now, in a few numbers, for those who watch over it.

use std::time::SystemTime;

use capture_journal::{IntentId, Lost, Standing};

use crate::open::Sqlite;
use crate::read::{self, lost};
use crate::want::{LEFT_OPEN, WITHOUT_RECORD};

/// The captures of one environment that are not decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenNow {
    /// Nothing of them has been sent, and nobody has claimed them.
    pub ready: u64,
    /// A living process has claimed them.
    pub claimed: u64,
    /// In doubt: they may have been sent, and nobody is at them.
    pub unknown: u64,
    /// When the oldest of those in doubt was first sent, or claimed.
    pub oldest_unknown: Option<SystemTime>,
}

impl Sqlite {
    /// What is open now. It takes as long as there is much open, however long the journal is.
    ///
    /// # Errors
    /// When the journal failed.
    pub fn open_now(&mut self) -> Result<OpenNow, Lost> {
        self.is_in_its_place()?;
        let unclaimed = "SELECT count(*) FROM intent WHERE environment = ?1
            AND id >= (SELECT low FROM environment WHERE id = ?1)
            AND NOT EXISTS (SELECT 1 FROM record WHERE record.intent = intent.id AND is_note = 0)
            AND NOT EXISTS (SELECT 1 FROM claim WHERE low BETWEEN intent.id - 63 AND intent.id
                AND high >= intent.id)";
        let begun = format!(
            "SELECT DISTINCT record.intent {LEFT_OPEN} UNION SELECT id {WITHOUT_RECORD} ORDER BY 1"
        );
        let transaction = self.connection.transaction().map_err(lost)?;
        let ready: i64 =
            transaction.query_row(unclaimed, [self.environment], |row| row.get(0)).map_err(lost)?;
        let mut open =
            OpenNow { ready: u64::try_from(ready).unwrap_or_default(), ..OpenNow::default() };
        let mut statement = transaction.prepare_cached(&begun).map_err(lost)?;
        let every_run = None::<i64>;
        let mut rows =
            statement.query(rusqlite::params![self.environment, every_run]).map_err(lost)?;
        while let Some(row) = rows.next().map_err(lost)? {
            let mut story = read::story(&transaction, IntentId(row.get(0).map_err(lost)?))?;
            let claimed_at = story.claims.first().map(|claim| claim.at);
            let mut standing = story.standing();
            if matches!(&standing, Standing::Claimed(claim, _) if self.holders.is_alive(claim.fence))
            {
                // What its holder resumes was in doubt before, and still is.
                story.claims.pop();
                standing = story.standing();
                if matches!(standing, Standing::Ready) {
                    open.claimed += 1;
                    continue;
                }
            }
            let first_sent = match standing {
                Standing::Ready => {
                    open.ready += 1;
                    continue;
                }
                Standing::Claimed(_, ticket) | Standing::Unknown(ticket) => ticket.first_sent(),
                Standing::Captured(..) | Standing::NotCaptured(..) => continue,
            };
            open.unknown += 1;
            let at = first_sent.or(claimed_at);
            open.oldest_unknown = open.oldest_unknown.into_iter().chain(at).min();
        }
        Ok(open)
    }
}
