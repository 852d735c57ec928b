//! Rows as stories.

use std::collections::BTreeMap;
use std::time::SystemTime;

use capture_core::{Capture, Currency, IdempotencyKey, Money, OrderId};
use capture_journal::{Claim, ClaimId, Entry, Fence, Holder, IntentId, Lost, Story};
use postgres::Row;

use crate::fault::Fault;
use crate::sql::Sql;

/// The stories of each order.
pub(crate) type Orders = BTreeMap<OrderId, Vec<Story>>;

pub(crate) fn moment(ms: i64) -> SystemTime {
    capture_journal::moment(ms.try_into().unwrap_or(0))
}

/// The columns of [`intent`].
pub(crate) const INTENT: &str =
    "intent.id, intent.order_id::text, intent.idempotency_key::text, intent.amount,
    intent.currency, intent.exponent, intent.at_ms";

const OF_ORDERS: &str =
    "SELECT id, order_id::text, idempotency_key::text, amount, currency, exponent, at_ms
    FROM capture.intent WHERE environment = $1 AND order_id = ANY($2::text[]::uuid[]) ORDER BY id";

/// The stories of these orders, oldest first.
pub(crate) fn of_orders(
    sql: &mut Sql<'_, '_>,
    environment: i64,
    orders: &[OrderId],
) -> Result<Orders, Fault> {
    if orders.is_empty() {
        return Ok(Orders::new());
    }
    let texts: Vec<String> = orders.iter().map(OrderId::to_string).collect();
    let rows = sql.query(OF_ORDERS, &[&environment, &texts])?;
    let mut found: Orders = orders.iter().map(|order| (*order, Vec::new())).collect();
    for story in stories(sql, &rows)? {
        found.entry(story.capture.order_id()).or_default().push(story);
    }
    Ok(found)
}

/// The stories of these rows, which have the columns of [`INTENT`].
pub(crate) fn stories(sql: &mut Sql<'_, '_>, rows: &[Row]) -> Result<Vec<Story>, Fault> {
    let stories = rows.iter().map(intent).collect::<Result<Vec<_>, _>>()?;
    whole(sql, stories)
}

/// The same stories with their claims and entries.
pub(crate) fn whole(sql: &mut Sql<'_, '_>, stories: Vec<Story>) -> Result<Vec<Story>, Fault> {
    let intents: Vec<i64> = stories.iter().map(|story| story.intent.0).collect();
    let mut claims = claims(sql, &intents)?;
    let mut entries = entries(sql, &intents)?;
    let whole = stories.into_iter().map(|story| {
        let claims = claims.remove(&story.intent.0).unwrap_or_default();
        let entries = entries.remove(&story.intent.0).unwrap_or_default();
        Story { claims, entries, ..story }
    });
    Ok(whole.collect())
}

/// A story without claims and entries.
pub(crate) fn intent(row: &Row) -> Result<Story, Lost> {
    let id: i64 = row.get("id");
    let damaged = |_| Lost::Damaged(format!("capture {id} is none"));
    let exponent = u8::try_from(row.get::<_, i16>("exponent")).unwrap_or(u8::MAX);
    let currency = Currency::stored(row.get("currency"), exponent).map_err(damaged)?;
    let amount = u32::try_from(row.get::<_, i64>("amount")).unwrap_or_default();
    let money = Money::from_minor(amount, currency).map_err(damaged)?;
    let order: OrderId = row.get::<_, &str>("order_id").parse().map_err(damaged)?;
    let key: IdempotencyKey = row.get::<_, &str>("idempotency_key").parse().map_err(damaged)?;
    Ok(Story {
        intent: IntentId(id),
        capture: Capture::new(order, money, key),
        asked_at: moment(row.get("at_ms")),
        claims: Vec::new(),
        entries: Vec::new(),
    })
}

fn claims(sql: &mut Sql<'_, '_>, intents: &[i64]) -> Result<BTreeMap<i64, Vec<Claim>>, Fault> {
    const SELECT: &str = "SELECT intent, id, fence, host, process, claim.at_ms
        FROM capture.claim JOIN capture.opening USING (fence) WHERE intent = ANY($1) ORDER BY id";
    let mut found: BTreeMap<i64, Vec<Claim>> = BTreeMap::new();
    if intents.is_empty() {
        return Ok(found);
    }
    for row in sql.query(SELECT, &[&intents])? {
        let process = u32::try_from(row.get::<_, i64>(4)).unwrap_or_default();
        let claim = Claim {
            id: ClaimId(row.get(1)),
            fence: Fence(row.get(2)),
            holder: Holder { host: row.get(3), process },
            at: moment(row.get(5)),
        };
        found.entry(row.get(0)).or_default().push(claim);
    }
    Ok(found)
}

fn entries(sql: &mut Sql<'_, '_>, intents: &[i64]) -> Result<BTreeMap<i64, Vec<Entry>>, Fault> {
    const SELECT: &str = "SELECT intent, id, claim, at_ms, is_note, body::text FROM capture.record
        WHERE intent = ANY($1) ORDER BY id";
    let mut found: BTreeMap<i64, Vec<Entry>> = BTreeMap::new();
    if intents.is_empty() {
        return Ok(found);
    }
    for row in sql.query(SELECT, &[&intents])? {
        // serde's own message could quote what is in it.
        let outcome = serde_json::from_str(row.get(5)).map_err(|_| {
            Lost::Damaged(format!("record {} cannot be read", row.get::<_, i64>(1)))
        })?;
        let (claim, at, is_note) = (ClaimId(row.get(2)), moment(row.get(3)), row.get(4));
        found.entry(row.get(0)).or_default().push(Entry { claim, at, is_note, outcome });
    }
    Ok(found)
}
