//! What outlives a process: the rows of one capture, read and written by the journal's own rules.

use std::sync::Arc;
use std::time::SystemTime;

use capture_core::{Capture, Outcome};
use capture_journal::{
    Answer, Ask, Claim, ClaimId, Decision, Entry, Fence, Held, Holder, How, IntentId, Standing,
    Story, Work, decide, merge,
};

use super::kinds::Stand;
use crate::fixture::capture;
use crate::misuse::Misuse;
use crate::subject::Said;

/// The journal, as far as it is about the one order of the search.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Shared by states, because most events leave it alone.
    stories: Arc<Vec<Story>>,
    openings: i64,
    /// The opening whose process lives, as far as the others know.
    alive: Option<Fence>,
    stands: [Stand; 2],
}

/// What becomes of a capture that is asked for.
pub(crate) enum Asked {
    /// It is claimed.
    Work(Work),
    /// It was decided before.
    Decided(Outcome),
}

impl Record {
    pub(crate) fn empty() -> Self {
        Self { stories: Arc::default(), openings: 0, alive: None, stands: Default::default() }
    }

    /// A new process asks for the capture: when this returns, what comes of it is durable.
    pub(crate) fn asked(&mut self, at: SystemTime) -> Asked {
        self.openings += 1;
        let us = Fence(self.openings);
        let (intent, how) = match self.decides(us) {
            Decision::Begin => (self.begin(at), How::Fresh(capture())),
            Decision::Claim(intent, how) => (intent, how),
            Decision::Answer(Answer::Decided(outcome, _)) => return Asked::Decided(outcome),
            Decision::Answer(other) => unreachable!("nobody else is there: {other:?}"),
        };
        self.alive = Some(us);
        let holder = Holder { host: "model".to_owned(), process: 1 };
        let story = self.story_mut(intent);
        let id = ClaimId(story.claims.len() as i64 + 1);
        story.claims.push(Claim { id, fence: us, holder, at });
        self.notes_stands();
        Asked::Work(Work { held: Held { intent, claim: id }, how })
    }

    /// A process records what it found: when this returns, that is durable, and what it is told.
    pub(crate) fn settled(&mut self, held: Held, found: &Outcome, at: SystemTime) -> Outcome {
        // It is read again as it was written: as text.
        let text = serde_json::to_string(found).expect("an outcome is plain data");
        let outcome: Outcome = serde_json::from_str(&text).expect("what we wrote");
        let story = self.story_mut(held.intent);
        let merged = merge(story, held, found, at);
        let (claim, is_note) = (held.claim, merged.is_note);
        story.entries.push(Entry { claim, at, is_note, outcome });
        self.notes_stands();
        merged.told
    }

    /// The process ends, or is thought to have ended.
    pub(crate) fn ended(&mut self) {
        self.alive = None;
    }

    /// Where the capture stands; `None` if it was never asked for.
    pub(crate) fn standing(&self) -> Option<Standing> {
        self.stories.first().map(Story::standing)
    }

    /// What is recorded, if it is decided.
    pub(crate) fn decided(&self) -> Option<Said> {
        self.standing()?.decided().map(|(outcome, _)| Said::of(&outcome))
    }

    /// Where the capture stands, and where it stood before the latest claim of it, as far as either
    /// decides how it goes on.
    pub(crate) fn stands(&self) -> [Stand; 2] {
        self.stands
    }

    /// Whether this is a claim of it.
    pub(crate) fn has(&self, held: Held) -> bool {
        self.stories.iter().flat_map(|story| &story.claims).any(|claim| claim.id == held.claim)
    }

    /// Whether another process has claimed the capture since.
    pub(crate) fn is_taken(&self, held: Held) -> bool {
        let claims = self.stories.iter().flat_map(|story| &story.claims);
        claims.last().is_some_and(|latest| latest.id != held.claim)
    }

    /// Whether another process that asked now could send it.
    pub(crate) fn is_free(&self, misuse: Option<Misuse>) -> bool {
        let mut record = self.clone();
        if misuse == Some(Misuse::TakesWhatIsHeld) {
            record.ended();
        }
        !matches!(record.decides(Fence(self.openings + 1)), Decision::Answer(_))
    }

    fn notes_stands(&mut self) {
        let now = Stand::of(self.standing().as_ref());
        let mut before = Stand::default();
        if let (true, [story]) = (now.is_claimed() || now.keeps_key(), &self.stories[..]) {
            let mut story = story.clone();
            let latest = story.claims.pop();
            story.entries.retain(|entry| latest.as_ref().is_none_or(|it| it.id != entry.claim));
            before = Stand::of(Some(&story.standing())).as_if_ended();
        }
        self.stands = [now, before];
    }

    fn decides(&self, us: Fence) -> Decision {
        let ask = Ask { capture: capture(), now: true };
        decide(&self.stories, &ask, us, |fence| self.alive == Some(fence))
    }

    fn begin(&mut self, asked_at: SystemTime) -> IntentId {
        let (intent, capture): (_, Capture) = (IntentId(1), capture());
        let (claims, entries) = (Vec::new(), Vec::new());
        let story = Story { intent, capture, asked_at, claims, entries };
        Arc::make_mut(&mut self.stories).push(story);
        intent
    }

    fn story_mut(&mut self, intent: IntentId) -> &mut Story {
        let stories = Arc::make_mut(&mut self.stories);
        stories.iter_mut().find(|story| story.intent == intent).expect("it was begun")
    }
}
