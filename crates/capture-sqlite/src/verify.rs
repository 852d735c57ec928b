//! Whether the file is what was written: the chain of its records, and rows that contradict each other.

use std::time::SystemTime;

use capture_core::OrderId;
use capture_journal::{Chain, Hash, Link, Lost, contradictions};
use rusqlite::Row;

use crate::body;
use crate::open::Sqlite;
use crate::read::{self, lost};

/// What walking the chain found. It shows whether records were edited or removed since a hash was noted
/// elsewhere; a person who can write the file can also make a whole new chain, so it is evidence of tampering,
/// no proof against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many records there are.
    pub records: i64,
    /// The hash of the last one. Note it elsewhere to compare it later.
    pub head: Hash,
    /// The first record whose hash does not fit, or that is missing.
    pub broken_at: Option<i64>,
    /// The last record that was removed on purpose, and when.
    pub pruned: Option<(i64, SystemTime)>,
    /// Whether the chain goes through the hash that was asked about.
    pub has_noted: Option<bool>,
}

impl Verified {
    /// The same as it is shown.
    #[must_use]
    pub fn chain(&self) -> Chain {
        Chain::new(self.records, &self.head, self.broken_at)
    }
}

impl Sqlite {
    /// Walks the chain from its beginning, or from where it was pruned. `noted` is a head that was noted
    /// before.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn verify(&mut self, noted: Option<&Hash>) -> Result<Verified, Lost> {
        let transaction = self.connection.transaction().map_err(lost)?;
        let checkpoint = "SELECT number, hash, at_ms FROM checkpoint ORDER BY number DESC LIMIT 1";
        let checkpoint: Option<(i64, Hash, i64)> = read::maybe(transaction.query_row(
            checkpoint,
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        ))?;
        let (mut number, mut head, _) = checkpoint.unwrap_or_default();
        let mut verified = Verified {
            records: 0,
            head,
            broken_at: None,
            pruned: checkpoint.map(|(number, _, at)| (number, read::moment(at))),
            has_noted: noted.map(|noted| *noted == head),
        };
        let select = format!(
            "SELECT {}, name, number, claim, record.at_ms, is_note, body, hash FROM record
             LEFT JOIN intent ON intent.id = record.intent
             LEFT JOIN environment ON environment.id = intent.environment ORDER BY number",
            read::INTENT
        );
        let mut statement = transaction.prepare(&select).map_err(lost)?;
        let mut rows = statement.query([]).map_err(lost)?;
        while let Some(row) = rows.next().map_err(lost)? {
            number += 1;
            verified.records += 1;
            let found: Hash = row.get("hash").map_err(lost)?;
            if verified.broken_at.is_none() && link(row, number, &head).ok() != Some(found) {
                verified.broken_at = Some(number);
            }
            head = found;
            if noted == Some(&head) && verified.broken_at.is_none() {
                verified.has_noted = Some(true);
            }
        }
        verified.head = head;
        drop(rows);
        drop(statement);
        let noted_head: Hash = transaction
            .query_row("SELECT head FROM journal", [], |row| row.get(0))
            .map_err(lost)?;
        if noted_head != head && verified.broken_at.is_none() {
            verified.broken_at = Some(number + 1);
        }
        Ok(verified)
    }

    /// The hash of the last record, as it was noted when that was written. [`verify`](Self::verify) walks the
    /// chain to it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn head(&mut self) -> Result<Hash, Lost> {
        self.connection.query_row("SELECT head FROM journal", [], |row| row.get(0)).map_err(lost)
    }

    /// What is wrong with the file, in words; nothing if all is well. The chain is left to
    /// [`verify`](Self::verify).
    ///
    /// # Errors
    /// When the file cannot be read at all.
    pub fn check(&mut self) -> Result<Vec<String>, Lost> {
        let transaction = self.connection.transaction().map_err(lost)?;
        let mut found = Vec::new();
        let mut statement = transaction.prepare("PRAGMA integrity_check(100)").map_err(lost)?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0)).map_err(lost)?;
        for line in lines {
            let line = line.map_err(lost)?;
            if line != "ok" {
                found.push(line);
            }
        }
        let mut statement = transaction.prepare("PRAGMA foreign_key_check").map_err(lost)?;
        let lines = statement
            .query_map([], |row| {
                let (table, row): (String, Option<i64>) = (row.get(0)?, row.get(1)?);
                Ok(format!("table {table}, row {}: it refers to nothing", row.unwrap_or_default()))
            })
            .map_err(lost)?;
        for line in lines {
            found.push(line.map_err(lost)?);
        }
        // One order after the other, so that memory does not grow with the file.
        let orders = "SELECT DISTINCT environment, order_id FROM intent ORDER BY order_id";
        let mut statement = transaction.prepare(orders).map_err(lost)?;
        let mut rows = statement.query([]).map_err(lost)?;
        while let Some(row) = rows.next().map_err(lost)? {
            let (environment, order): (i64, [u8; 16]) =
                (row.get(0).map_err(lost)?, row.get(1).map_err(lost)?);
            match read::of_order(&transaction, environment, &order) {
                Ok(stories) => found.extend(contradictions(&stories)),
                Err(Lost::Damaged(why)) => {
                    let order = OrderId::from_bytes(order).map_or("?".into(), |it| it.to_string());
                    found.push(format!("order {order}: {why}"));
                }
                Err(other) => return Err(other),
            }
        }
        Ok(found)
    }
}

fn link(row: &Row<'_>, number: i64, before: &Hash) -> Result<Hash, Lost> {
    let stored: i64 = row.get("number").map_err(lost)?;
    let story = read::intent(row)?;
    let environment: String = row.get("name").map_err(lost)?;
    let body = body::unpack(row.get("body").map_err(lost)?);
    let body = body.ok_or_else(|| Lost::Damaged(format!("record {number} cannot be read")))?;
    let link = Link {
        number,
        environment: &environment,
        capture: &story.capture,
        claim: row.get("claim").map_err(lost)?,
        at_ms: row.get(10).map_err(lost)?,
        is_note: row.get("is_note").map_err(lost)?,
        body: &body,
    };
    if stored != number {
        return Err(Lost::Damaged(format!("record {number} is missing")));
    }
    Ok(link.hash(before))
}
