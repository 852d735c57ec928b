//! Taking what services wrote down in transactions of their own.

use std::collections::BTreeSet;

use capture_core::{Capture, Currency, IdempotencyKey, Money, OrderId};
use capture_journal::{Answer, Ask};
use postgres::Row;

use crate::desk::{Desk, lock_of};
use crate::fault::Fault;

impl Desk<'_, '_, '_> {
    /// Makes captures of so much in the inbox, the most urgent first. It waits for nobody: what another holder
    /// is at stays for the next time.
    pub(crate) fn empty_inbox(&mut self, most: usize) -> Result<(), Fault> {
        const NEXT: &str = "SELECT id, order_id::text, idempotency_key::text, amount, currency, exponent, urgency
            FROM capture.inbox WHERE environment = $1 ORDER BY urgency, id LIMIT $2 FOR UPDATE SKIP LOCKED";
        const LOCK: &str =
            "SELECT it, pg_try_advisory_xact_lock(it) FROM unnest($1::bigint[]) AS it";
        const TAKEN: &str = "DELETE FROM capture.inbox WHERE id = ANY($1)";
        if most == 0 {
            return Ok(());
        }
        let rows = self.sql.query(NEXT, &[&self.who.environment, &(most as i64)])?;
        if rows.is_empty() || !self.try_lock_asks()? {
            return Ok(());
        }
        let orders: BTreeSet<OrderId> = rows.iter().filter_map(order).collect();
        let locks: Vec<i64> = orders.iter().map(lock_of).collect();
        let locked = self.sql.query(LOCK, &[&locks])?;
        let locked: BTreeSet<i64> =
            locked.iter().filter(|row| row.get(1)).map(|row| row.get(0)).collect();
        let orders: Vec<OrderId> =
            orders.into_iter().filter(|it| locked.contains(&lock_of(it))).collect();
        let unread: Vec<_> =
            orders.iter().filter(|it| !self.orders.contains_key(it)).copied().collect();
        self.read(&unread)?;
        let mut taken = Vec::new();
        for row in rows.iter().filter(|row| order(row).is_some_and(|it| orders.contains(&it))) {
            taken.push(row.get::<_, i64>(0));
            let why = match capture(row) {
                Some(capture) => {
                    let answer = self.answer(&Ask { capture, now: false }, row.get(6))?;
                    obstacle(&answer)
                }
                None => Some("these values are no capture".to_owned()),
            };
            if let Some(why) = why {
                self.refuse(row, &why)?;
            }
        }
        self.sql.execute(TAKEN, &[&taken])?;
        self.write()
    }

    /// It is kept for a person to see.
    fn refuse(&mut self, row: &Row, why: &str) -> Result<(), Fault> {
        const REFUSED: &str =
            "INSERT INTO capture.refused (id, environment, order_id, amount, currency, why)
            VALUES ($1, $2, $3::text::uuid, $4, $5, $6)";
        let (id, order, amount): (i64, &str, i64) = (row.get(0), row.get(1), row.get(3));
        let currency: &str = row.get(4);
        self.sql
            .execute(REFUSED, &[&id, &self.who.environment, &order, &amount, &currency, &why])?;
        Ok(())
    }
}

fn order(row: &Row) -> Option<OrderId> {
    row.get::<_, &str>(1).parse().ok()
}

fn capture(row: &Row) -> Option<Capture> {
    let order = order(row)?;
    let key = match row.get::<_, Option<&str>>(2) {
        Some(key) => key.parse().ok()?,
        None => IdempotencyKey::for_order(order),
    };
    let exponent = u8::try_from(row.get::<_, i16>(5)).ok()?;
    let currency = Currency::stored(row.get(4), exponent).ok()?;
    let amount = u32::try_from(row.get::<_, i64>(3)).ok()?;
    Some(Capture::new(order, Money::from_minor(amount, currency).ok()?, key))
}

/// Why it is not captured as it was written down, if it is not.
fn obstacle(answer: &Answer) -> Option<String> {
    match answer {
        Answer::Other(other) => Some(format!(
            "the order was asked for with {}, key {}, and is {}",
            other.capture.money(),
            other.capture.idempotency_key(),
            other.standing.name().replace('_', " ")
        )),
        Answer::Decided(outcome, _) if outcome.name() == "not_captured" => {
            Some("the order was not captured under this key; give a new one".to_owned())
        }
        Answer::Decided(..) | Answer::Queued | Answer::Busy(_) | Answer::Work(_) => None,
    }
}
