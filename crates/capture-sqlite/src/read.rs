//! Rows as stories.

use std::time::SystemTime;

use crate::body;
use capture_core::{Capture, Currency, IdempotencyKey, Money, OrderId};
use capture_journal::{Claim, ClaimId, Entry, Fence, Holder, IntentId, Lost, Story};
use rusqlite::{Connection, Params, Row, params};

/// A failure of SQLite, as the trait reports it.
pub(crate) fn lost(error: rusqlite::Error) -> Lost {
    use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase};
    match error.sqlite_error_code() {
        Some(DiskFull) => Lost::Full(error.into()),
        Some(DatabaseCorrupt | NotADatabase) => Lost::Damaged(error.to_string()),
        _ => Lost::Io(error.into()),
    }
}

/// A row that need not be there.
pub(crate) fn maybe<T>(row: rusqlite::Result<T>) -> Result<Option<T>, Lost> {
    match row {
        Ok(row) => Ok(Some(row)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => Err(lost(error)),
    }
}

pub(crate) fn moment(ms: i64) -> SystemTime {
    capture_journal::moment(ms.try_into().unwrap_or(0))
}

/// The stories of an order, oldest first.
pub(crate) fn of_order(
    connection: &Connection,
    environment: i64,
    order: &[u8; 16],
) -> Result<Vec<Story>, Lost> {
    stories(connection, "order_id = ? AND environment = ?", params![order, environment])
}

fn stories(
    connection: &Connection,
    filter: &str,
    parameters: impl Params,
) -> Result<Vec<Story>, Lost> {
    let select = format!("SELECT {INTENT} FROM intent WHERE {filter} ORDER BY id");
    let mut statement = connection.prepare_cached(&select).map_err(lost)?;
    let rows = statement.query_map(parameters, |row| Ok(intent(row))).map_err(lost)?;
    let mut stories = Vec::new();
    for row in rows {
        let mut story = row.map_err(lost)??;
        story.claims = claims(connection, story.intent)?;
        story.entries = entries(connection, story.intent)?;
        stories.push(story);
    }
    Ok(stories)
}

/// The story of one capture.
pub(crate) fn story(connection: &Connection, intent: IntentId) -> Result<Story, Lost> {
    let found = stories(connection, "id = ?", [intent.0])?.pop();
    found.ok_or_else(|| Lost::Damaged(format!("there is no capture {}", intent.0)))
}

/// The columns of [`intent`].
pub(crate) const INTENT: &str =
    "intent.id, order_id, idempotency_key, amount, currency, exponent, intent.at_ms";

/// A story without claims and entries.
pub(crate) fn intent(row: &Row<'_>) -> Result<Story, Lost> {
    let number = |at: usize| row.get::<_, i64>(at).map_err(lost);
    let id = number(0)?;
    let damaged = |_| Lost::Damaged(format!("capture {id} is none"));
    let text: String = row.get(4).map_err(lost)?;
    let exponent = u8::try_from(number(5)?).unwrap_or(u8::MAX);
    let currency = Currency::stored(&text, exponent).map_err(damaged)?;
    let amount = u32::try_from(number(3)?).unwrap_or_default();
    let money = Money::from_minor(amount, currency).map_err(damaged)?;
    let order = OrderId::from_bytes(row.get(1).map_err(lost)?).map_err(damaged)?;
    let key = IdempotencyKey::from_bytes(row.get(2).map_err(lost)?).map_err(damaged)?;
    Ok(Story {
        intent: IntentId(id),
        capture: Capture::new(order, money, key),
        asked_at: moment(number(6)?),
        claims: Vec::new(),
        entries: Vec::new(),
    })
}

/// No claim is wider than 64 captures, so that few have to be looked at.
fn claims(connection: &Connection, intent: IntentId) -> Result<Vec<Claim>, Lost> {
    const SELECT: &str = "SELECT claim.id, fence, host, process, claim.at_ms FROM claim
        JOIN opening USING (fence) WHERE low BETWEEN ?1 - 63 AND ?1 AND high >= ?1 ORDER BY claim.id";
    let mut statement = connection.prepare_cached(SELECT).map_err(lost)?;
    let claim = |row: &Row<'_>| {
        Ok(Claim {
            id: ClaimId(row.get(0)?),
            fence: Fence(row.get(1)?),
            holder: Holder { host: row.get(2)?, process: row.get(3)? },
            at: moment(row.get(4)?),
        })
    };
    let rows = statement.query_map([intent.0], claim).map_err(lost)?;
    rows.collect::<Result<_, _>>().map_err(lost)
}

fn entries(connection: &Connection, intent: IntentId) -> Result<Vec<Entry>, Lost> {
    const SELECT: &str =
        "SELECT number, claim, at_ms, is_note, body FROM record WHERE intent = ? ORDER BY number";
    let mut statement = connection.prepare_cached(SELECT).map_err(lost)?;
    let mut rows = statement.query([intent.0]).map_err(lost)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next().map_err(lost)? {
        entries.push(entry(row)?);
    }
    Ok(entries)
}

fn entry(row: &Row<'_>) -> Result<Entry, Lost> {
    let number: i64 = row.get(0).map_err(lost)?;
    let body: Vec<u8> = row.get(4).map_err(lost)?;
    // serde's own message could quote what is in it.
    let json = body::unpack(body);
    let outcome = json.and_then(|json| serde_json::from_slice(&json).ok());
    let outcome =
        outcome.ok_or_else(|| Lost::Damaged(format!("record {number} cannot be read")))?;
    Ok(Entry {
        claim: ClaimId(row.get(1).map_err(lost)?),
        at: moment(row.get(2).map_err(lost)?),
        is_note: row.get(3).map_err(lost)?,
        outcome,
    })
}
