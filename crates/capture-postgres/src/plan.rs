//! Writing a list of captures down: staged line by line, held to what the journal knows, and then planned in one
//! transaction.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::SystemTime;

use capture_core::OrderId;
use capture_journal::{
    Answer, Ask, Deadlines, KnownLine, Line, Lost, RunId, Staging, decide, unix_ms,
};

use crate::desk::{Desk, NEVER};
use crate::fault::Fault;
use crate::open::Postgres;
use crate::read::{moment, of_orders};
use crate::sql::{PAGE, Sql};
use crate::staged::{self, STAGED, staged};

impl Staging for Postgres {
    fn stage(&mut self) -> Result<(), Lost> {
        self.session().transact(|_, sql, _| staged::begin(sql))
    }

    fn stage_lines(&mut self, lines: &[Line]) -> Result<(), Lost> {
        self.session().transact(|_, sql, _| staged::insert(sql, lines))
    }

    fn known_lines(&mut self, each: &mut dyn FnMut(KnownLine)) -> Result<(), Lost> {
        self.session().transact(|who, sql, chain| {
            Desk::new(sql, who, chain, SystemTime::now()).known_lines(each)
        })
    }

    fn deadlines(&mut self, now: SystemTime, per_second: Option<u32>) -> Result<Deadlines, Lost> {
        self.session().transact(|_, sql, _| deadlines(sql, unix_ms(now), per_second))
    }

    fn drawn(
        &mut self,
        seed: u32,
        most: Option<u32>,
        each: &mut dyn FnMut(Line) -> ControlFlow<()>,
    ) -> Result<(), Lost> {
        // A multiplier without a pattern in it (Knuth), so that neighbours are not drawn together.
        const SELECT: &str = "SELECT line, order_id::text, idempotency_key::text, amount, currency, exponent,
                reference, capture_before_ms, drawn
            FROM (SELECT *, (line * 2654435761 + $1) % 4294967296 AS drawn FROM pg_temp.staged) AS it
            WHERE (drawn, line) > ($2, $3) ORDER BY drawn, line LIMIT $4";
        let (mut place, mut left) = ((-1_i64, -1_i64), most.map_or(i64::MAX, i64::from));
        while left > 0 {
            let (seed, page) = (i64::from(seed), i64::from(PAGE).min(left));
            let rows = self.session().transact(|_, sql, _| {
                Ok(sql.query(SELECT, &[&seed, &place.0, &place.1, &page])?)
            })?;
            // Outside of the transaction: to look at an order takes a while.
            for row in &rows {
                let line = staged(row)?;
                place = (row.get(8), i64::from(line.line));
                if each(line).is_break() {
                    return Ok(());
                }
            }
            left -= rows.len() as i64;
            if (rows.len() as i64) < page {
                break;
            }
        }
        Ok(())
    }

    fn planned(&mut self, plan: &[u8; 32]) -> Result<Option<RunId>, Lost> {
        self.session().transact(|who, sql, _| planned(sql, who.environment, plan))
    }

    fn plan(&mut self, name: &str, plan: &[u8; 32], guards: &str) -> Result<Option<RunId>, Lost> {
        self.session().transact(|who, sql, chain| {
            Desk::new(sql, who, chain, SystemTime::now()).plan(name, plan, guards)
        })
    }
}

impl Desk<'_, '_, '_> {
    fn plan(&mut self, name: &str, plan: &[u8; 32], guards: &str) -> Result<Option<RunId>, Fault> {
        const CAPTURED: &str = "UPDATE pg_temp.staged SET idempotency_key = it.key::uuid
            FROM unnest($1::bigint[], $2::text[]) AS it (line, key) WHERE staged.line = it.line";
        const RUN: &str =
            "INSERT INTO capture.run (environment, plan, name, captures, at_ms, guards)
            SELECT $1, $2, $3, count(*), $4, $5 FROM pg_temp.staged RETURNING id";
        const INTENTS: &str = "WITH new AS (INSERT INTO capture.intent
                SELECT nextval('capture.intent_id'), $1, order_id, idempotency_key, amount, currency, exponent, $2
                FROM (SELECT * FROM pg_temp.staged ORDER BY coalesce(capture_before_ms, $3), line) AS it
                ON CONFLICT DO NOTHING RETURNING id, order_id, idempotency_key)
            INSERT INTO capture.pending (intent, environment, urgency, run)
            SELECT id, $1, coalesce(capture_before_ms, $3), $4
            FROM new JOIN pg_temp.staged USING (order_id, idempotency_key)";
        const LINES: &str = "INSERT INTO capture.run_line
            SELECT $1, line, intent.id, reference, capture_before_ms FROM pg_temp.staged
            JOIN capture.intent USING (order_id, idempotency_key) WHERE environment = $2";
        let environment = self.who.environment;
        // Nobody asks for anything meanwhile, and nobody plans the same file.
        self.lock_asks(true)?;
        if let Some(run) = planned(self.sql, environment, plan)? {
            return Ok(Some(run));
        }
        let (mut is_free, mut captured) = (true, (Vec::new(), Vec::new()));
        self.known_lines(&mut |known| {
            is_free &= !known.is_obstacle();
            if let Answer::Decided(outcome, _) = &known.answer {
                captured.0.push(i64::from(known.line));
                captured.1.push(outcome.capture().idempotency_key().to_string());
            }
        })?;
        if !is_free {
            return Ok(None);
        }
        // An order that is captured is that capture, under whatever key.
        self.sql.execute(CAPTURED, &[&captured.0, &captured.1])?;
        let at_ms = unix_ms(self.at);
        let row = self.sql.query(RUN, &[&environment, &&plan[..], &name, &at_ms, &guards])?;
        let run: i64 = row[0].get(0);
        self.sql.execute(INTENTS, &[&environment, &at_ms, &NEVER, &run])?;
        self.sql.execute(LINES, &[&run, &environment])?;
        Ok(Some(RunId(run)))
    }

    /// Hands on the staged lines whose orders are known, in the order of the file.
    fn known_lines(&mut self, each: &mut dyn FnMut(KnownLine)) -> Result<(), Fault> {
        let select = format!(
            "SELECT {STAGED} FROM pg_temp.staged WHERE EXISTS (SELECT FROM capture.intent
             WHERE intent.order_id = staged.order_id AND environment = $1) ORDER BY line"
        );
        staged::count(self.sql)?;
        self.look_who_lives()?;
        let Self { sql, who, chain, alive, .. } = self;
        let is_alive = |fence| fence == chain.fence || alive.contains(&fence);
        sql.pages(&select, &[&who.environment], |sql, rows| {
            let lines = rows.iter().map(staged).collect::<Result<Vec<_>, _>>()?;
            let orders: BTreeSet<OrderId> = lines.iter().map(|it| it.capture.order_id()).collect();
            let known = of_orders(sql, who.environment, &Vec::from_iter(orders))?;
            for Line { line, capture, .. } in lines {
                let ask = Ask { capture, now: false };
                let stories = &known[&capture.order_id()];
                if let Some(answer) = decide(stories, &ask, chain.fence, is_alive).known() {
                    each(KnownLine { line, capture, answer });
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }
}

fn planned(
    sql: &mut Sql<'_, '_>,
    environment: i64,
    plan: &[u8; 32],
) -> Result<Option<RunId>, Fault> {
    const SELECT: &str = "SELECT id FROM capture.run WHERE plan = $1 AND environment = $2";
    Ok(sql.query(SELECT, &[&&plan[..], &environment])?.first().map(|row| RunId(row.get(0))))
}

fn deadlines(
    sql: &mut Sql<'_, '_>,
    now_ms: i64,
    per_second: Option<u32>,
) -> Result<Deadlines, Fault> {
    const SELECT: &str = "SELECT count(capture_before_ms), min(capture_before_ms),
        count(*) FILTER (WHERE capture_before_ms <= $1),
        min(capture_before_ms) FILTER (WHERE capture_before_ms > $1), count(*) FROM pg_temp.staged";
    const TOO_SOON: &str = "SELECT count(*) FROM (SELECT capture_before_ms AS before,
            row_number() OVER (ORDER BY coalesce(capture_before_ms, $3), line) AS place
            FROM pg_temp.staged) AS it WHERE before > $1 AND before < $1 + place * $2::float8";
    let rows = sql.query(SELECT, &[&now_ms])?;
    let row = &rows[0];
    let count = |at: usize| u32::try_from(row.get::<_, i64>(at)).unwrap_or(u32::MAX);
    let first = row.get::<_, Option<i64>>(1).map(moment);
    let mut deadlines = Deadlines { known: count(0), first, past: count(2), too_soon: 0 };
    let ms_for_each = per_second.map_or(0.0, |rate| 1000.0 / f64::from(rate));
    let takes = (f64::from(count(4)) * ms_for_each) as i64;
    // Only then does their order matter, and sorting a long list takes a while.
    if row.get::<_, Option<i64>>(3).is_some_and(|next| next < now_ms + takes) {
        let counted: i64 = sql.query(TOO_SOON, &[&now_ms, &ms_for_each, &NEVER])?[0].get(0);
        deadlines.too_soon = u32::try_from(counted).unwrap_or(u32::MAX);
    }
    Ok(deadlines)
}
