//! Removing the oldest records of each chain, once what they are about is long decided.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::SystemTime;

use capture_journal::{KeepError, unix_ms};

use crate::desk::Desk;
use crate::fault::Fault;
use crate::open::Postgres;
use crate::read::{self, INTENT};
use crate::sql::Sql;

/// So many records of a chain are looked at together at first.
const SLICE: i64 = 5_000;

/// A record: its opening, and its number in that one's chain.
type Place = (i64, i64);

impl Postgres {
    /// Removes the oldest records of every chain whose orders were all decided before that time, and says how many.
    /// Each chain goes on from the last of them. An order that was removed is unknown here from then on. Nobody can
    /// ask for captures meanwhile. The role must own the tables.
    ///
    /// # Errors
    /// When `before` is within the last 30 days, or the database fails.
    pub fn prune(&mut self, before: SystemTime) -> Result<usize, KeepError> {
        KeepError::if_too_recent(before, SystemTime::now())?;
        let (mut removed, mut slice) = (0, SLICE);
        // In slices: others want their turns.
        loop {
            let (some, is_whole) = self.session().transact(|who, sql, chain| {
                let mut desk = Desk::new(sql, who, chain, SystemTime::now());
                desk.lock_asks(true)?;
                prune(desk.sql, before, slice)
            })?;
            removed += some;
            match (some, is_whole) {
                (0, true) => return Ok(removed),
                // One chain may wait for what another one has further on.
                (0, false) => slice *= 4,
                _ => {}
            }
        }
    }
}

/// How many were removed, and whether every chain was looked at as far as it can be removed.
fn prune(sql: &mut Sql<'_, '_>, before: SystemTime, slice: i64) -> Result<(usize, bool), Fault> {
    const OPENINGS: &str = "SELECT opening.fence, coalesce(number, 0) FROM capture.opening
        LEFT JOIN capture.checkpoint USING (fence) WHERE records > coalesce(number, 0) ORDER BY 1";
    const PLACES: &str = "SELECT intent, fence, number FROM capture.record WHERE intent = ANY($1)";
    let (mut ends, mut intents, mut is_whole) = (BTreeMap::new(), BTreeSet::new(), true);
    for row in sql.query(OPENINGS, &[])? {
        let (fence, from): Place = (row.get(0), row.get(1));
        let old = old(sql, fence, from, before, slice)?;
        is_whole &= (old.len() as i64) < slice;
        ends.insert(fence, from + old.len() as i64);
        intents.extend(old);
    }
    let asked: Vec<i64> = intents.iter().copied().collect();
    let mut places: BTreeMap<i64, Vec<Place>> = BTreeMap::new();
    for row in sql.query(PLACES, &[&asked])? {
        places.entry(row.get(0)).or_default().push((row.get(1), row.get(2)));
    }
    // An order goes as a whole: where a record of it has to stay, the chains end before its others.
    let mut left = usize::MAX;
    while left > intents.len() {
        left = intents.len();
        intents.retain(|intent| {
            let of = &places[intent];
            let stays = |(fence, number): &Place| ends.get(fence).is_none_or(|end| number > end);
            let goes = !of.iter().any(stays);
            for (fence, number) in of.iter().filter(|_| !goes) {
                ends.entry(*fence).and_modify(|end| *end = (*end).min(number - 1));
            }
            goes
        });
    }
    let intents: Vec<i64> = intents.into_iter().collect();
    Ok((remove(sql, &ends, &intents)?, is_whole))
}

/// The captures of a chain's next records, as far as each was decided before that time.
fn old(
    sql: &mut Sql<'_, '_>,
    fence: i64,
    from: i64,
    before: SystemTime,
    slice: i64,
) -> Result<Vec<i64>, Fault> {
    let select = format!(
        "SELECT {INTENT} FROM capture.record JOIN capture.intent ON intent.id = record.intent
         WHERE record.fence = $1 AND number > $2 AND record.at_ms < $3 ORDER BY number LIMIT $4"
    );
    let mut found = Vec::new();
    sql.pages(&select, &[&fence, &from, &unix_ms(before), &slice], |sql, rows| {
        for story in read::stories(sql, rows)? {
            if !story.was_decided(before) {
                return Ok(ControlFlow::Break(()));
            }
            found.push(story.intent.0);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

fn remove(
    sql: &mut Sql<'_, '_>,
    ends: &BTreeMap<i64, i64>,
    intents: &[i64],
) -> Result<usize, Fault> {
    const CHECKPOINT: &str = "INSERT INTO capture.checkpoint (fence, number, hash)
        SELECT fence, number, hash FROM capture.record WHERE fence = $1 AND number = $2
        ON CONFLICT (fence) DO UPDATE SET number = excluded.number, hash = excluded.hash, at = clock_timestamp()";
    const RECORDS: &str = "DELETE FROM capture.record WHERE fence = $1 AND number <= $2";
    let mut removed = 0;
    for (fence, end) in ends {
        sql.execute(CHECKPOINT, &[fence, end])?;
        removed += sql.execute(RECORDS, &[fence, end])?;
    }
    for table in ["run_line", "claim", "pending"] {
        let delete = format!("DELETE FROM capture.{table} WHERE intent = ANY($1)");
        sql.transaction.execute(&delete, &[&intents])?;
    }
    sql.transaction.execute("DELETE FROM capture.intent WHERE id = ANY($1)", &[&intents])?;
    Ok(usize::try_from(removed).unwrap_or(usize::MAX))
}
