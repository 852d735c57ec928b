//! A turn's desk: the stories of its orders, read under their locks, and the rows to be written.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::SystemTime;

use capture_core::{Capture, OrderId, Outcome};
use capture_journal::{
    Answer, Ask, Claim, ClaimId, Decision, Entry, Fence, Held, How, IntentId, Link, Lost, Story,
    Work, decide, merge, unix_ms,
};
use postgres::Row;

use crate::fault::Fault;
use crate::read::{Orders, of_orders};
use crate::session::{Chain, Who};
use crate::sql::Sql;

pub(crate) struct Desk<'d, 's, 't> {
    pub(crate) sql: &'d mut Sql<'s, 't>,
    pub(crate) who: &'d Who,
    pub(crate) chain: &'d mut Chain,
    /// Now, by the server's clock.
    pub(crate) at: SystemTime,
    /// Whose lease has not run out.
    pub(crate) alive: BTreeSet<Fence>,
    /// How many of them work off captures of this environment at a rate, besides this one.
    others_at_work: usize,
    pub(crate) orders: Orders,
    writes: Writes,
    claim_ids: VecDeque<i64>,
    intent_ids: VecDeque<i64>,
}

/// Rows to be written, each column on its own.
#[derive(Default)]
struct Writes {
    intents: Vec<(i64, Capture)>,
    claims: Vec<(i64, i64)>,
    records: Vec<Record>,
    pending: BTreeMap<i64, Pending>,
}

struct Record {
    number: i64,
    held: Held,
    is_note: bool,
    body: String,
    hash: Vec<u8>,
}

/// What becomes of a capture's row in `pending`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pending {
    /// Nobody has begun it.
    New(i64),
    /// This holder is at it.
    Held,
    /// It was left open, and is due then.
    Open(i64),
    Decided,
}

/// "Asks" in ASCII: the lock of those who ask for captures, beside the number of their environment.
const ASKS: i32 = 0x4173_6b73;

/// What voids never is the least urgent.
pub(crate) const NEVER: i64 = i64::MAX;

impl<'d, 's, 't> Desk<'d, 's, 't> {
    pub(crate) fn new(
        sql: &'d mut Sql<'s, 't>,
        who: &'d Who,
        chain: &'d mut Chain,
        at: SystemTime,
    ) -> Self {
        // A clock may have jumped since.
        let at = sql.now.map_or(at, |now| sql.clock.theirs(at).min(now));
        let (alive, orders, writes) = (BTreeSet::new(), Orders::new(), Writes::default());
        let (claim_ids, intent_ids) = (VecDeque::new(), VecDeque::new());
        Self {
            sql,
            who,
            chain,
            at,
            alive,
            others_at_work: 0,
            orders,
            writes,
            claim_ids,
            intent_ids,
        }
    }

    /// Removes the leases that ran out, so that their holders cannot renew them, and learns of the others. One
    /// whose row is locked is being renewed.
    pub(crate) fn look_who_lives(&mut self) -> Result<(), Fault> {
        const LOOK: &str =
            "SELECT fence, works_for FROM capture.lease WHERE lease_until > clock_timestamp()";
        const BURY: &str = "WITH buried AS (DELETE FROM capture.lease WHERE fence IN (
                SELECT fence FROM capture.lease WHERE lease_until <= clock_timestamp()
                FOR UPDATE SKIP LOCKED) RETURNING fence)
            SELECT fence, works_for FROM capture.lease WHERE fence NOT IN (SELECT fence FROM buried)";
        let rows = self.sql.query(if self.who.only_reads { LOOK } else { BURY }, &[])?;
        self.alive = rows.iter().map(|row| Fence(row.get(0))).collect();
        let (us, ours) = (self.chain.fence.0, Some(self.who.environment));
        let shares =
            |row: &&Row| row.get::<_, i64>(0) != us && row.get::<_, Option<i64>>(1) == ours;
        self.others_at_work = rows.iter().filter(shares).count();
        Ok(())
    }

    /// Says whether this holder works off captures at a rate, and how many share it, this one included.
    pub(crate) fn shares_rate(&mut self, shares: bool, listens: bool) -> Result<u32, Fault> {
        const WORKS: &str = "UPDATE capture.lease SET works_for = $2 WHERE fence = $1";
        if self.chain.shares_rate != shares {
            let works_for = shares.then_some(self.who.environment);
            self.sql.execute(WORKS, &[&self.chain.fence.0, &works_for])?;
            // Services that write something down wake it.
            let listen = if shares && listens { "LISTEN capture" } else { "UNLISTEN capture" };
            self.sql.transaction.batch_execute(listen)?;
            self.chain.shares_rate = shares;
        }
        Ok(u32::try_from(self.others_at_work).unwrap_or(u32::MAX).saturating_add(1))
    }

    /// Locks what asks for captures: together with others who ask, or alone, for a list that cannot lock each of its
    /// orders.
    pub(crate) fn lock_asks(&mut self, alone: bool) -> Result<(), Fault> {
        const TOGETHER: &str = "SELECT pg_advisory_xact_lock_shared($1, $2::bigint::integer)";
        const ALONE: &str = "SELECT pg_advisory_xact_lock($1, $2::bigint::integer)";
        let lock = if alone { ALONE } else { TOGETHER };
        self.sql.query(lock, &[&ASKS, &self.who.environment])?;
        Ok(())
    }

    /// The same, together with others, if nobody is alone at it.
    pub(crate) fn try_lock_asks(&mut self) -> Result<bool, Fault> {
        const TOGETHER: &str = "SELECT pg_try_advisory_xact_lock_shared($1, $2::bigint::integer)";
        Ok(self.sql.query(TOGETHER, &[&ASKS, &self.who.environment])?[0].get(0))
    }

    /// Locks these orders against all other holders, and reads them. Every turn locks all of its orders first, and
    /// in the same order, so that no two wait for each other.
    pub(crate) fn lock(&mut self, orders: &BTreeSet<OrderId>) -> Result<(), Fault> {
        const ORDERS: &str = "SELECT pg_advisory_xact_lock(it) FROM unnest($1::bigint[]) it";
        if orders.is_empty() {
            return Ok(());
        }
        let locks: BTreeSet<i64> = orders.iter().map(lock_of).collect();
        self.sql.query(ORDERS, &[&Vec::from_iter(locks)])?;
        self.lock_pending(&Vec::from_iter(orders.iter().copied()))
    }

    /// Locks what is open of these orders, and reads them. A holder that wants work locks these rows alone.
    pub(crate) fn lock_pending(&mut self, orders: &[OrderId]) -> Result<(), Fault> {
        const PENDING: &str = "SELECT intent FROM capture.pending WHERE intent IN (SELECT id
                FROM capture.intent WHERE environment = $1 AND order_id = ANY($2::text[]::uuid[]))
            ORDER BY intent FOR UPDATE";
        let texts: Vec<String> = orders.iter().map(OrderId::to_string).collect();
        self.sql.query(PENDING, &[&self.who.environment, &texts])?;
        self.read(orders)
    }

    pub(crate) fn read(&mut self, orders: &[OrderId]) -> Result<(), Fault> {
        self.orders.extend(of_orders(self.sql, self.who.environment, orders)?);
        Ok(())
    }

    /// Records what this host found.
    pub(crate) fn settle(&mut self, held: Held, outcome: &Outcome) -> Result<Outcome, Fault> {
        let (clock, now) = (self.sql.clock, self.at);
        self.record(held, outcome, |story| clock.recorded(outcome, story, now))
    }

    /// Records this, once it is dated as its story asks for.
    pub(crate) fn record(
        &mut self,
        held: Held,
        outcome: &Outcome,
        dated: impl FnOnce(&Story) -> Outcome,
    ) -> Result<Outcome, Fault> {
        let at = self.at;
        let order = outcome.capture().order_id();
        let stories = self.orders.get_mut(&order).into_iter().flatten();
        let story = stories.into_iter().find(|story| story.intent == held.intent);
        let missing = || Lost::Damaged(format!("order {order} has no capture {}", held.intent.0));
        let story = story.ok_or_else(missing)?;
        let outcome = &dated(story);
        let merged = merge(story, held, outcome, at);
        let body = serde_json::to_string(outcome).map_err(|error| Lost::Io(error.into()))?;
        self.chain.number += 1;
        let link = Link {
            number: self.chain.number,
            environment: &self.who.environment_name,
            capture: &story.capture,
            claim: held.claim.0,
            at_ms: unix_ms(at),
            is_note: merged.is_note,
            body: body.as_bytes(),
        };
        self.chain.head = link.hash(&self.chain.head);
        let is_note = merged.is_note;
        story.entries.push(Entry { claim: held.claim, at, is_note, outcome: outcome.clone() });
        let pending = match story.standing().decided() {
            Some(_) => Some(Pending::Decided),
            // Another holder is at it.
            None if is_note => None,
            None => Some(Pending::Open(unix_ms(merged.due_at.unwrap_or(at)))),
        };
        if let Some(pending) = pending {
            self.writes.pending.insert(held.intent.0, pending);
        }
        let (number, hash) = (self.chain.number, self.chain.head.to_vec());
        self.writes.records.push(Record { number, held, is_note, body, hash });
        Ok(self.sql.clock.told(merged.told))
    }

    pub(crate) fn answer(&mut self, ask: &Ask, urgency: i64) -> Result<Answer, Fault> {
        let (alive, us) = (&self.alive, self.chain.fence);
        let stories = self.orders.entry(ask.capture.order_id()).or_default();
        let is_alive = |fence| fence == us || alive.contains(&fence);
        let (intent, how) = match decide(stories, ask, us, is_alive) {
            Decision::Answer(answer) => return Ok(answer),
            Decision::Claim(intent, how) => (intent, how),
            Decision::Begin => (self.begin(ask.capture, urgency)?, How::Fresh(ask.capture)),
        };
        match ask.now {
            true => self.claim(intent, how).map(Answer::Work),
            false => Ok(Answer::Queued),
        }
    }

    fn begin(&mut self, capture: Capture, urgency: i64) -> Result<IntentId, Fault> {
        const IDS: &str = "SELECT nextval('capture.intent_id') FROM generate_series(1, 32)";
        if self.intent_ids.is_empty() {
            self.intent_ids
                .extend(self.sql.query(IDS, &[])?.iter().map(|row| row.get::<_, i64>(0)));
        }
        let id = self.intent_ids.pop_front().unwrap_or_default();
        let (intent, asked_at) = (IntentId(id), self.at);
        let (claims, entries) = (Vec::new(), Vec::new());
        let story = Story { intent, capture, asked_at, claims, entries };
        self.orders.entry(capture.order_id()).or_default().push(story);
        self.writes.intents.push((id, capture));
        self.writes.pending.insert(id, Pending::New(urgency));
        Ok(intent)
    }

    /// Claims a capture whose order is on the desk.
    pub(crate) fn claim(&mut self, intent: IntentId, how: How) -> Result<Work, Fault> {
        const IDS: &str = "SELECT nextval('capture.claim_id') FROM generate_series(1, 32)";
        if self.claim_ids.is_empty() {
            self.claim_ids.extend(self.sql.query(IDS, &[])?.iter().map(|row| row.get::<_, i64>(0)));
        }
        let id = ClaimId(self.claim_ids.pop_front().unwrap_or_default());
        let (fence, holder, at) = (self.chain.fence, self.who.us.clone(), self.at);
        let stories = self.orders.get_mut(&how.capture().order_id()).into_iter().flatten();
        for story in stories.filter(|story| story.intent == intent) {
            story.claims.push(Claim { id, fence, holder: holder.clone(), at });
        }
        self.writes.claims.push((id.0, intent.0));
        self.writes.pending.insert(intent.0, Pending::Held);
        Ok(Work { held: Held { intent, claim: id }, how: self.sql.clock.handed_out(how) })
    }

    /// The latest claim of this capture.
    pub(crate) fn last_claim(&self, capture: &Capture) -> Option<Held> {
        let stories = self.orders.get(&capture.order_id())?;
        let same = stories.iter().find(|story| story.capture == *capture);
        let story = same.or(stories.last())?;
        Some(Held { intent: story.intent, claim: story.claims.last()?.id })
    }

    /// Looks no more for a capture.
    pub(crate) fn forget(&mut self, intent: IntentId) {
        self.writes.pending.insert(intent.0, Pending::Decided);
    }

    /// Writes what is on the desk.
    pub(crate) fn write(&mut self) -> Result<(), Fault> {
        let Writes { intents, claims, records, pending } = std::mem::take(&mut self.writes);
        self.write_intents(&intents)?;
        if !claims.is_empty() {
            const CLAIMS: &str = "INSERT INTO capture.claim SELECT id, intent, $3, $4
                FROM unnest($1::bigint[], $2::bigint[]) AS it (id, intent)";
            let (ids, of): (Vec<i64>, Vec<i64>) = claims.into_iter().unzip();
            self.sql.execute(CLAIMS, &[&ids, &of, &self.chain.fence.0, &unix_ms(self.at)])?;
        }
        self.write_records(&records)?;
        self.write_pending(&pending)
    }

    fn write_intents(&mut self, intents: &[(i64, Capture)]) -> Result<(), Fault> {
        const INTENTS: &str = "INSERT INTO capture.intent
            SELECT id, $1, order_id::uuid, key::uuid, amount, currency, exponent, $2
            FROM unnest($3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::smallint[])
                AS it (id, order_id, key, amount, currency, exponent)";
        if intents.is_empty() {
            return Ok(());
        }
        let column = |of: fn(&Capture) -> String| -> Vec<String> {
            intents.iter().map(|(_, capture)| of(capture)).collect()
        };
        let ids: Vec<i64> = intents.iter().map(|(id, _)| *id).collect();
        let money = || intents.iter().map(|(_, capture)| capture.money());
        let amounts: Vec<i64> = money().map(|it| it.minor_units().into()).collect();
        let exponents: Vec<i16> = money().map(|it| it.currency().exponent().into()).collect();
        let orders = column(|it| it.order_id().to_string());
        let keys = column(|it| it.idempotency_key().to_string());
        let codes = column(|it| it.money().currency().code().to_owned());
        let (environment, at_ms) = (self.who.environment, unix_ms(self.at));
        self.sql.execute(
            INTENTS,
            &[&environment, &at_ms, &ids, &orders, &keys, &amounts, &codes, &exponents],
        )?;
        Ok(())
    }

    fn write_records(&mut self, records: &[Record]) -> Result<(), Fault> {
        const RECORDS: &str = "INSERT INTO capture.record
                (fence, number, intent, claim, at_ms, is_note, body, hash)
            SELECT $1, number, intent, claim, $2, is_note, body::json, hash
            FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[], $7::text[], $8::bytea[])
                AS it (number, intent, claim, is_note, body, hash) ORDER BY number";
        const HEAD: &str = "UPDATE capture.opening SET records = $2, head = $3 WHERE fence = $1";
        if records.is_empty() {
            return Ok(());
        }
        let number = |of: fn(&Record) -> i64| -> Vec<i64> { records.iter().map(of).collect() };
        let numbers = number(|it| it.number);
        let (intents, claims) = (number(|it| it.held.intent.0), number(|it| it.held.claim.0));
        let notes: Vec<bool> = records.iter().map(|it| it.is_note).collect();
        let bodies: Vec<&str> = records.iter().map(|it| &it.body[..]).collect();
        let hashes: Vec<&[u8]> = records.iter().map(|it| &it.hash[..]).collect();
        let (fence, at_ms) = (self.chain.fence.0, unix_ms(self.at));
        self.sql.execute(
            RECORDS,
            &[&fence, &at_ms, &numbers, &intents, &claims, &notes, &bodies, &hashes],
        )?;
        self.sql.execute(HEAD, &[&fence, &self.chain.number, &&self.chain.head[..]])?;
        Ok(())
    }

    fn write_pending(&mut self, pending: &BTreeMap<i64, Pending>) -> Result<(), Fault> {
        const NEW: &str = "INSERT INTO capture.pending (intent, environment, urgency)
            SELECT intent, $1, urgency FROM unnest($2::bigint[], $3::bigint[]) AS it (intent, urgency)";
        // One that was decided, and is done again, has no row.
        const HELD: &str = "INSERT INTO capture.pending (intent, environment, fence, is_held)
            SELECT intent, $1, $2, true FROM unnest($3::bigint[]) AS it (intent)
            ON CONFLICT (intent) DO UPDATE SET fence = $2, is_held = true, due_ms = NULL";
        // One that was begun and settled at once has no row either.
        const OPEN: &str = "INSERT INTO capture.pending (intent, environment, fence, due_ms)
            SELECT intent, $1, $2, due FROM unnest($3::bigint[], $4::bigint[]) AS it (intent, due)
            ON CONFLICT (intent) DO UPDATE SET is_held = false, due_ms = excluded.due_ms";
        const DECIDED: &str = "DELETE FROM capture.pending WHERE intent = ANY($1)";
        let (environment, fence) = (self.who.environment, self.chain.fence.0);
        let (mut new, mut held) = ((Vec::new(), Vec::new()), Vec::new());
        let (mut open, mut decided) = ((Vec::new(), Vec::new()), Vec::new());
        for (intent, pending) in pending {
            match pending {
                Pending::New(urgency) => {
                    new.0.push(*intent);
                    new.1.push(*urgency);
                }
                Pending::Held => held.push(*intent),
                Pending::Open(due) => {
                    open.0.push(*intent);
                    open.1.push(*due);
                }
                Pending::Decided => decided.push(*intent),
            }
        }
        if !new.0.is_empty() {
            self.sql.execute(NEW, &[&environment, &new.0, &new.1])?;
        }
        if !held.is_empty() {
            self.sql.execute(HELD, &[&environment, &fence, &held])?;
        }
        if !open.0.is_empty() {
            self.sql.execute(OPEN, &[&environment, &fence, &open.0, &open.1])?;
        }
        if !decided.is_empty() {
            self.sql.execute(DECIDED, &[&decided])?;
        }
        Ok(())
    }
}

/// The lock of an order. Two orders may share one, and then wait for each other.
pub(crate) fn lock_of(order: &OrderId) -> i64 {
    let bytes = order.as_bytes();
    let (low, high) = bytes.split_at(8);
    let number = |half: &[u8]| i64::from_be_bytes(half.try_into().unwrap_or_default());
    number(low) ^ number(high)
}
