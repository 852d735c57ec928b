//! Writing a list of captures down: staged line by line, held to what the journal knows, and then planned
//! in one transaction.

use std::time::SystemTime;

use capture_core::Capture;
use capture_journal::{Answer, Ask, Decision, Line, Lost, RunId, decide, unix_ms};
use rusqlite::{Connection, params};

use crate::open::Sqlite;
use crate::read::{lost, maybe};
use crate::staged::{STAGED, staged};
use crate::turn::Desk;

/// A line that the journal knows something about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLine {
    /// Its number in the file.
    pub line: u32,
    /// What is to be captured.
    pub capture: Capture,
    /// What it knows: the recorded outcome, other values, or that it is open with the same ones.
    pub answer: Answer,
}

impl KnownLine {
    /// Whether it stands in the way: the order is open, or captured, with other values, or it was decided
    /// that it is not captured.
    #[must_use]
    pub fn is_obstacle(&self) -> bool {
        match &self.answer {
            Answer::Other(_) => true,
            Answer::Decided(outcome, _) => outcome.name() == "not_captured",
            Answer::Work(_) | Answer::Queued | Answer::Busy(_) => false,
        }
    }
}

/// Staged lines are in a table of this connection alone; SQLite keeps it in a file of its own.
const STAGE: &str = "CREATE TEMP TABLE IF NOT EXISTS staged (
    line INTEGER PRIMARY KEY, order_id BLOB NOT NULL UNIQUE, idempotency_key BLOB NOT NULL,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, exponent INTEGER NOT NULL,
    reference TEXT, capture_before_ms INTEGER) STRICT;
    DELETE FROM staged";

impl Sqlite {
    /// Forgets what was staged before.
    ///
    /// # Errors
    /// When the journal failed.
    pub fn stage(&mut self) -> Result<(), Lost> {
        self.connection.execute_batch(STAGE).map_err(lost)
    }

    /// Stages a line, and says whether it is the first one of its order; nothing is durable yet.
    ///
    /// # Errors
    /// When the journal failed.
    pub fn stage_line(&mut self, line: &Line) -> Result<bool, Lost> {
        const INSERT: &str = "INSERT OR IGNORE INTO staged VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let (order, key) = (line.capture.order_id(), line.capture.idempotency_key());
        let (amount, currency) =
            (line.capture.money().minor_units(), line.capture.money().currency());
        let before = line.capture_before.map(unix_ms);
        let (code, exponent) = (currency.code(), currency.exponent());
        let row = params![
            line.line,
            order.as_bytes(),
            key.as_bytes(),
            amount,
            code,
            exponent,
            line.reference,
            before
        ];
        let staged = self.connection.prepare_cached(INSERT).map_err(lost)?.execute(row);
        Ok(staged.map_err(lost)? == 1)
    }

    /// The staged lines that the journal knows something about, each handed on in the order of the file.
    ///
    /// # Errors
    /// When the journal failed.
    pub fn known_lines(&mut self, each: impl FnMut(KnownLine)) -> Result<(), Lost> {
        self.with_desk(SystemTime::now(), |desk| desk.known_lines(each))
    }

    /// The list of this plan, if it was planned before.
    ///
    /// # Errors
    /// When the journal failed.
    pub fn planned(&mut self, plan: &[u8; 32]) -> Result<Option<RunId>, Lost> {
        planned(&self.connection, self.environment, plan)
    }

    /// Plans what is staged: all of it is durable when this returns, or nothing. What voids first stands
    /// first; what the journal has already is not written again. `None` if something stands in the way of a
    /// line by now. `guards` is what the list was held to, for people.
    ///
    /// # Errors
    /// When the journal failed.
    pub fn plan(
        &mut self,
        name: &str,
        plan: &[u8; 32],
        guards: &str,
    ) -> Result<Option<RunId>, Lost> {
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
            desk.known_lines(|known| {
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
    fn known_lines(&self, mut each: impl FnMut(KnownLine)) -> Result<(), Lost> {
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
        Ok(match decide(&stories, &ask, self.fence, |fence| self.is_alive(fence)) {
            Decision::Begin => None,
            Decision::Claim(..) => Some(Answer::Queued),
            Decision::Answer(answer) => Some(answer),
        })
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
