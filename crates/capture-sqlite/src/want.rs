//! The work that a holder wants: what was left open, what was interrupted, then what nobody has begun.

use std::time::SystemTime;

use capture_journal::{
    Answer, Ask, Claim, HELD_ELSEWHERE, How, IntentId, Lost, RunId, Story, Want, Work, due, later,
    unix_ms,
};
use rusqlite::{Row, params};

use crate::read::{self, INTENT, lost};
use crate::turn::Desk;

/// How far this opening has come in the captures of its environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scan {
    /// Each capture before it has a claim.
    next: i64,
    /// The list that it went through.
    run: Option<RunId>,
    /// The last capture that earlier openings left open and that was looked at; `i64::MAX` after all.
    looked_back: i64,
    /// Each record that left a capture open and was due by then has been looked at, of late.
    due_until: i64,
    /// When the interrupted ones were looked for.
    looked_at: Option<SystemTime>,
}

impl Default for Scan {
    fn default() -> Self {
        Self { next: 0, run: None, looked_back: 0, due_until: i64::MIN, looked_at: None }
    }
}

/// The widest claim; the schema holds to it too.
const WIDEST: usize = 64;

/// Captures that a record left open, and that are due. The records of their first days remain.
pub(crate) const LEFT_OPEN: &str = "FROM record INDEXED BY record_open
    CROSS JOIN intent ON intent.id = record.intent
    WHERE due_ms IS NOT NULL AND environment = ?1 AND (?2 IS NULL OR EXISTS
        (SELECT 1 FROM run_line WHERE run_line.intent = intent.id AND run = ?2)) AND NOT EXISTS (SELECT 1 FROM record later
        WHERE later.intent = record.intent AND later.number > record.number AND later.is_note = 0)";

/// Captures that were claimed and have no record. `high` is the last that can have a claim.
pub(crate) const WITHOUT_RECORD: &str = "FROM intent WHERE environment = ?1 AND (?2 IS NULL OR EXISTS
        (SELECT 1 FROM run_line WHERE run_line.intent = intent.id AND run = ?2))
    AND id BETWEEN (SELECT low FROM environment WHERE id = ?1) AND (SELECT max(low) + 63 FROM claim)
    AND NOT EXISTS (SELECT 1 FROM record WHERE record.intent = intent.id AND is_note = 0)
    AND EXISTS (SELECT 1 FROM claim WHERE low BETWEEN intent.id - 63 AND intent.id AND high >= intent.id)";

impl Desk<'_> {
    /// Claims so much that is due, and says when more may be.
    pub(crate) fn want(&self, want: Want) -> Result<(Vec<Work>, Option<SystemTime>), Lost> {
        let mut work = Vec::new();
        if want.most == 0 {
            return Ok((work, None));
        }
        let scan = self.scan.get();
        let mut scan =
            if scan.run == want.run { scan } else { Scan { run: want.run, ..Scan::default() } };
        let all = format!(
            "SELECT DISTINCT record.intent {LEFT_OPEN} AND record.intent > ?3
             AND record.intent <= ?4 ORDER BY 1"
        );
        if scan.looked_back < i64::MAX {
            let last = self.claim_due(&all, (scan.looked_back, i64::MAX), want, &mut work)?;
            scan.looked_back = last.unwrap_or(i64::MAX);
        }
        let open = format!(
            "SELECT DISTINCT record.intent {LEFT_OPEN} AND due_ms > ?3 AND due_ms <= ?4 ORDER BY 1"
        );
        let now = unix_ms(self.at);
        if self.claim_due(&open, (scan.due_until, now), want, &mut work)?.is_none() {
            scan.due_until = now;
        }
        scan.next = scan.next.max(self.advance()?);
        let is_fresh = |at| self.at.duration_since(at).is_ok_and(|age| age < HELD_ELSEWHERE);
        if !scan.looked_at.is_some_and(is_fresh) {
            self.interrupted(want, &mut work, &mut scan)?;
        }
        if !want.only_open {
            self.begin_new(want, &mut work, &mut scan)?;
        }
        if work.is_empty() {
            self.interrupted(want, &mut work, &mut scan)?;
        }
        // A holder may have ended since, and what it left is due at once.
        if work.is_empty() {
            self.claim_due(&all, (0, i64::MAX), want, &mut work)?;
        }
        self.scan.set(scan);
        let later = if work.len() < want.most { self.later(want)? } else { None };
        Ok((work, later))
    }

    fn interrupted(&self, want: Want, work: &mut Vec<Work>, scan: &mut Scan) -> Result<(), Lost> {
        scan.looked_at = Some(self.at);
        // Those that were due before may have lost their holder since.
        scan.due_until = i64::MIN;
        let candidates = format!("SELECT id {WITHOUT_RECORD} AND id > ?3 AND id <= ?4 ORDER BY id");
        self.claim_due(&candidates, (0, i64::MAX), want, work)?;
        Ok(())
    }

    /// Claims of these candidates those that are due, and says at which one it had enough.
    fn claim_due(
        &self,
        candidates: &str,
        (above, most): (i64, i64),
        want: Want,
        work: &mut Vec<Work>,
    ) -> Result<Option<i64>, Lost> {
        let mut statement = self.transaction.prepare_cached(candidates).map_err(lost)?;
        let mut rows =
            statement.query(params![self.environment, run(want), above, most]).map_err(lost)?;
        let mut last = above;
        while work.len() < want.most {
            let Some(row) = rows.next().map_err(lost)? else { return Ok(None) };
            last = row.get(0).map_err(lost)?;
            let story = read::story(self.transaction, IntentId(last))?;
            match due(&story, self.at, |fence| self.is_alive(fence)) {
                Some(How::Fresh(_)) if want.only_open => {}
                Some(how) => work.push(self.claim(story.intent, how)?),
                None => {}
            }
        }
        Ok(Some(last))
    }

    /// Claims captures that nobody has begun, each neighbourhood of them at once.
    fn begin_new(&self, want: Want, work: &mut Vec<Work>, scan: &mut Scan) -> Result<(), Lost> {
        let select = format!(
            "SELECT {INTENT}, EXISTS (SELECT 1 FROM intent other WHERE other.order_id = intent.order_id
                AND other.environment = intent.environment AND other.id <> intent.id)
             FROM intent WHERE environment = ?1 AND (?2 IS NULL OR EXISTS
                (SELECT 1 FROM run_line WHERE run_line.intent = intent.id AND run = ?2))
             AND id >= ?3 AND NOT EXISTS (SELECT 1 FROM claim WHERE low BETWEEN intent.id - 63 AND intent.id
                    AND high >= intent.id) ORDER BY id LIMIT ?4"
        );
        let mut statement = self.transaction.prepare_cached(&select).map_err(lost)?;
        let room = want.most.saturating_sub(work.len()) as i64;
        let story = |row: &Row<'_>| Ok((read::intent(row), row.get::<_, bool>(7)?));
        let rows =
            statement.query_map(params![self.environment, run(want), scan.next, room], story);
        let mut stories = Vec::new();
        for row in rows.map_err(lost)? {
            let (story, has_sibling) = row.map_err(lost)?;
            let story = story?;
            scan.next = story.intent.0 + 1;
            match has_sibling {
                false => stories.push(story),
                // The order was asked for under another key too: what is known of it decides.
                true => {
                    if let Answer::Work(given) =
                        self.answer(&Ask { capture: story.capture, now: true })?
                    {
                        work.push(given);
                    }
                }
            }
        }
        for range in stories.chunk_by(|one, next| next.intent.0 == one.intent.0 + 1) {
            for range in range.chunks(WIDEST) {
                self.claim_range(range, work)?;
            }
        }
        Ok(())
    }

    fn claim_range(&self, stories: &[Story], work: &mut Vec<Work>) -> Result<(), Lost> {
        let [first, ..] = stories else { return Ok(()) };
        let last = stories.last().unwrap_or(first);
        let id = self.claim_rows(first.intent, last.intent)?;
        for story in stories {
            let given = self.work(id, story.intent, How::Fresh(story.capture));
            let claim = Claim { id, fence: self.fence, holder: self.us.clone(), at: self.at };
            let story = Story { claims: vec![claim], ..story.clone() };
            self.begun.borrow_mut().insert(given.held, story);
            work.push(given);
        }
        Ok(())
    }

    /// When more may be due.
    fn later(&self, want: Want) -> Result<Option<SystemTime>, Lost> {
        let claimed = format!("SELECT id {WITHOUT_RECORD} ORDER BY id");
        let open = format!("SELECT record.intent {LEFT_OPEN} ORDER BY due_ms");
        let found = [self.first_later(&claimed, want)?, self.first_later(&open, want)?];
        Ok(found.into_iter().flatten().min())
    }

    fn first_later(&self, candidates: &str, want: Want) -> Result<Option<SystemTime>, Lost> {
        let mut statement = self.transaction.prepare_cached(candidates).map_err(lost)?;
        let rows = statement.query(params![self.environment, run(want)]);
        let mut rows = rows.map_err(lost)?;
        while let Some(row) = rows.next().map_err(lost)? {
            let story = read::story(self.transaction, IntentId(row.get(0).map_err(lost)?))?;
            let found = later(&story, want, self.at, |fence| self.is_alive(fence));
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// The list that is wanted, for SQL.
fn run(want: Want) -> Option<i64> {
    want.run.map(|run| run.0)
}
