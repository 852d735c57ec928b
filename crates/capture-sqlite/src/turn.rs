//! One turn: one transaction, one flush.

use std::time::SystemTime;

use capture_core::{Capture, OrderId, Outcome, Ticket};
use capture_journal::{
    Answer, Ask, ClaimId, Decision, Fence, Hash, Held, How, IntentId, Journal, Link, Lost, Merged,
    Story, Turn, Turned, Work, decide, due, merge, unix_ms,
};
use rusqlite::{Transaction, TransactionBehavior, params};

use crate::holder::Holders;
use crate::open::Sqlite;
use crate::place;
use crate::read::{self, lost};

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
            let work = desk.want(turn.want)?;
            Ok(Turned { told, answers, work })
        })
    }

    /// One transaction: what is done in it is durable when this returns, or not done at all.
    pub(crate) fn with_desk<T, E: From<Lost>>(
        &mut self,
        at: SystemTime,
        work: impl FnOnce(&Desk<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // What is written to a file without a name is lost.
        if place::identity(&self.path).ok() != Some(self.identity) {
            return Err(Lost::Replaced.into());
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(lost)?;
        let desk = Desk {
            transaction: &transaction,
            environment: self.environment,
            environment_name: &self.environment_name,
            fence: self.fence,
            holders: &self.holders,
            is_restored: self.restored_at.is_some(),
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
    environment: i64,
    pub(crate) environment_name: &'t str,
    fence: Fence,
    holders: &'t Holders,
    is_restored: bool,
    at: SystemTime,
}

impl Desk<'_> {
    pub(crate) fn settle(&self, settled: &[(Held, Outcome)]) -> Result<Vec<Outcome>, Lost> {
        if settled.is_empty() {
            return Ok(Vec::new());
        }
        let head = "SELECT head FROM journal";
        let mut head: Hash = self.transaction.query_row(head, [], |it| it.get(0)).map_err(lost)?;
        let mut told = Vec::with_capacity(settled.len());
        for (held, outcome) in settled {
            let story = read::story(self.transaction, held.intent)?;
            let merged = merge(&story, *held, outcome, self.at);
            head = self.record(&story, held.claim, &merged, outcome, &head)?;
            told.push(merged.told);
        }
        let update = "UPDATE journal SET head = ?";
        self.transaction.prepare_cached(update).map_err(lost)?.execute([head]).map_err(lost)?;
        self.advance()?;
        Ok(told)
    }

    /// Moves `low` to the first capture without a record. Each is passed once, so that a
    /// caller who wants work later need not look at what is decided.
    fn advance(&self) -> Result<i64, Lost> {
        const ADVANCE: &str = "UPDATE environment SET low = coalesce((SELECT min(id) FROM intent
            WHERE id >= low AND intent.environment = environment.id AND NOT EXISTS
                (SELECT 1 FROM record WHERE record.intent = intent.id AND is_note = 0)
            ), (SELECT coalesce(max(id), 0) + 1 FROM intent)) WHERE id = ? RETURNING low";
        let mut statement = self.transaction.prepare_cached(ADVANCE).map_err(lost)?;
        statement.query_row([self.environment], |row| row.get(0)).map_err(lost)
    }

    fn record(
        &self,
        story: &Story,
        claim: ClaimId,
        merged: &Merged,
        outcome: &Outcome,
        head: &Hash,
    ) -> Result<Hash, Lost> {
        let (is_note, due) = (merged.is_note, merged.due_at.map(unix_ms));
        let body = serde_json::to_vec(outcome).map_err(|error| Lost::Io(error.into()))?;
        let number = "SELECT coalesce(max(number), (SELECT coalesce(max(number), 0) FROM checkpoint)) + 1 FROM record";
        let mut statement = self.transaction.prepare_cached(number).map_err(lost)?;
        let number = statement.query_row([], |row| row.get(0)).map_err(lost)?;
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

    fn of(&self, order: OrderId) -> Result<Vec<Story>, Lost> {
        read::of_order(self.transaction, self.environment, order.as_bytes())
    }

    fn is_alive(&self, fence: Fence) -> bool {
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

    fn claim(&self, intent: IntentId, how: How) -> Result<Work, Lost> {
        let insert = "INSERT INTO claim VALUES (NULL, ?1, ?1, ?2, ?3)";
        let row = params![intent.0, self.fence.0, unix_ms(self.at)];
        self.transaction.prepare_cached(insert).map_err(lost)?.execute(row).map_err(lost)?;
        let claim = ClaimId(self.transaction.last_insert_rowid());
        let how = match how {
            // Perhaps it was captured after the copy was made that is the journal now.
            How::Fresh(capture) if self.is_restored => {
                How::Resume(Ticket::interrupted(capture, self.at))
            }
            how => how,
        };
        Ok(Work { held: Held { intent, claim }, how })
    }

    /// Claims so many captures that are due: those that were left open first, then those that nobody has
    /// begun, each oldest first.
    fn want(&self, want: usize) -> Result<Vec<Work>, Lost> {
        const OPEN: &str = "SELECT DISTINCT record.intent FROM record INDEXED BY record_open
            CROSS JOIN intent ON intent.id = record.intent
            WHERE due_ms <= ?1 AND environment = ?2 AND NOT EXISTS (SELECT 1 FROM record later
                WHERE later.intent = record.intent AND later.number > record.number
                AND later.is_note = 0) ORDER BY 1";
        const NEW: &str = "SELECT id FROM intent WHERE id >= ?1 AND environment = ?2 AND NOT EXISTS
            (SELECT 1 FROM record WHERE record.intent = intent.id AND is_note = 0) ORDER BY id";
        let mut work = Vec::new();
        if want > 0 {
            self.claim_due(OPEN, unix_ms(self.at), want, &mut work)?;
            self.claim_due(NEW, self.advance()?, want, &mut work)?;
        }
        Ok(work)
    }

    fn claim_due(
        &self,
        candidates: &str,
        bound: i64,
        want: usize,
        work: &mut Vec<Work>,
    ) -> Result<(), Lost> {
        let mut statement = self.transaction.prepare_cached(candidates).map_err(lost)?;
        let mut rows = statement.query([bound, self.environment]).map_err(lost)?;
        while work.len() < want {
            let Some(row) = rows.next().map_err(lost)? else { break };
            let story = read::story(self.transaction, IntentId(row.get(0).map_err(lost)?))?;
            if let Some(how) = due(&story, self.at, |fence| self.is_alive(fence)) {
                work.push(self.claim(story.intent, how)?);
            }
        }
        Ok(())
    }
}
