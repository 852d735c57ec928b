//! Writing a list of captures down: staged line by line, held to what the journal knows, and then planned
//! in one transaction.

use std::ops::ControlFlow;
use std::time::SystemTime;

use capture_core::Capture;
use capture_journal::{
    Answer, Ask, Deadlines, KnownLine, Line, Lost, RunId, Staging, decide, unix_ms,
};
use rusqlite::{Connection, params};

use crate::open::Sqlite;
use crate::read::{lost, maybe, moment};
use crate::staged::{STAGED, staged};
use crate::turn::Desk;

/// Staged lines are in a table of this connection alone; SQLite keeps it in a file of its own, which is written and
/// read in one go, so that it needs little of its memory.
const STAGE: &str = "PRAGMA temp.cache_size = -256;
    CREATE TEMP TABLE IF NOT EXISTS staged (
    line INTEGER PRIMARY KEY, order_id BLOB NOT NULL, idempotency_key BLOB NOT NULL,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, exponent INTEGER NOT NULL,
    reference TEXT, capture_before_ms INTEGER) STRICT;
    DELETE FROM staged";

impl Staging for Sqlite {
    fn stage(&mut self) -> Result<(), Lost> {
        self.connection.execute_batch(STAGE).map_err(lost)
    }

    fn stage_lines(&mut self, lines: &[Line]) -> Result<(), Lost> {
        const INSERT: &str = "INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        // One for all: a transaction of its own would cost each line as much again.
        let transaction = self.connection.transaction().map_err(lost)?;
        let mut statement = transaction.prepare_cached(INSERT).map_err(lost)?;
        for line in lines {
            let (order, key) = (line.capture.order_id(), line.capture.idempotency_key());
            let money = line.capture.money();
            let (amount, currency) = (money.minor_units(), money.currency());
            let row = params![
                line.line,
                order.as_bytes(),
                key.as_bytes(),
                amount,
                currency.code(),
                currency.exponent(),
                line.reference,
                line.capture_before.map(unix_ms)
            ];
            statement.execute(row).map_err(lost)?;
        }
        drop(statement);
        transaction.commit().map_err(lost)
    }

    fn known_lines(&mut self, each: &mut dyn FnMut(KnownLine)) -> Result<(), Lost> {
        self.with_desk(SystemTime::now(), |desk| desk.known_lines(each))
    }

    fn deadlines(&mut self, now: SystemTime, per_second: Option<u32>) -> Result<Deadlines, Lost> {
        const SELECT: &str = "SELECT count(capture_before_ms), min(capture_before_ms),
            count(*) FILTER (WHERE capture_before_ms <= ?1),
            min(capture_before_ms) FILTER (WHERE capture_before_ms > ?1), count(*) FROM staged";
        let now_ms = unix_ms(now);
        let found = self.connection.query_row(SELECT, [now_ms], |row| {
            let deadlines = Deadlines {
                known: row.get(0)?,
                first: row.get::<_, Option<i64>>(1)?.map(moment),
                past: row.get(2)?,
                too_soon: 0,
            };
            Ok((deadlines, row.get::<_, Option<i64>>(3)?, row.get(4)?))
        });
        let (mut deadlines, next, lines): (_, _, u32) = found.map_err(lost)?;
        let ms_for_each = per_second.map_or(0.0, |rate| 1000.0 / f64::from(rate));
        let takes = (f64::from(lines) * ms_for_each) as i64;
        // Only then does their order matter, and sorting a long list takes a while.
        if next.is_some_and(|next| next < now_ms + takes) {
            const TOO_SOON: &str = "SELECT count(*) FROM (SELECT capture_before_ms AS before,
                row_number() OVER (ORDER BY coalesce(capture_before_ms, 9e15), line) AS place
                FROM staged) WHERE before > ?1 AND before < ?1 + place * ?2";
            let counted =
                self.connection.query_row(TOO_SOON, params![now_ms, ms_for_each], |row| row.get(0));
            deadlines.too_soon = counted.map_err(lost)?;
        }
        Ok(deadlines)
    }

    fn drawn(
        &mut self,
        seed: u32,
        most: Option<u32>,
        each: &mut dyn FnMut(Line) -> ControlFlow<()>,
    ) -> Result<(), Lost> {
        // A multiplier without a pattern in it (Knuth), so that neighbours are not drawn together.
        let select = format!(
            "SELECT {STAGED} FROM staged ORDER BY (line * 2654435761 + ?) % 4294967296, line LIMIT ?"
        );
        let most = most.map_or(-1, i64::from);
        let mut statement = self.connection.prepare(&select).map_err(lost)?;
        let mut rows = statement.query(params![seed, most]).map_err(lost)?;
        while let Some(row) = rows.next().map_err(lost)? {
            if each(staged(row)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn planned(&mut self, plan: &[u8; 32]) -> Result<Option<RunId>, Lost> {
        planned(&self.connection, self.environment, plan)
    }

    fn plan(&mut self, name: &str, plan: &[u8; 32], guards: &str) -> Result<Option<RunId>, Lost> {
        let environment = self.environment;
        let at = SystemTime::now();
        self.with_desk(at, |desk| {
            // Another process may have planned the same file just now.
            if let Some(run) = planned(desk.transaction, environment, plan)? {
                return Ok(Some(run));
            }
            const RUN: &str = "INSERT INTO run (environment, plan, name, captures, at_ms, guards)
                SELECT ?, ?, ?, count(*), ?, ? FROM staged";
            const INTENTS: &str = "INSERT OR IGNORE INTO intent
                (environment, order_id, idempotency_key, amount, currency, exponent, at_ms)
                SELECT ?, order_id, idempotency_key, amount, currency, exponent, ? FROM staged
                ORDER BY coalesce(capture_before_ms, 9e15), line";
            const LINES: &str = "INSERT INTO run_line
                SELECT ?1, row_number() OVER (ORDER BY coalesce(capture_before_ms, 9e15), line),
                intent.id, line, reference, capture_before_ms FROM staged JOIN intent
                ON intent.order_id = staged.order_id AND environment = ?2
                AND intent.idempotency_key = staged.idempotency_key";
            const CAPTURED: &str = "UPDATE staged SET idempotency_key = ? WHERE line = ?";
            let (mut is_free, mut captured) = (true, Vec::new());
            desk.known_lines(&mut |known| {
                is_free &= !known.is_obstacle();
                if let Answer::Decided(outcome, _) = &known.answer {
                    captured.push((known.line, outcome.capture().idempotency_key()));
                }
            })?;
            if !is_free {
                return Ok(None);
            }
            // An order that is captured is that capture, under whatever key.
            for (line, key) in captured {
                let mut statement = desk.transaction.prepare_cached(CAPTURED).map_err(lost)?;
                statement.execute(params![key.as_bytes(), line]).map_err(lost)?;
            }
            let transaction = desk.transaction;
            let at_ms = unix_ms(at);
            let row = params![environment, plan, name, at_ms, guards];
            transaction.execute(RUN, row).map_err(lost)?;
            let run = transaction.last_insert_rowid();
            transaction.execute(INTENTS, params![environment, at_ms]).map_err(lost)?;
            transaction.execute(LINES, params![run, environment]).map_err(lost)?;
            Ok(Some(RunId(run)))
        })
    }
}

impl Desk<'_> {
    fn known_lines(&self, each: &mut dyn FnMut(KnownLine)) -> Result<(), Lost> {
        let select = format!(
            "SELECT DISTINCT {STAGED} FROM staged JOIN intent
             ON intent.order_id = staged.order_id AND environment = ? ORDER BY line"
        );
        let mut statement = self.transaction.prepare(&select).map_err(lost)?;
        let mut rows = statement.query([self.environment]).map_err(lost)?;
        while let Some(row) = rows.next().map_err(lost)? {
            let Line { line, capture, .. } = staged(row)?;
            if let Some(answer) = self.knows(&capture)? {
                each(KnownLine { line, capture, answer });
            }
        }
        Ok(())
    }

    /// What is known of this capture; `None` if it would be begun.
    fn knows(&self, capture: &Capture) -> Result<Option<Answer>, Lost> {
        let stories = self.of(capture.order_id())?;
        let ask = Ask { capture: *capture, now: false };
        Ok(decide(&stories, &ask, self.fence, |fence| self.is_alive(fence)).known())
    }
}

fn planned(
    connection: &Connection,
    environment: i64,
    plan: &[u8; 32],
) -> Result<Option<RunId>, Lost> {
    const SELECT: &str = "SELECT id FROM run WHERE plan = ? AND environment = ?";
    let found = connection.query_row(SELECT, params![plan, environment], |row| row.get(0));
    Ok(maybe(found)?.map(RunId))
}
