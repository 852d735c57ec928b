//! A journal in memory: the model of a store, for tests and simulations. It does not outlive the process.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use capture_core::{Capture, OrderId};

use crate::decide::{Decision, decide, due};
use crate::journal::{
    Answer, ClaimId, Fence, Held, Holder, How, IntentId, Journal, Lost, Turn, Turned, Work,
};
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

    /// Every story, oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Story> {
        self.rows().stories.clone()
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
        self.disk.rows().alive.remove(&self.fence);
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
                    let intent = rows.begin(ask.capture, turn);
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
        let ready = rows.stories.iter().filter_map(|story| {
            Some((story.intent, due(story, turn.at, |it| rows.alive.contains(&it))?))
        });
        let ready: Vec<_> = ready.take(turn.want).collect();
        let mut work = Vec::new();
        for (intent, how) in ready {
            work.push(rows.claim(intent, how, self.fence, turn)?);
        }
        Ok(Turned { told, answers, work })
    }

    fn stories(&mut self, order: OrderId) -> Result<Vec<Story>, Lost> {
        Ok(self.disk.rows().of(order))
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

    fn begin(&mut self, capture: Capture, turn: &Turn) -> IntentId {
        let intent = IntentId(self.stories.len() as i64 + 1);
        let (claims, entries) = (Vec::new(), Vec::new());
        self.stories.push(Story { intent, capture, asked_at: turn.at, claims, entries });
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
