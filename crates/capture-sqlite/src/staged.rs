//! Rows of staged lines.

use capture_core::{Capture, Currency, IdempotencyKey, Money, OrderId};
use capture_journal::{Line, Lost};
use rusqlite::Row;

use crate::read::{lost, moment};

pub(crate) const STAGED: &str =
    "line, staged.order_id, staged.idempotency_key, staged.amount, staged.currency,
    staged.exponent, reference, capture_before_ms";

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
