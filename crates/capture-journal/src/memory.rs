//! A journal in memory: the model of a store, for tests and simulations. It does not outlive the process.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use capture_core::{Capture, OrderId};

use crate::decide::{Decision, decide, due, later};
use crate::journal::{
    Answer, ClaimId, Fence, Held, Holder, How, IntentId, Journal, Lost, Turn, Turned, Work,
};
use crate::run::RunId;
use crate::story::{Claim, Entry, Story, merge};

/// What all openings of one journal in memory share.
#[derive(Debug, Clone, Default)]
pub struct Disk(Arc<Mutex<Rows>>);

#[derive(Debug, Default)]
struct Rows {
    stories: Vec<Story>,
    claims: i64,
    fences: i64,
    alive: BTreeSet<Fence>,
    /// Who works off captures at a rate.
    sharers: BTreeSet<Fence>,
    runs: Vec<BTreeSet<IntentId>>,
}

/// An opening of a journal in memory. It ends when it is dropped.
#[derive(Debug)]
pub struct Memory {
    disk: Disk,
    fence: Fence,
}

impl Disk {
    /// Opens the journal once more.
    #[must_use]
    pub fn open(&self) -> Memory {
        let mut rows = self.rows();
        rows.fences += 1;
        let fence = Fence(rows.fences);
        rows.alive.insert(fence);
        drop(rows);
        Memory { disk: self.clone(), fence }
    }

    /// Makes a list of these captures.
    #[must_use]
    pub fn plan(&self, captures: &[Capture], at: SystemTime) -> RunId {
        let mut rows = self.rows();
        let mut run = BTreeSet::new();
        for capture in captures {
            let known = rows.stories.iter().find(|story| story.capture == *capture);
            let known = known.map(|story| story.intent);
            run.insert(known.unwrap_or_else(|| rows.begin(*capture, at)));
        }
        rows.runs.push(run);
        RunId(rows.runs.len() as i64)
    }

    /// Every story, oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Story> {
        self.rows().stories.clone()
    }

    /// The stories of one order, oldest first.
    #[must_use]
    pub fn of(&self, order: OrderId) -> Vec<Story> {
        self.rows().of(order)
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// The number of this opening.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence
    }

    /// Its holder loses what it holds while it goes on, as one does whose lease runs out.
    pub fn lose_hold(&self) {
        let mut rows = self.disk.rows();
        rows.alive.remove(&self.fence);
        rows.sharers.remove(&self.fence);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.lose_hold();
    }
}

impl Journal for Memory {
    fn turn(&mut self, turn: &Turn) -> Result<Turned, Lost> {
        let mut rows = self.disk.rows();
        let mut told = Vec::new();
        for (held, outcome) in &turn.settled {
            let story = rows.story(held.intent)?;
            let merged = merge(story, *held, outcome, turn.at);
            let (is_note, outcome) = (merged.is_note, outcome.clone());
            story.entries.push(Entry { claim: held.claim, at: turn.at, is_note, outcome });
            told.push(merged.told);
        }
        let mut answers = Vec::new();
        for ask in &turn.asks {
            let stories = rows.of(ask.capture.order_id());
            let alive = rows.alive.clone();
            answers.push(match decide(&stories, ask, self.fence, |it| alive.contains(&it)) {
                Decision::Answer(answer) => answer,
                Decision::Claim(intent, how) => {
                    Answer::Work(rows.claim(intent, how, self.fence, turn)?)
                }
                Decision::Begin => {
                    let intent = rows.begin(ask.capture, turn.at);
                    match ask.now {
                        true => {
                            let how = How::Fresh(ask.capture);
                            Answer::Work(rows.claim(intent, how, self.fence, turn)?)
                        }
                        false => Answer::Queued,
                    }
                }
            });
        }
        let (ready, later) = rows.want(turn);
        let mut work = Vec::new();
        for (intent, how) in ready {
            work.push(rows.claim(intent, how, self.fence, turn)?);
        }
        let sharers = rows.sharers(self.fence, turn.want.shares_rate);
        Ok(Turned { told, answers, work, later, sharers, fence: self.fence, held_for: None })
    }

    fn stories(&mut self, order: OrderId) -> Result<Vec<Story>, Lost> {
        Ok(self.disk.of(order))
    }
}

impl Rows {
    fn story(&mut self, intent: IntentId) -> Result<&mut Story, Lost> {
        let found = self.stories.iter_mut().find(|story| story.intent == intent);
        found.ok_or_else(|| Lost::Damaged(format!("there is no capture {}", intent.0)))
    }

    fn of(&self, order: OrderId) -> Vec<Story> {
        self.stories.iter().filter(|story| story.capture.order_id() == order).cloned().collect()
    }

    /// How many share the rate, this one included.
    fn sharers(&mut self, fence: Fence, shares: bool) -> u32 {
        match shares && self.alive.contains(&fence) {
            true => self.sharers.insert(fence),
            false => self.sharers.remove(&fence),
        };
        let others = self.sharers.iter().filter(|other| **other != fence).count();
        u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// What is due, and when more may be.
    fn want(&self, turn: &Turn) -> (Vec<(IntentId, How)>, Option<SystemTime>) {
        let is_alive = |fence| self.alive.contains(&fence);
        let run = turn
            .want
            .run
            .map(|run| usize::try_from(run.0 - 1).ok().and_then(|at| self.runs.get(at)));
        let is_wanted = |story: &&Story| {
            run.is_none_or(|run| run.is_some_and(|run| run.contains(&story.intent)))
        };
        let mut ready: Vec<_> = self
            .stories
            .iter()
            .filter(is_wanted)
            .filter_map(|story| Some((story, due(story, turn.at, is_alive)?)))
            .filter(|(_, how)| !turn.want.only_open || matches!(how, How::Resume(_)))
            .collect();
        // What was left open comes first.
        ready.sort_by_key(|(story, _)| story.claims.is_empty());
        let ready: Vec<_> = ready
            .into_iter()
            .take(turn.want.most)
            .map(|(story, how)| (story.intent, how))
            .collect();
        let is_taken = |story: &&Story| ready.iter().any(|(intent, _)| *intent == story.intent);
        let left = self.stories.iter().filter(|it| is_wanted(it) && !is_taken(it));
        let left = left.filter_map(|story| later(story, turn.want, turn.at, is_alive));
        (ready.clone(), left.min().filter(|_| ready.len() < turn.want.most))
    }

    fn begin(&mut self, capture: Capture, at: SystemTime) -> IntentId {
        let intent = IntentId(self.stories.len() as i64 + 1);
        let (claims, entries) = (Vec::new(), Vec::new());
        self.stories.push(Story { intent, capture, asked_at: at, claims, entries });
        intent
    }

    fn claim(
        &mut self,
        intent: IntentId,
        how: How,
        fence: Fence,
        turn: &Turn,
    ) -> Result<Work, Lost> {
        self.claims += 1;
        let (id, at) = (ClaimId(self.claims), turn.at);
        let holder = Holder { host: "memory".to_owned(), process: std::process::id() };
        self.story(intent)?.claims.push(Claim { id, fence, holder, at });
        Ok(Work { held: Held { intent, claim: id }, how })
    }
}
