//! The work that a holder wants: what was left open or interrupted, then what nobody has begun. Several holders
//! share it: each takes what no other one is taking, and waits for nobody.

use std::collections::BTreeSet;
use std::time::SystemTime;

use capture_core::OrderId;
use capture_journal::{
    Answer, Ask, Fence, HELD_ELSEWHERE, How, IntentId, Story, Want, Work, due, later, unix_ms,
};
use postgres::Row;

use crate::desk::{Desk, NEVER};
use crate::fault::Fault;

/// Where a page of candidates ends: the urgency and the capture.
type Place = (i64, i64);

const BEGINNING: Place = (i64::MIN, i64::MIN);

/// What nobody has begun.
const NEW: &str = "SELECT urgency, intent, order_id::text FROM capture.pending
    JOIN capture.intent ON intent.id = pending.intent
    WHERE pending.environment = $1 AND fence IS NULL AND (urgency, intent) > ($2, $3) AND $5::bigint IS NULL
    ORDER BY urgency, intent LIMIT $4 FOR UPDATE OF pending SKIP LOCKED";

/// The same of one list: by an index of its own, as others may have a million more.
const NEW_OF_RUN: &str = "SELECT urgency, intent, order_id::text FROM capture.pending
    JOIN capture.intent ON intent.id = pending.intent
    WHERE pending.environment = $1 AND fence IS NULL AND (urgency, intent) > ($2, $3) AND pending.run = $5
    ORDER BY urgency, intent LIMIT $4 FOR UPDATE OF pending SKIP LOCKED";

/// What a list asks for that was written down before it.
const NEW_OF_AN_EARLIER_RUN: &str = "SELECT urgency, intent, order_id::text FROM capture.pending
    JOIN capture.intent ON intent.id = pending.intent
    WHERE pending.environment = $1 AND fence IS NULL AND (urgency, intent) > ($2, $3)
        AND pending.run IS DISTINCT FROM $5 AND EXISTS
            (SELECT FROM capture.run_line WHERE run_line.intent = pending.intent AND run_line.run = $5)
    ORDER BY urgency, intent LIMIT $4 FOR UPDATE OF pending SKIP LOCKED";

/// So many candidates are looked at together at most.
const PAGE: usize = 256;

impl Desk<'_, '_, '_> {
    /// Claims so much that is due, and says when more may be.
    pub(crate) fn want(&mut self, want: Want) -> Result<(Vec<Work>, Option<SystemTime>), Fault> {
        let mut work = Vec::new();
        if want.most == 0 {
            return Ok((work, None));
        }
        self.take_open(want, &mut work)?;
        if want.only_open {
            // Nothing new.
        } else if want.run.is_some() {
            self.take_new(NEW_OF_RUN, want, &mut work)?;
            self.take_new(NEW_OF_AN_EARLIER_RUN, want, &mut work)?;
        } else {
            self.empty_inbox(want.most - work.len())?;
            self.take_new(NEW, want, &mut work)?;
        }
        let later = if work.len() < want.most { self.later(want)? } else { None };
        Ok((work, later))
    }

    fn take_open(&mut self, want: Want, work: &mut Vec<Work>) -> Result<(), Fault> {
        const OPEN: &str = "SELECT urgency, intent, order_id::text FROM capture.pending
            JOIN capture.intent ON intent.id = pending.intent
            WHERE pending.environment = $1 AND fence IS NOT NULL AND (urgency, intent) > ($2, $3)
                AND (NOT is_held AND due_ms <= $4 OR fence <> ALL($5)) AND ($7::bigint IS NULL OR EXISTS
                    (SELECT FROM capture.run_line WHERE run_line.intent = pending.intent AND run_line.run = $7))
            ORDER BY urgency, intent LIMIT $6 FOR UPDATE OF pending SKIP LOCKED";
        let mut place = BEGINNING;
        while work.len() < want.most {
            let alive: Vec<i64> = self.alive.iter().map(|fence| fence.0).collect();
            let (at, page) = (unix_ms(self.at), PAGE.min(want.most - work.len()));
            let rows = self.sql.query(
                OPEN,
                &[
                    &self.who.environment,
                    &place.0,
                    &place.1,
                    &at,
                    &alive,
                    &(page as i64),
                    &want.run.map(|run| run.0),
                ],
            )?;
            place = self.look(&rows, place)?;
            for row in &rows {
                let Some(story) = self.story(row) else { continue };
                match due(&story, self.at, |fence| self.is_alive(fence)) {
                    Some(How::Fresh(_)) if want.only_open => {}
                    Some(how) => work.push(self.claim(story.intent, how)?),
                    None => {}
                }
            }
            if rows.len() < page {
                return Ok(());
            }
        }
        Ok(())
    }

    fn take_new(
        &mut self,
        new: &'static str,
        want: Want,
        work: &mut Vec<Work>,
    ) -> Result<(), Fault> {
        let run = want.run.map(|run| run.0);
        let mut place = BEGINNING;
        while work.len() < want.most {
            let page = PAGE.min(want.most - work.len());
            let rows = self
                .sql
                .query(new, &[&self.who.environment, &place.0, &place.1, &(page as i64), &run])?;
            place = self.look(&rows, place)?;
            for row in &rows {
                let Some(story) = self.story(row) else { continue };
                // Where the order was asked for under another key too, what is known of it decides.
                let ask = Ask { capture: story.capture, now: true };
                match self.answer(&ask, NEVER)? {
                    Answer::Work(given) => work.push(given),
                    // It took place under the other one.
                    Answer::Decided(..) => self.forget(story.intent),
                    Answer::Queued | Answer::Busy(_) | Answer::Other(_) => {}
                }
            }
            if rows.len() < page {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads the orders of these candidates, now that they are locked.
    fn look(&mut self, rows: &[Row], before: Place) -> Result<Place, Fault> {
        let orders: BTreeSet<OrderId> = rows.iter().filter_map(order).collect();
        // What was read before the lock may be old.
        self.write()?;
        self.read(&Vec::from_iter(orders))?;
        Ok(rows.last().map_or(before, |row| (row.get(0), row.get(1))))
    }

    fn story(&self, row: &Row) -> Option<Story> {
        let intent = IntentId(row.get(1));
        let stories = self.orders.get(&order(row)?)?;
        stories.iter().find(|story| story.intent == intent).cloned()
    }

    pub(crate) fn is_alive(&self, fence: Fence) -> bool {
        fence == self.chain.fence || self.alive.contains(&fence)
    }

    /// When more may be due.
    fn later(&mut self, want: Want) -> Result<Option<SystemTime>, Fault> {
        const HELD: &str = "SELECT urgency, intent, order_id::text FROM capture.pending
            JOIN capture.intent ON intent.id = pending.intent
            WHERE pending.environment = $1 AND fence IS NOT NULL AND is_held AND ($2::bigint IS NULL OR EXISTS
                (SELECT FROM capture.run_line WHERE run_line.intent = pending.intent AND run_line.run = $2))
            ORDER BY urgency, intent LIMIT 1";
        const OPEN: &str = "SELECT urgency, intent, order_id::text FROM capture.pending
            JOIN capture.intent ON intent.id = pending.intent
            WHERE pending.environment = $1 AND fence IS NOT NULL AND NOT is_held AND ($2::bigint IS NULL OR EXISTS
                (SELECT FROM capture.run_line WHERE run_line.intent = pending.intent AND run_line.run = $2))
            ORDER BY due_ms, intent LIMIT 64";
        const NEW: &str = "SELECT $2::bigint IS NULL AND
            (EXISTS (SELECT FROM capture.pending WHERE environment = $1 AND fence IS NULL)
            OR EXISTS (SELECT FROM capture.inbox WHERE environment = $1))";
        // By the list's own rows, and only then by its lines: others may have a million more.
        const NEW_OF_RUN: &str = "SELECT EXISTS (SELECT FROM capture.pending WHERE run = $2 AND fence IS NULL)
            OR EXISTS (SELECT FROM capture.run_line JOIN capture.pending ON pending.intent = run_line.intent
                WHERE run_line.run = $2 AND fence IS NULL AND pending.environment = $1)";
        let (environment, run) = (self.who.environment, want.run.map(|run| run.0));
        let mut found = Vec::new();
        for candidates in [HELD, OPEN] {
            let rows = self.sql.query(candidates, &[&environment, &run])?;
            self.look(&rows, BEGINNING)?;
            let stories = rows.iter().filter_map(|row| self.story(row));
            let is_alive = |fence| self.is_alive(fence);
            found.extend(stories.filter_map(|story| later(&story, want, self.at, is_alive)));
        }
        let new = if run.is_some() { NEW_OF_RUN } else { NEW };
        // Another holder is taking it just now, and may give it back.
        let is_new =
            !want.only_open && self.sql.query(new, &[&environment, &run])?[0].get::<_, bool>(0);
        found.extend(is_new.then(|| self.at.checked_add(HELD_ELSEWHERE)).flatten());
        Ok(found.into_iter().min().map(|at| self.sql.clock.ours(at)))
    }
}

fn order(row: &Row) -> Option<OrderId> {
    row.get::<_, &str>(2).parse().ok()
}
