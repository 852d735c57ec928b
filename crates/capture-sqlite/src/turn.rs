//! One turn: one transaction, one flush.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::SystemTime;

use capture_core::{Capture, OrderId, Outcome, Ticket};
use capture_journal::{
    Answer, Ask, ClaimId, Decision, Fence, Hash, Held, Holder, How, IntentId, Journal, Link, Lost,
    Merged, Story, Turn, Turned, Work, decide, merge, unix_ms,
};
use rusqlite::{Row, Transaction, TransactionBehavior, params};

use crate::body;
use crate::holder::Holders;
use crate::open::Sqlite;
use crate::place;
use crate::read::{self, lost};
use crate::want::Scan;

impl Journal for Sqlite {
    fn turn(&mut self, turn: &Turn) -> Result<Turned, Lost> {
        if self.is_closed {
            return Err(Lost::Closed);
        }
        let turned = self.try_turn(turn);
        self.is_closed = turned.is_err();
        turned
    }

    fn stories(&mut self, order: OrderId) -> Result<Vec<Story>, Lost> {
        read::of_order(&self.connection, self.environment, order.as_bytes())
    }
}

impl Sqlite {
    fn try_turn(&mut self, turn: &Turn) -> Result<Turned, Lost> {
        self.with_desk(turn.at, |desk| {
            let told = desk.settle(&turn.settled)?;
            let answers = turn.asks.iter().map(|ask| desk.answer(ask)).collect::<Result<_, _>>()?;
            let (work, later) = desk.want(turn.want)?;
            // Who else works at a rate is not in the file.
            let (sharers, fence, held_for) = (1, desk.fence, None);
            Ok(Turned { told, answers, work, later, sharers, fence, held_for })
        })
    }

    /// What is written to a file without a name is lost.
    pub(crate) fn is_in_its_place(&self) -> Result<(), Lost> {
        match place::identity(&self.path) {
            Ok(identity) if identity == self.identity => Ok(()),
            _ => Err(Lost::Replaced),
        }
    }

    /// One transaction: what is done in it is durable when this returns, or not done at all.
    pub(crate) fn with_desk<T, E: From<Lost>>(
        &mut self,
        at: SystemTime,
        work: impl FnOnce(&Desk<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.is_in_its_place()?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(lost)?;
        let desk = Desk {
            transaction: &transaction,
            environment: self.environment,
            environment_name: &self.environment_name,
            fence: self.fence,
            us: &self.us,
            holders: &self.holders,
            is_restored: self.restored_at.is_some(),
            scan: &self.scan,
            begun: &self.begun,
            at,
        };
        let done = work(&desk)?;
        transaction.commit().map_err(lost)?;
        Ok(done)
    }
}

/// A turn's transaction.
pub(crate) struct Desk<'t> {
    pub(crate) transaction: &'t Transaction<'t>,
    pub(crate) environment: i64,
    pub(crate) environment_name: &'t str,
    pub(crate) fence: Fence,
    pub(crate) us: &'t Holder,
    holders: &'t Holders,
    is_restored: bool,
    pub(crate) scan: &'t Cell<Scan>,
    pub(crate) begun: &'t RefCell<BTreeMap<Held, Story>>,
    pub(crate) at: SystemTime,
}

impl Desk<'_> {
    pub(crate) fn settle(&self, settled: &[(Held, Outcome)]) -> Result<Vec<Outcome>, Lost> {
        if settled.is_empty() {
            return Ok(Vec::new());
        }
        const LAST: &str = "SELECT head, coalesce((SELECT max(number) FROM record),
            (SELECT max(number) FROM checkpoint), 0) FROM journal";
        let last = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (mut head, mut number): (Hash, i64) =
            self.transaction.query_row(LAST, [], last).map_err(lost)?;
        let mut told = Vec::with_capacity(settled.len());
        for (held, outcome) in settled {
            let story = match self.untouched(*held)? {
                Some(story) => story,
                None => read::story(self.transaction, held.intent)?,
            };
            let merged = merge(&story, *held, outcome, self.at);
            number += 1;
            head = self.record(number, &story, held.claim, &merged, outcome, &head)?;
            told.push(merged.told);
        }
        let update = "UPDATE journal SET head = ?";
        self.transaction.prepare_cached(update).map_err(lost)?.execute([head]).map_err(lost)?;
        self.advance()?;
        Ok(told)
    }

    /// The story of what this holder claimed as the first one, if nobody has touched it since. It need not
    /// be read: it has one claim and no entry.
    fn untouched(&self, held: Held) -> Result<Option<Story>, Lost> {
        const ROWS: &str = "SELECT (SELECT count(*) FROM claim WHERE low BETWEEN ?1 - 63 AND ?1
            AND high >= ?1), EXISTS (SELECT 1 FROM record WHERE intent = ?1)";
        let Some(story) = self.begun.borrow_mut().remove(&held) else { return Ok(None) };
        let mut statement = self.transaction.prepare_cached(ROWS).map_err(lost)?;
        let rows = statement.query_row([held.intent.0], |row| Ok((row.get(0)?, row.get(1)?)));
        let (claims, is_recorded): (i64, bool) = rows.map_err(lost)?;
        Ok((claims == 1 && !is_recorded).then_some(story))
    }

    /// Moves `low` to the first capture without a record. Each is passed once, so that a
    /// caller who wants work later need not look at what is decided.
    pub(crate) fn advance(&self) -> Result<i64, Lost> {
        const FIRST: &str = "SELECT low, coalesce((SELECT min(id) FROM intent
            WHERE id >= low AND intent.environment = environment.id AND NOT EXISTS
                (SELECT 1 FROM record WHERE record.intent = intent.id AND is_note = 0)
            ), (SELECT coalesce(max(id), 0) + 1 FROM intent)) FROM environment WHERE id = ?";
        const ADVANCE: &str = "UPDATE environment SET low = ? WHERE id = ?";
        let mut statement = self.transaction.prepare_cached(FIRST).map_err(lost)?;
        let found = statement.query_row([self.environment], |row| Ok((row.get(0)?, row.get(1)?)));
        let (low, first): (i64, i64) = found.map_err(lost)?;
        // A turn that only asks for work writes nothing.
        if first != low {
            let mut statement = self.transaction.prepare_cached(ADVANCE).map_err(lost)?;
            statement.execute([first, self.environment]).map_err(lost)?;
        }
        Ok(first)
    }

    fn record(
        &self,
        number: i64,
        story: &Story,
        claim: ClaimId,
        merged: &Merged,
        outcome: &Outcome,
        head: &Hash,
    ) -> Result<Hash, Lost> {
        let (is_note, due) = (merged.is_note, merged.due_at.map(unix_ms));
        let body = serde_json::to_vec(outcome).map_err(|error| Lost::Io(error.into()))?;
        let link = Link {
            number,
            environment: self.environment_name,
            capture: &story.capture,
            claim: claim.0,
            at_ms: unix_ms(self.at),
            is_note,
            body: &body,
        };
        let hash = link.hash(head);
        let insert = "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let mut statement = self.transaction.prepare_cached(insert).map_err(lost)?;
        let body = body::pack(&body);
        let row = params![number, story.intent.0, claim.0, link.at_ms, is_note, due, body, hash];
        statement.execute(row).map_err(lost)?;
        Ok(hash)
    }

    pub(crate) fn answer(&self, ask: &Ask) -> Result<Answer, Lost> {
        let stories = self.of(ask.capture.order_id())?;
        let (intent, how) = match decide(&stories, ask, self.fence, |fence| self.is_alive(fence)) {
            Decision::Answer(answer) => return Ok(answer),
            Decision::Claim(intent, how) => (intent, how),
            Decision::Begin => (self.begin(&ask.capture)?, How::Fresh(ask.capture)),
        };
        match ask.now {
            true => self.claim(intent, how).map(Answer::Work),
            false => Ok(Answer::Queued),
        }
    }

    /// The latest claim of this capture, or of the one that answered for its order.
    pub(crate) fn last_claim(&self, capture: &Capture) -> Result<Option<Held>, Lost> {
        let stories = self.of(capture.order_id())?;
        let same = stories.iter().find(|story| story.capture == *capture);
        let Some(story) = same.or(stories.last()) else { return Ok(None) };
        let claim = story.claims.last();
        Ok(claim.map(|claim| Held { intent: story.intent, claim: claim.id }))
    }

    pub(crate) fn of(&self, order: OrderId) -> Result<Vec<Story>, Lost> {
        read::of_order(self.transaction, self.environment, order.as_bytes())
    }

    pub(crate) fn is_alive(&self, fence: Fence) -> bool {
        fence == self.fence || self.holders.is_alive(fence)
    }

    fn begin(&self, capture: &Capture) -> Result<IntentId, Lost> {
        let insert = "INSERT INTO intent VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)";
        let (order, key, money) = (capture.order_id(), capture.idempotency_key(), capture.money());
        let (amount, currency, at_ms) = (money.minor_units(), money.currency(), unix_ms(self.at));
        let (code, exponent) = (currency.code(), currency.exponent());
        let (order, key) = (order.as_bytes(), key.as_bytes());
        let row = params![self.environment, order, key, amount, code, exponent, at_ms];
        self.transaction.prepare_cached(insert).map_err(lost)?.execute(row).map_err(lost)?;
        Ok(IntentId(self.transaction.last_insert_rowid()))
    }

    pub(crate) fn claim(&self, intent: IntentId, how: How) -> Result<Work, Lost> {
        Ok(self.work(self.claim_rows(intent, intent)?, intent, how))
    }

    /// Claims these captures and all between them.
    pub(crate) fn claim_rows(&self, low: IntentId, high: IntentId) -> Result<ClaimId, Lost> {
        let insert = "INSERT INTO claim VALUES (NULL, ?, ?, ?, ?)";
        let row = params![low.0, high.0, self.fence.0, unix_ms(self.at)];
        self.transaction.prepare_cached(insert).map_err(lost)?.execute(row).map_err(lost)?;
        Ok(ClaimId(self.transaction.last_insert_rowid()))
    }

    pub(crate) fn work(&self, claim: ClaimId, intent: IntentId, how: How) -> Work {
        let how = match how {
            // Perhaps it was captured after the copy was made that is the journal now.
            How::Fresh(capture) if self.is_restored => {
                How::Resume(Ticket::interrupted(capture, self.at))
            }
            how => how,
        };
        Work { held: Held { intent, claim }, how }
    }
}
