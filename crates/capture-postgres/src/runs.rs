//! Lists of captures: which there are, their lines, and what they come to.

use std::ops::ControlFlow;
use std::time::SystemTime;

use capture_core::limits::History;
use capture_journal::{
    Fence, IntentId, Latest, Line, Lists, Lost, OpenNow, Run, RunId, Standing, Stands, Story, Tally,
};
use postgres::Row;

use crate::desk::Desk;
use crate::fault::Fault;
use crate::open::{Postgres, outside};
use crate::read::{self, INTENT, moment};
use crate::sql::{PAGE, Sql};

const RUN: &str = "SELECT id, plan, name, captures, at_ms, ended, guards FROM capture.run";

const LINE: &str = "line, reference, capture_before_ms";

impl Lists for Postgres {
    fn runs(&mut self) -> Result<Vec<Run>, Lost> {
        let select = format!("{RUN} WHERE environment = $1 ORDER BY id");
        self.session().transact(|who, sql, _| {
            Ok(sql.transaction.query(&select, &[&who.environment])?.iter().map(run).collect())
        })
    }

    fn run(&mut self, id: RunId) -> Result<Option<Run>, Lost> {
        let select = format!("{RUN} WHERE environment = $1 AND id = $2");
        self.session().transact(|who, sql, _| {
            let rows = sql.transaction.query(&select, &[&who.environment, &id.0])?;
            Ok(rows.first().map(run))
        })
    }

    fn lines(
        &mut self,
        run: RunId,
        each: &mut dyn FnMut(Line, Story) -> ControlFlow<()>,
    ) -> Result<(), Lost> {
        let select = format!(
            "SELECT {INTENT}, {LINE} FROM capture.run_line
             JOIN capture.intent ON intent.id = run_line.intent WHERE run = $1 ORDER BY line"
        );
        self.session().transact(|_, sql, _| {
            sql.pages(&select, &[&run.0], |sql, rows| {
                for (row, story) in rows.iter().zip(read::stories(sql, rows)?) {
                    if each(line(row, &story), story).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Ok(ControlFlow::Continue(()))
            })
        })
    }

    fn lines_of(&mut self, intent: IntentId) -> Result<Vec<(RunId, Line)>, Lost> {
        let select = format!(
            "SELECT {INTENT}, {LINE}, run FROM capture.run_line
             JOIN capture.intent ON intent.id = run_line.intent WHERE intent.id = $1 ORDER BY run"
        );
        let line_of = |row: &Row| {
            let story = read::intent(row)?;
            Ok((RunId(row.get("run")), line(row, &story)))
        };
        outside(|| {
            self.session().transact(|_, sql, _| {
                let rows = sql.transaction.query(&select, &[&intent.0])?;
                rows.iter().map(line_of).collect()
            })
        })
    }

    fn tally(&mut self, run: RunId) -> Result<Tally, Lost> {
        self.session().transact(|_, sql, _| tally(sql, run))
    }

    fn note_end(&mut self, run: RunId, tally: &Tally) -> Result<(), Lost> {
        const UPDATE: &str = "UPDATE capture.run SET ended = $1 WHERE id = $2";
        let ended = tally.is_final().then(|| serde_json::to_string(tally));
        let ended = ended.transpose().map_err(|error| Lost::Io(error.into()))?;
        self.session().transact(|_, sql, _| {
            sql.execute(UPDATE, &[&ended, &run.0])?;
            Ok(())
        })
    }

    fn history(&mut self, now: SystemTime) -> Result<History, Lost> {
        self.session().transact(|who, sql, _| history(sql, who.environment, now))
    }

    fn open_now(&mut self) -> Result<OpenNow, Lost> {
        outside(|| {
            self.session().transact(|who, sql, chain| {
                Desk::new(sql, who, chain, SystemTime::now()).open_now()
            })
        })
    }

    fn is_held(&mut self, story: &Story) -> Result<bool, Lost> {
        const ALIVE: &str = "SELECT EXISTS (SELECT FROM capture.lease
            WHERE fence = $1 AND lease_until > clock_timestamp())";
        let Standing::Claimed(claim, _) = story.standing() else { return Ok(false) };
        self.session().transact(|_, sql, _| Ok(sql.query(ALIVE, &[&claim.fence.0])?[0].get(0)))
    }

    fn environments(&mut self) -> Result<Vec<String>, Lost> {
        const USED: &str = "SELECT name FROM capture.environment WHERE EXISTS
            (SELECT FROM capture.intent WHERE intent.environment = environment.id) ORDER BY name";
        self.session()
            .transact(|_, sql, _| Ok(sql.query(USED, &[])?.iter().map(|row| row.get(0)).collect()))
    }
}

impl Desk<'_, '_, '_> {
    fn open_now(&mut self) -> Result<OpenNow, Fault> {
        const READY: &str =
            "SELECT (SELECT count(*) FROM capture.pending WHERE environment = $1 AND fence IS NULL)
            + (SELECT count(*) FROM capture.inbox WHERE environment = $1)";
        let begun = format!(
            "SELECT {INTENT} FROM capture.pending JOIN capture.intent ON intent.id = pending.intent
             WHERE pending.environment = $1 AND fence IS NOT NULL"
        );
        self.look_who_lives()?;
        let ready: i64 = self.sql.query(READY, &[&self.who.environment])?[0].get(0);
        let mut open =
            OpenNow { ready: u64::try_from(ready).unwrap_or_default(), ..OpenNow::default() };
        let Self { sql, who, alive, .. } = self;
        sql.pages(&begun, &[&who.environment], |sql, rows| {
            for story in read::stories(sql, rows)? {
                let last = story.claims.last().map_or(Fence(0), |claim| claim.fence);
                let is_alive = alive.contains(&last);
                open.add(story, is_alive);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(open)
    }
}

/// Most captures have one record or none, and need not be read whole.
fn tally(sql: &mut Sql<'_, '_>, run: RunId) -> Result<Tally, Fault> {
    let select = format!(
        "SELECT {INTENT}, found.records, found.outcome, found.proof,
            EXISTS (SELECT FROM capture.claim WHERE claim.intent = intent.id) AS is_claimed
         FROM capture.run_line JOIN capture.intent ON intent.id = run_line.intent
         CROSS JOIN LATERAL (SELECT count(*) AS records, min(body->>'outcome') AS outcome,
            min(body->>'proof') AS proof FROM capture.record WHERE record.intent = intent.id) AS found
         WHERE run = $1"
    );
    let mut tally = Tally::default();
    sql.pages(&select, &[&run.0], |sql, rows| {
        let mut unclear = Vec::new();
        for row in rows {
            let story = read::intent(row)?;
            let (outcome, proof): (Option<&str>, Option<&str>) =
                (row.get("outcome"), row.get("proof"));
            match (row.get::<_, i64>("records"), outcome, proof, row.get("is_claimed")) {
                (0, _, _, false) => tally.add(Stands::Left, story.capture.money()),
                (1, Some("captured"), Some("reply"), _) => {
                    tally.add(Stands::Captured, story.capture.money());
                }
                _ => unclear.push(story),
            }
        }
        for story in read::whole(sql, unclear)? {
            tally.add(Stands::of(&story), story.capture.money());
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(tally)
}

fn history(sql: &mut Sql<'_, '_>, environment: i64, now: SystemTime) -> Result<History, Fault> {
    // Page by page from the end: as one statement it would read all records before the first is there.
    let select = format!(
        "SELECT {INTENT}, record.id AS record, record.at_ms AS recorded_ms,
            environment = $1 AND body->>'outcome' = 'captured' AS counts
         FROM capture.record JOIN capture.intent ON intent.id = record.intent
         WHERE record.id < $2 ORDER BY record.id DESC LIMIT $3"
    );
    let statement = sql.transaction.prepare(&select)?;
    let (mut latest, mut before, page) = (Latest::new(now), i64::MAX, i64::from(PAGE));
    loop {
        let rows = sql.transaction.query(&statement, &[&environment, &before, &page])?;
        for row in &rows {
            before = row.get("record");
            if row.get("counts")
                && latest
                    .captured(read::intent(row)?.capture.money(), moment(row.get("recorded_ms")))
                    .is_break()
            {
                return Ok(latest.into());
            }
        }
        if rows.len() < PAGE as usize {
            return Ok(latest.into());
        }
    }
}

fn run(row: &Row) -> Run {
    let ended: Option<&str> = row.get(5);
    Run {
        id: RunId(row.get(0)),
        plan: row.get::<_, &[u8]>(1).try_into().unwrap_or_default(),
        name: row.get(2),
        captures: u64::try_from(row.get::<_, i64>(3)).unwrap_or_default(),
        at: moment(row.get(4)),
        // What cannot be read is counted again.
        ended: ended.and_then(|ended| serde_json::from_str(ended).ok()),
        guards: row.get(6),
    }
}

fn line(row: &Row, story: &Story) -> Line {
    Line {
        line: u32::try_from(row.get::<_, i64>("line")).unwrap_or_default(),
        capture: story.capture,
        reference: row.get("reference"),
        capture_before: row.get::<_, Option<i64>>("capture_before_ms").map(moment),
    }
}
