//! Keeping the file: copies, what other journals need of it, and removing what is long decided.

use std::fs;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use capture_core::Outcome;
use capture_journal::{Answer, Ask, Exported, Hash, IntentId, KeepError, Lost, Story, unix_ms};
use rusqlite::backup::Backup;
use rusqlite::{Connection, Transaction, params};

use crate::open::Sqlite;
use crate::place;
use crate::read::{self, lost};

impl Sqlite {
    /// Copies the journal to a new file, while it may be in use.
    ///
    /// # Errors
    /// When there is a file already, or it cannot be written.
    pub fn back_up(&self, to: &Path) -> Result<(), KeepError> {
        drop(place::new_file(to)?);
        let mut copy = Connection::open(to).map_err(lost)?;
        let backup = Backup::new(&self.connection, &mut copy).map_err(lost)?;
        let done = backup.run_to_completion(1_000, Duration::from_millis(1), None).map_err(lost);
        drop(backup);
        if done.is_err() {
            fs::remove_file(to)?;
        }
        Ok(done?)
    }

    /// Writes every capture of this environment as a line of JSON, oldest first, and says how many.
    ///
    /// # Errors
    /// When the journal cannot be read, or the lines not be written.
    pub fn export(&mut self, mut to: impl Write) -> Result<usize, KeepError> {
        let transaction = self.connection.transaction().map_err(lost)?;
        let mut statement = transaction
            .prepare("SELECT id FROM intent WHERE environment = ? ORDER BY id")
            .map_err(lost)?;
        let mut rows = statement.query([self.environment]).map_err(lost)?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(lost)? {
            let intent = IntentId(row.get(0).map_err(lost)?);
            let story = read::story(&transaction, intent)?;
            let line = serde_json::to_string(&Exported::of(&story, &self.environment_name));
            writeln!(to, "{}", line.map_err(std::io::Error::other)?)?;
            count += 1;
        }
        to.flush()?;
        Ok(count)
    }

    /// Reads in what [`export`](Self::export) wrote: evidence of another journal, all of it or nothing.
    /// What is decided here stays, unless the other journal knows of a capture.
    ///
    /// # Errors
    /// A line that is no record or is of another environment, or an order that is in progress here or
    /// open with other values.
    pub fn import(&mut self, from: impl BufRead) -> Result<usize, KeepError> {
        self.with_desk(SystemTime::now(), |desk| {
            let mut count = 0;
            for (index, line) in from.lines().enumerate() {
                let record = Exported::read(&line?, index + 1, desk.environment_name)?;
                let outcome = record.outcome();
                let capture = *outcome.capture();
                let stories = desk.of(capture.order_id())?;
                let known = stories.iter().filter(|story| story.capture == capture);
                let known = known.filter_map(Story::first_sent).min();
                let answer = desk.answer(&Ask { capture, now: true })?;
                Exported::fits(&answer, index + 1)?;
                let held = match (answer, outcome) {
                    (Answer::Work(work), _) => Some(work.held),
                    (Answer::Decided(..), Outcome::Captured(_)) => desk.last_claim(&capture)?,
                    _ => None,
                };
                if let Some(held) = held {
                    desk.settle(&[(held, record.outcome_beside(known))])?;
                }
                count += 1;
            }
            Ok(count)
        })
    }

    /// Removes the oldest records whose orders were all decided before that time, and says how many. The
    /// chain goes on from the last of them. An order that was removed is unknown here from then on.
    ///
    /// # Errors
    /// When `before` is within the last 30 days, or the file cannot be written.
    pub fn prune(&mut self, before: SystemTime) -> Result<usize, KeepError> {
        let now = SystemTime::now();
        KeepError::if_too_recent(before, now)?;
        let mut removed = 0;
        // In slices: other processes want their turns.
        loop {
            match self.prune_some(before, now)? {
                0 => return Ok(removed),
                some => removed += some,
            }
        }
    }

    fn prune_some(&mut self, before: SystemTime, now: SystemTime) -> Result<usize, KeepError> {
        self.with_desk(now, |desk| {
            let transaction = desk.transaction;
            let Some((number, hash)) = last_prunable(transaction, before)? else { return Ok(0) };
            let checkpoint = "INSERT INTO checkpoint VALUES (?, ?, ?)";
            transaction.execute(checkpoint, params![number, hash, unix_ms(now)]).map_err(lost)?;
            let intents =
                "CREATE TEMP TABLE gone AS SELECT DISTINCT intent FROM record WHERE number <= ?";
            transaction.execute(intents, [number]).map_err(lost)?;
            let records = "DELETE FROM record WHERE number <= ?";
            let removed = transaction.execute(records, [number]).map_err(lost)?;
            transaction
                .execute_batch(
                    "DELETE FROM run_line WHERE intent IN (SELECT intent FROM gone);
                     DELETE FROM intent WHERE id IN (SELECT intent FROM gone);
                     DELETE FROM claim WHERE NOT EXISTS
                        (SELECT 1 FROM intent WHERE id BETWEEN low AND high);
                     DROP TABLE gone;",
                )
                .map_err(lost)?;
            Ok(removed)
        })
    }
}

/// About how many records are removed at once.
const SLICE: usize = 5_000;

/// The last record up to which every story was decided before that time, and is there whole; not many more
/// than [`SLICE`] are looked at.
fn last_prunable(
    transaction: &Transaction<'_>,
    before: SystemTime,
) -> Result<Option<(i64, Hash)>, Lost> {
    let select = "SELECT number, hash, intent,
        (SELECT max(number) FROM record whole WHERE whole.intent = record.intent)
        FROM record ORDER BY number";
    let mut statement = transaction.prepare(select).map_err(lost)?;
    let mut rows = statement.query([]).map_err(lost)?;
    let (mut last, mut reaches, mut seen) = (None, 0, 0);
    while let Some(row) = rows.next().map_err(lost)? {
        let (number, intent): (i64, i64) = (row.get(0).map_err(lost)?, row.get(2).map_err(lost)?);
        let story = read::story(transaction, IntentId(intent))?;
        if !story.was_decided(before) {
            break;
        }
        reaches = reaches.max(row.get(3).map_err(lost)?);
        seen += 1;
        if reaches == number {
            last = Some((number, row.get(1).map_err(lost)?));
            if seen >= SLICE {
                break;
            }
        }
    }
    Ok(last)
}
