//! Whether the records are what was written: the chain of each opening.

use std::ops::ControlFlow;

use capture_core::OrderId;
use capture_journal::{Fence, Hash, Link, Lost, Standing, Story, contradictions};
use postgres::Row;

use crate::fault::Fault;
use crate::open::Postgres;
use crate::read;
use crate::session::Chain;
use crate::sql::Sql;

/// What walking the chains found. It shows whether records were edited or removed since their heads were noted
/// elsewhere; a person who can write the tables can also make whole new chains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many records there are.
    pub records: i64,
    /// Where the chain of each opening that recorded something ends. Note them elsewhere to compare them later.
    pub heads: Vec<Head>,
    /// The first record of each chain whose hash does not fit, or that is missing.
    pub broken_at: Vec<(Fence, i64)>,
    /// The heads that were noted, and that no chain goes through.
    pub missing: Vec<Hash>,
}

/// Where a chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The opening.
    pub fence: Fence,
    /// How many records it has.
    pub records: i64,
    /// The hash of the last one.
    pub hash: Hash,
}

impl Postgres {
    /// Walks the chain of every opening, of all environments. `noted` are heads that were noted before.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn verify(&mut self, noted: &[Hash]) -> Result<Verified, Lost> {
        self.session().transact(|_, sql, _| verify(sql, noted))
    }

    /// What contradicts itself, in words; nothing if all is well.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn check(&mut self) -> Result<Vec<String>, Lost> {
        self.session().transact(|_, sql, _| check(sql))
    }
}

fn verify(sql: &mut Sql<'_, '_>, noted: &[Hash]) -> Result<Verified, Fault> {
    // One statement, so that what is written meanwhile is seen whole or not at all.
    const RECORDS: &str = "SELECT opening.fence AS of, opening.records, opening.head, record.number,
            record.claim, record.at_ms AS recorded_ms, record.is_note, record.body::text AS body, record.hash,
            environment.name, intent.id, intent.order_id::text, intent.idempotency_key::text, intent.amount,
            intent.currency, intent.exponent, intent.at_ms, checkpoint.number AS pruned, checkpoint.hash AS pruned_hash
        FROM capture.opening LEFT JOIN capture.record ON record.fence = opening.fence
        LEFT JOIN capture.checkpoint ON checkpoint.fence = opening.fence
        LEFT JOIN capture.intent ON intent.id = record.intent
        LEFT JOIN capture.environment ON environment.id = intent.environment
        WHERE opening.records > 0 OR record.fence IS NOT NULL ORDER BY opening.fence, record.number";
    let (records, heads, broken_at) = (0, Vec::new(), Vec::new());
    let mut verified = Verified { records, heads, broken_at, missing: noted.to_vec() };
    let mut walked: Option<(Chain, i64, Option<Vec<u8>>)> = None;
    sql.pages(RECORDS, &[], |_, rows| {
        for row in rows {
            let fence = Fence(row.get("of"));
            if walked.as_ref().is_none_or(|(chain, ..)| chain.fence != fence) {
                verified.end(walked.take());
                walked = Some((verified.begin(row, fence), row.get("records"), row.get("head")));
            }
            if let Some((chain, ..)) = &mut walked {
                verified.step(row, chain);
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    verified.end(walked);
    Ok(verified)
}

impl Verified {
    /// A chain from its beginning, or from where its first records were removed.
    fn begin(&mut self, row: &Row, fence: Fence) -> Chain {
        let mut chain = Chain::new(fence);
        if let Some(number) = row.get::<_, Option<i64>>("pruned") {
            let hash: Vec<u8> = row.get("pruned_hash");
            (chain.number, chain.head) = (number, hash.try_into().unwrap_or_default());
            self.missing.retain(|noted| *noted != chain.head);
        }
        chain
    }

    fn step(&mut self, row: &Row, chain: &mut Chain) {
        let Some(number) = row.get::<_, Option<i64>>("number") else { return };
        self.records += 1;
        chain.number += 1;
        let found: Vec<u8> = row.get("hash");
        let found: Hash = found.try_into().unwrap_or_default();
        let is_whole = number == chain.number && link(row, &chain.head) == Some(found);
        let is_first = self.broken_at.last().is_none_or(|(fence, _)| *fence != chain.fence);
        if !is_whole && is_first {
            self.broken_at.push((chain.fence, chain.number));
        }
        chain.head = found;
        if is_whole && is_first {
            self.missing.retain(|noted| *noted != found);
        }
    }

    /// The opening says how many there were.
    fn end(&mut self, walked: Option<(Chain, i64, Option<Vec<u8>>)>) {
        let Some((chain, records, head)) = walked else { return };
        let is_first = self.broken_at.last().is_none_or(|(fence, _)| *fence != chain.fence);
        let is_whole = chain.number == records && head.as_deref() == Some(&chain.head[..]);
        if !is_whole && is_first {
            self.broken_at.push((chain.fence, chain.number + 1));
        }
        self.heads.push(Head { fence: chain.fence, records: chain.number, hash: chain.head });
    }
}

fn link(row: &Row, before: &Hash) -> Option<Hash> {
    row.get::<_, Option<i64>>("id")?;
    let story = read::intent(row).ok()?;
    let body: &str = row.get("body");
    let link = Link {
        number: row.get("number"),
        environment: row.get("name"),
        capture: &story.capture,
        claim: row.get("claim"),
        at_ms: row.get("recorded_ms"),
        is_note: row.get("is_note"),
        body: body.as_bytes(),
    };
    Some(link.hash(before))
}

fn check(sql: &mut Sql<'_, '_>) -> Result<Vec<String>, Fault> {
    const ORDERS: &str =
        "SELECT DISTINCT environment, order_id::text FROM capture.intent ORDER BY 1, 2";
    const PENDING: &str = "SELECT EXISTS (SELECT FROM capture.pending WHERE intent = $1)";
    let mut found = Vec::new();
    sql.pages(ORDERS, &[], |sql, rows| {
        for row in rows {
            let Ok(order) = row.get::<_, &str>(1).parse::<OrderId>() else { continue };
            let stories = read::of_orders(sql, row.get(0), &[order])?;
            let stories = stories.into_values().flatten().collect::<Vec<_>>();
            found.extend(contradictions(&stories));
            let is_captured = |story: &Story| matches!(story.standing(), Standing::Captured(..));
            let is_captured = stories.iter().any(is_captured);
            for story in &stories {
                let is_open = story.standing().decided().is_none();
                // Under another key, perhaps: then it is looked for until somebody notices.
                if is_open && is_captured {
                    continue;
                }
                let is_pending: bool = sql.query(PENDING, &[&story.intent.0])?[0].get(0);
                if is_open != is_pending {
                    found.push(format!(
                        "order {order}: it is {} and {} looked for",
                        story.standing().name(),
                        if is_pending { "is" } else { "is not" }
                    ));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}
