//! Lists of captures: which there are, their lines, and what they come to.

use std::ops::ControlFlow;
use std::time::SystemTime;

use capture_core::limits::History;
use capture_journal::{
    Fence, IntentId, Latest, Line, Lists, Lost, OpenNow, Run, RunId, Standing, Stands, Story, Tally,
};
use rusqlite::{Row, params};

use crate::open::Sqlite;
use crate::open_now::open_now;
use crate::read::{self, INTENT, lost, maybe, moment};

const RUN: &str =
    "SELECT id, plan, name, captures, at_ms, ended, guards FROM run WHERE environment = ?1";

const LINE: &str = "line, reference, capture_before_ms";

impl Lists for Sqlite {
    fn runs(&mut self) -> Result<Vec<Run>, Lost> {
        let mut statement = self.connection.prepare(&format!("{RUN} ORDER BY id")).map_err(lost)?;
        let rows = statement.query_map([self.environment], |row| Ok(run(row))).map_err(lost)?;
        rows.map(|row| row.map_err(lost)?).collect()
    }

    fn run(&mut self, id: RunId) -> Result<Option<Run>, Lost> {
        let select = format!("{RUN} AND id = ?2");
        let row = |row: &Row<'_>| Ok(run(row));
        maybe(self.connection.query_row(&select, params![self.environment, id.0], row))?.transpose()
    }

    fn lines(
        &mut self,
        run: RunId,
        each: &mut dyn FnMut(Line, Story) -> ControlFlow<()>,
    ) -> Result<(), Lost> {
        let select = format!(
            "SELECT {INTENT}, {LINE} FROM run_line JOIN intent ON intent.id = run_line.intent
             WHERE run = ? ORDER BY line"
        );
        let transaction = self.connection.transaction().map_err(lost)?;
        let mut statement = transaction.prepare(&select).map_err(lost)?;
        let mut rows = statement.query([run.0]).map_err(lost)?;
        while let Some(row) = rows.next().map_err(lost)? {
            let story = read::story(&transaction, read::intent(row)?.intent)?;
            if each(line(row, &story)?, story).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn lines_of(&mut self, intent: IntentId) -> Result<Vec<(RunId, Line)>, Lost> {
        let select = format!(
            "SELECT {INTENT}, {LINE}, run FROM run_line JOIN intent ON intent.id = run_line.intent
             WHERE intent.id = ? ORDER BY run"
        );
        let mut statement = self.connection.prepare(&select).map_err(lost)?;
        let mut rows = statement.query([intent.0]).map_err(lost)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(lost)? {
            let story = read::intent(row)?;
            found.push((RunId(row.get(10).map_err(lost)?), line(row, &story)?));
        }
        Ok(found)
    }

    fn tally(&mut self, run: RunId) -> Result<Tally, Lost> {
        // Most captures have one record or none, and need not be read whole.
        let select = format!(
            "SELECT {INTENT}, (SELECT count(*) FROM record WHERE record.intent = intent.id),
             (SELECT json_extract(unpacked(body), '$.outcome', '$.proof') FROM record
                 WHERE record.intent = intent.id),
             EXISTS (SELECT 1 FROM claim WHERE low BETWEEN intent.id - 63 AND intent.id
                 AND high >= intent.id)
             FROM run_line JOIN intent ON intent.id = run_line.intent WHERE run = ?"
        );
        let transaction = self.connection.transaction().map_err(lost)?;
        let mut statement = transaction.prepare_cached(&select).map_err(lost)?;
        let mut rows = statement.query([run.0]).map_err(lost)?;
        let mut tally = Tally::default();
        while let Some(row) = rows.next().map_err(lost)? {
            let story = read::intent(row)?;
            let (records, outcome, is_claimed): (i64, Option<String>, bool) =
                (row.get(7).map_err(lost)?, row.get(8).map_err(lost)?, row.get(9).map_err(lost)?);
            let stands = match (records, outcome.as_deref(), is_claimed) {
                (0, _, false) => Stands::Left,
                (1, Some(r#"["captured","reply"]"#), _) => Stands::Captured,
                _ => Stands::of(&read::story(&transaction, story.intent)?),
            };
            tally.add(stands, story.capture.money());
        }
        Ok(tally)
    }

    fn history(&mut self, now: SystemTime) -> Result<History, Lost> {
        let select = format!(
            "SELECT {INTENT}, record.at_ms FROM record JOIN intent ON intent.id = record.intent
             WHERE environment = ? AND json_extract(unpacked(body), '$.outcome') = 'captured'
             ORDER BY number DESC"
        );
        let mut statement = self.connection.prepare_cached(&select).map_err(lost)?;
        let mut rows = statement.query([self.environment]).map_err(lost)?;
        let mut latest = Latest::new(now);
        while let Some(row) = rows.next().map_err(lost)? {
            let (money, at) = (read::intent(row)?.capture.money(), row.get(7).map_err(lost)?);
            if latest.captured(money, moment(at)).is_break() {
                break;
            }
        }
        Ok(latest.into())
    }

    fn note_end(&mut self, run: RunId, tally: &Tally) -> Result<(), Lost> {
        const UPDATE: &str = "UPDATE run SET ended = ? WHERE id = ?";
        let ended = tally.is_final().then(|| serde_json::to_string(tally));
        let ended = ended.transpose().map_err(|error| Lost::Io(error.into()))?;
        self.with_desk(SystemTime::now(), |desk| {
            desk.transaction.execute(UPDATE, params![ended, run.0]).map_err(lost)?;
            Ok(())
        })
    }

    fn open_now(&mut self) -> Result<OpenNow, Lost> {
        open_now(self)
    }

    fn is_held(&mut self, story: &Story) -> Result<bool, Lost> {
        Ok(
            matches!(story.standing(), Standing::Claimed(claim, _) if self.holders.is_alive(claim.fence)),
        )
    }

    fn environments(&mut self) -> Result<Vec<String>, Lost> {
        let used = "SELECT name FROM environment WHERE id IN (SELECT environment FROM intent) ORDER BY name";
        let mut statement = self.connection.prepare(used).map_err(lost)?;
        let names = statement.query_map([], |row| row.get(0)).map_err(lost)?;
        names.collect::<Result<_, _>>().map_err(lost)
    }
}

impl Sqlite {
    /// The number of this opening.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence
    }
}

fn run(row: &Row<'_>) -> Result<Run, Lost> {
    let captures: i64 = row.get(3).map_err(lost)?;
    let ended: Option<String> = row.get(5).map_err(lost)?;
    Ok(Run {
        id: RunId(row.get(0).map_err(lost)?),
        plan: row.get(1).map_err(lost)?,
        name: row.get(2).map_err(lost)?,
        captures: u64::try_from(captures).unwrap_or_default(),
        at: moment(row.get(4).map_err(lost)?),
        // What cannot be read is counted again.
        ended: ended.and_then(|ended| serde_json::from_str(&ended).ok()),
        guards: row.get(6).map_err(lost)?,
    })
}

fn line(row: &Row<'_>, story: &Story) -> Result<Line, Lost> {
    Ok(Line {
        line: row.get(7).map_err(lost)?,
        capture: story.capture,
        reference: row.get(8).map_err(lost)?,
        capture_before: row.get::<_, Option<i64>>(9).map_err(lost)?.map(moment),
    })
}
