//! What can be asked of staged lines before they are planned.

use std::time::SystemTime;

use capture_core::{Capture, Currency, IdempotencyKey, Money, OrderId};
use capture_journal::{Line, Lost, unix_ms};
use rusqlite::{Row, params};

use crate::open::Sqlite;
use crate::read::{lost, moment};

/// When the orders of a list void, as far as the list says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deadlines {
    /// How many lines say it.
    pub known: u32,
    /// The first of them.
    pub first: Option<SystemTime>,
    /// How many are over.
    pub past: u32,
    /// How many more come before their turn.
    pub too_soon: u32,
}

pub(crate) const STAGED: &str =
    "line, staged.order_id, staged.idempotency_key, staged.amount, staged.currency,
    staged.exponent, reference, capture_before_ms";

impl Sqlite {
    /// The deadlines of what is staged, were it captured in its order from now on, so many a second (`None`
    /// for at once).
    ///
    /// # Errors
    /// When the journal failed.
    pub fn deadlines(
        &mut self,
        now: SystemTime,
        per_second: Option<u32>,
    ) -> Result<Deadlines, Lost> {
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

    /// Hands on so many staged lines, or all of them, drawn by the seed.
    ///
    /// # Errors
    /// When the journal failed.
    pub fn drawn<E: From<Lost>>(
        &mut self,
        seed: u32,
        most: Option<u32>,
        mut each: impl FnMut(Line) -> Result<(), E>,
    ) -> Result<(), E> {
        // A multiplier without a pattern in it (Knuth), so that neighbours are not drawn together.
        let select = format!(
            "SELECT {STAGED} FROM staged ORDER BY (line * 2654435761 + ?) % 4294967296, line LIMIT ?"
        );
        let most = most.map_or(-1, i64::from);
        let mut statement = self.connection.prepare(&select).map_err(lost)?;
        let mut rows = statement.query(params![seed, most]).map_err(lost)?;
        while let Some(row) = rows.next().map_err(lost)? {
            each(staged(row)?)?;
        }
        Ok(())
    }
}

/// A line as it was staged.
pub(crate) fn staged(row: &Row<'_>) -> Result<Line, Lost> {
    let damaged = |_| Lost::Damaged("a staged line is none".to_owned());
    let currency: String = row.get(4).map_err(lost)?;
    let currency = Currency::stored(&currency, row.get(5).map_err(lost)?).map_err(damaged)?;
    let money = Money::from_minor(row.get(3).map_err(lost)?, currency).map_err(damaged)?;
    let order = OrderId::from_bytes(row.get(1).map_err(lost)?).map_err(damaged)?;
    let key = IdempotencyKey::from_bytes(row.get(2).map_err(lost)?).map_err(damaged)?;
    Ok(Line {
        line: row.get(0).map_err(lost)?,
        capture: Capture::new(order, money, key),
        reference: row.get(6).map_err(lost)?,
        capture_before: row.get::<_, Option<i64>>(7).map_err(lost)?.map(moment),
    })
}
