//! Lines that are staged: in a table of this connection alone, which goes with it.

use capture_core::{Capture, Currency, IdempotencyKey, Money, OrderId};
use capture_journal::{Line, Lost, unix_ms};
use postgres::Row;

use crate::fault::Fault;
use crate::read::moment;
use crate::sql::Sql;

/// The columns of [`staged`].
pub(crate) const STAGED: &str =
    "line, staged.order_id::text, staged.idempotency_key::text, staged.amount,
    staged.currency, staged.exponent, reference, capture_before_ms";

/// Forgets what was staged before.
pub(crate) fn begin(sql: &mut Sql<'_, '_>) -> Result<(), Fault> {
    const TABLE: &str = "CREATE TABLE IF NOT EXISTS pg_temp.staged (
        line bigint PRIMARY KEY, order_id uuid NOT NULL, idempotency_key uuid NOT NULL,
        amount bigint NOT NULL, currency text NOT NULL, exponent smallint NOT NULL,
        reference text, capture_before_ms bigint);
        TRUNCATE pg_temp.staged";
    sql.transaction.batch_execute(TABLE)?;
    Ok(())
}

pub(crate) fn insert(sql: &mut Sql<'_, '_>, lines: &[Line]) -> Result<(), Fault> {
    const INSERT: &str = "INSERT INTO pg_temp.staged
        SELECT line, order_id::uuid, key::uuid, amount, currency, exponent, reference, before
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::smallint[],
            $7::text[], $8::bigint[]) AS it (line, order_id, key, amount, currency, exponent, reference, before)";
    // Nothing of it has to be durable.
    sql.transaction.batch_execute("SET LOCAL synchronous_commit = off")?;
    let (mut numbers, mut orders, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    let (mut amounts, mut codes, mut exponents) = (Vec::new(), Vec::new(), Vec::new());
    let (mut references, mut deadlines) = (Vec::new(), Vec::new());
    for line in lines {
        let (capture, money) = (&line.capture, line.capture.money());
        numbers.push(i64::from(line.line));
        orders.push(capture.order_id().to_string());
        keys.push(capture.idempotency_key().to_string());
        amounts.push(i64::from(money.minor_units()));
        codes.push(money.currency().code().to_owned());
        exponents.push(i16::from(money.currency().exponent()));
        references.push(line.reference.as_deref());
        deadlines.push(line.capture_before.map(unix_ms));
    }
    sql.execute(
        INSERT,
        &[&numbers, &orders, &keys, &amounts, &codes, &exponents, &references, &deadlines],
    )?;
    Ok(())
}

/// Lets the server know how many there are: nothing else looks at a table of one connection.
pub(crate) fn count(sql: &mut Sql<'_, '_>) -> Result<(), Fault> {
    Ok(sql.transaction.batch_execute("ANALYZE pg_temp.staged")?)
}

/// A line as it was staged.
pub(crate) fn staged(row: &Row) -> Result<Line, Lost> {
    let damaged = |_| Lost::Damaged("a staged line is none".to_owned());
    let exponent = u8::try_from(row.get::<_, i16>(5)).unwrap_or(u8::MAX);
    let currency = Currency::stored(row.get(4), exponent).map_err(damaged)?;
    let amount = u32::try_from(row.get::<_, i64>(3)).unwrap_or_default();
    let money = Money::from_minor(amount, currency).map_err(damaged)?;
    let order: OrderId = row.get::<_, &str>(1).parse().map_err(damaged)?;
    let key: IdempotencyKey = row.get::<_, &str>(2).parse().map_err(damaged)?;
    Ok(Line {
        line: u32::try_from(row.get::<_, i64>(0)).unwrap_or_default(),
        capture: Capture::new(order, money, key),
        reference: row.get(6),
        capture_before: row.get::<_, Option<i64>>(7).map(moment),
    })
}
