//! Lists of captures in a journal: what every store of them promises.

use std::ops::ControlFlow;
use std::time::SystemTime;

use capture_core::limits::History;
use capture_core::{Capture, Money};

use crate::journal::{Answer, IntentId, Journal, Lost};
use crate::run::{Line, Run, RunId, Tally};
use crate::story::{Standing, Story};
use crate::utc::unix_ms;

/// A list on its way into the journal: staged line by line, held to what is known, and planned in one transaction.
///
/// Each of these fails when the journal failed, as [`Journal::turn`] does.
pub trait Staging: Journal {
    /// Forgets what was staged before.
    ///
    /// # Errors
    /// When the journal failed.
    fn stage(&mut self) -> Result<(), Lost>;

    /// Stages lines, best a thousand at once; nothing is durable yet. An order has one line: leave its repeats
    /// out.
    ///
    /// # Errors
    /// When the journal failed.
    fn stage_lines(&mut self, lines: &[Line]) -> Result<(), Lost>;

    /// The staged lines that the journal knows something about, each handed on in the order of the file.
    ///
    /// # Errors
    /// When the journal failed.
    fn known_lines(&mut self, each: &mut dyn FnMut(KnownLine)) -> Result<(), Lost>;

    /// The deadlines of what is staged, were it captured in its order from now on, so many a second (`None`
    /// for at once).
    ///
    /// # Errors
    /// When the journal failed.
    fn deadlines(&mut self, now: SystemTime, per_second: Option<u32>) -> Result<Deadlines, Lost>;

    /// Hands on so many staged lines, or all of them, drawn by the seed, until one breaks it off.
    ///
    /// # Errors
    /// When the journal failed.
    fn drawn(
        &mut self,
        seed: u32,
        most: Option<u32>,
        each: &mut dyn FnMut(Line) -> ControlFlow<()>,
    ) -> Result<(), Lost>;

    /// The list of this plan, if it was planned before.
    ///
    /// # Errors
    /// When the journal failed.
    fn planned(&mut self, plan: &[u8; 32]) -> Result<Option<RunId>, Lost>;

    /// Plans what is staged: all of it is durable when this returns, or nothing. What voids first stands
    /// first; what the journal has already is not written again. `None` if something stands in the way of a
    /// line by now. `guards` is what the list was held to, for people.
    ///
    /// # Errors
    /// When the journal failed.
    fn plan(&mut self, name: &str, plan: &[u8; 32], guards: &str) -> Result<Option<RunId>, Lost>;
}

/// A journal that keeps lists, too: which there are, their lines, and what they come to.
///
/// Each of these fails when the journal failed, as [`Journal::turn`] does.
pub trait Lists: Staging {
    /// Every list of this environment, oldest first.
    ///
    /// # Errors
    /// When the journal failed.
    fn runs(&mut self) -> Result<Vec<Run>, Lost>;

    /// The list of this number.
    ///
    /// # Errors
    /// When the journal failed.
    fn run(&mut self, id: RunId) -> Result<Option<Run>, Lost>;

    /// Hands on each line of a list with its story, in the order of the file, until one breaks it off. Memory does
    /// not grow with the list.
    ///
    /// # Errors
    /// When the journal failed.
    fn lines(
        &mut self,
        run: RunId,
        each: &mut dyn FnMut(Line, Story) -> ControlFlow<()>,
    ) -> Result<(), Lost>;

    /// The lists and lines that a capture is in.
    ///
    /// # Errors
    /// When the journal failed.
    fn lines_of(&mut self, intent: IntentId) -> Result<Vec<(RunId, Line)>, Lost>;

    /// What a list comes to now.
    ///
    /// # Errors
    /// When the journal failed.
    fn tally(&mut self, run: RunId) -> Result<Tally, Lost>;

    /// Notes what a list came to, once each of its captures is captured, so that it need not be counted again.
    ///
    /// # Errors
    /// When the journal failed.
    fn note_end(&mut self, run: RunId, tally: &Tally) -> Result<(), Lost>;

    /// What was captured of late, and what today (UTC), for the guards of a list: the latest 20,000 captures,
    /// and all of today's.
    ///
    /// # Errors
    /// When the journal failed.
    fn history(&mut self, now: SystemTime) -> Result<History, Lost>;

    /// What is open now. It takes as long as there is much open, however long the journal is.
    ///
    /// # Errors
    /// When the journal failed.
    fn open_now(&mut self) -> Result<OpenNow, Lost>;

    /// Whether a process is at this capture now. One that is claimed by a process which has ended was
    /// interrupted, and the next run resumes it.
    ///
    /// # Errors
    /// When the journal failed.
    fn is_held(&mut self, story: &Story) -> Result<bool, Lost>;

    /// The environments of the journal's captures, as [`environment_name`](crate::environment_name) writes them.
    ///
    /// # Errors
    /// When the journal failed.
    fn environments(&mut self) -> Result<Vec<String>, Lost>;
}

/// A line that the journal knows something about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLine {
    /// Its number in the file.
    pub line: u32,
    /// What is to be captured.
    pub capture: Capture,
    /// What it knows: the recorded outcome, other values, or that it is open with the same ones.
    pub answer: Answer,
}

impl KnownLine {
    /// Whether it stands in the way: the order is open, or captured, with other values, or it was decided
    /// that it is not captured.
    #[must_use]
    pub fn is_obstacle(&self) -> bool {
        match &self.answer {
            Answer::Other(_) => true,
            Answer::Decided(outcome, _) => outcome.name() == "not_captured",
            Answer::Work(_) | Answer::Queued | Answer::Busy(_) => false,
        }
    }
}

/// When the orders of a list void, as far as the list says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deadlines {
    /// How many lines say it.
    pub known: u32,
    /// The first of them.
    pub first: Option<SystemTime>,
    /// How many are over.
    pub past: u32,
    /// How many more come before their turn.
    pub too_soon: u32,
}

/// What was captured of late, and what today (UTC), as the guards of a list want it: the latest 20,000 captures, and
/// all of today's. Feed it from the latest one on.
#[derive(Debug)]
pub struct Latest {
    history: History,
    midnight_ms: i64,
    seen: usize,
}

impl Latest {
    /// So many captures say what is usual.
    const MOST: usize = 20_000;

    /// Of the day of this time.
    #[must_use]
    pub fn new(now: SystemTime) -> Self {
        const DAY_MS: i64 = 24 * 3600 * 1000;
        let midnight_ms = unix_ms(now) / DAY_MS * DAY_MS;
        Self { history: History::default(), midnight_ms, seen: 0 }
    }

    /// The next one, and when it was recorded; breaks off once the rest is too old to count.
    pub fn captured(&mut self, money: Money, at: SystemTime) -> ControlFlow<()> {
        let is_today = unix_ms(at) >= self.midnight_ms;
        if self.seen >= Self::MOST && !is_today {
            return ControlFlow::Break(());
        }
        self.seen += 1;
        self.history.captured(money, 1);
        if is_today {
            self.history.today(money.into());
        }
        ControlFlow::Continue(())
    }
}

impl From<Latest> for History {
    fn from(latest: Latest) -> Self {
        latest.history
    }
}

/// The captures of one environment that are not decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenNow {
    /// Nothing of them has been sent, and nobody has claimed them.
    pub ready: u64,
    /// A living process has claimed them.
    pub claimed: u64,
    /// In doubt: they may have been sent, and nobody is at them.
    pub unknown: u64,
    /// When the oldest of those in doubt was first sent, or claimed.
    pub oldest_unknown: Option<SystemTime>,
}

impl OpenNow {
    /// Counts a capture that has been begun; `is_alive` says whether its last claim is of a living holder.
    pub fn add(&mut self, mut story: Story, is_alive: bool) {
        let claimed_at = story.claims.first().map(|claim| claim.at);
        let mut standing = story.standing();
        if is_alive && matches!(&standing, Standing::Claimed(..)) {
            // What its holder resumes was in doubt before, and still is.
            story.claims.pop();
            standing = story.standing();
            if matches!(standing, Standing::Ready) {
                self.claimed += 1;
                return;
            }
        }
        let first_sent = match standing {
            Standing::Ready => {
                self.ready += 1;
                return;
            }
            Standing::Claimed(_, ticket) | Standing::Unknown(ticket) => ticket.first_sent(),
            Standing::Captured(..) | Standing::NotCaptured(..) => return,
        };
        self.unknown += 1;
        let at = first_sent.or(claimed_at);
        self.oldest_unknown = self.oldest_unknown.into_iter().chain(at).min();
    }
}
