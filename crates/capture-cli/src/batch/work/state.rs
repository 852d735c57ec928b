//! What the service knows of itself: what it did, what holds it back, and when it last went round.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use capture_client::{Event, Observer};
use capture_core::OrderId;
use capture_journal::{Brake, Ended, IntentId, Journal, Round, Stands};

/// Shared by the work, which writes it, and the health port, which reads it.
#[derive(Clone)]
pub(super) struct State(Arc<Mutex<Seen>>);

/// What was seen so far. It does not grow with the captures, but for those in doubt.
pub(super) struct Seen {
    /// By where the capture stands afterwards, and the code.
    pub(super) outcomes: BTreeMap<(&'static str, &'static str), u64>,
    /// By operation, phase and class of status.
    pub(super) attempts: BTreeMap<(&'static str, &'static str, &'static str), u64>,
    pub(super) resends_permitted: Option<u64>,
    pub(super) running: usize,
    pub(super) in_hand: usize,
    pub(super) turn: Option<Duration>,
    pub(super) went_round: Instant,
    pub(super) brake: Option<Brake>,
    /// Why it is about to end.
    ending: Option<&'static str>,
    /// Whether its journal cannot be reached now.
    is_without_journal: bool,
    /// Whether it could not be reached while captures were on their way: of these it does not know.
    pub(super) has_lost_journal: bool,
    /// Whether it has begun to make turns.
    is_at_work: bool,
    /// Sent by this process, and in doubt as far as it knows.
    doubts: BTreeMap<IntentId, OrderId>,
    /// Whether this process has sent any capture.
    pub(super) has_sent: bool,
}

/// A work that goes round once a second hangs if it has not for so long.
const HANGS: Duration = Duration::from_secs(10);

impl State {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Seen {
            outcomes: BTreeMap::new(),
            attempts: BTreeMap::new(),
            resends_permitted: None,
            running: 0,
            in_hand: 0,
            turn: None,
            went_round: Instant::now(),
            brake: None,
            ending: None,
            is_without_journal: false,
            has_lost_journal: false,
            is_at_work: false,
            doubts: BTreeMap::new(),
            has_sent: false,
        })))
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ended(&self, ended: &Ended) {
        let stands = Stands::after(&ended.outcome);
        let mut seen = self.seen();
        *seen.outcomes.entry((stands.name(), ended.outcome.code())).or_default() += 1;
        seen.has_sent |= ended.was_sent;
        let (intent, order) = (ended.held.intent, ended.outcome.capture().order_id());
        match stands {
            Stands::Unknown if ended.was_sent => seen.doubts.insert(intent, order),
            // One that was resumed stays what it was.
            Stands::Unknown => None,
            _ => seen.doubts.remove(&intent),
        };
    }

    pub(super) fn brakes(&self, brake: Option<Brake>) {
        self.seen().brake = brake;
    }

    pub(super) fn goes_round(&self, round: Round) {
        let mut seen = self.seen();
        (seen.running, seen.in_hand) = (round.running, round.in_hand);
        seen.is_at_work = true;
        seen.turn = round.turn.or(seen.turn);
        seen.went_round = Instant::now();
    }

    /// Its journal cannot be reached, or can be again.
    pub(super) fn journal_is_there(&self, is_there: bool) {
        let mut seen = self.seen();
        seen.is_without_journal = !is_there;
        // A claim whose turn got no answer is in doubt as well.
        seen.has_lost_journal |= !is_there && seen.is_at_work;
        // What waits does not hang.
        seen.went_round = Instant::now();
    }

    /// The first reason counts.
    pub(super) fn ends(&self, why: &'static str) {
        self.seen().ending.get_or_insert(why);
    }
}

impl Seen {
    /// How many captures stood there when they ended.
    pub(super) fn count(&self, stands: Stands) -> u64 {
        let those = self.outcomes.iter().filter(|((name, _), _)| *name == stands.name());
        those.map(|(_, count)| count).sum()
    }

    /// How many captures this process sent and left in doubt, as far as it knows.
    pub(super) fn doubts(&self) -> u64 {
        self.doubts.len() as u64
    }

    /// Forgets those that another process has decided meanwhile. What cannot be read stays in doubt.
    pub(super) fn ask(&mut self, journal: &mut impl Journal) {
        self.doubts.retain(|intent, order| {
            let stories = journal.stories(*order).unwrap_or_default();
            let story = stories.iter().find(|story| story.intent == *intent);
            story.is_none_or(|story| story.standing().decided().is_none())
        });
    }

    /// Why no capture can be sent now.
    pub(super) fn trouble(&self) -> Option<&'static str> {
        let hangs = self.went_round.elapsed() > HANGS;
        match (self.ending, self.brake) {
            (Some(why), _) => Some(why),
            _ if self.is_without_journal => Some("the journal's database cannot be reached"),
            _ if hangs => Some("the work does not go round: perhaps the journal's disk hangs"),
            (_, Some(Brake::Outage { .. })) => Some("the API is out of order"),
            (_, Some(Brake::Wait(_))) => Some("the API asked to wait"),
            // Captures go on, only slower.
            (_, Some(Brake::Slowed(_)) | None) => None,
        }
    }

    /// What holds the sends back, as a code.
    pub(super) fn brake_code(&self) -> &'static str {
        match self.brake {
            None => "none",
            Some(Brake::Slowed(_)) => "slowed",
            Some(Brake::Wait(_)) => "wait",
            Some(Brake::Outage { .. }) => "outage",
        }
    }

    /// In one line, for the service manager.
    pub(super) fn status(&self) -> String {
        let captured = self.count(Stands::Captured) + self.count(Stands::CapturedWithCaveat);
        let not_captured = self.count(Stands::NotCaptured);
        let (doubts, running) = (self.doubts(), self.running);
        let trouble = self.trouble().map_or_else(String::new, |why| format!("; {why}"));
        format!(
            "captured {captured}, not captured {not_captured}, in doubt {doubts}, on their way \
             {running}{trouble}"
        )
    }
}

impl Observer for State {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Attempted { attempt, .. } => {
                let class = match attempt.status.unwrap_or(0) / 100 {
                    1 => "1xx",
                    2 => "2xx",
                    3 => "3xx",
                    4 => "4xx",
                    5 => "5xx",
                    0 => "none",
                    _ => "other",
                };
                let key = (attempt.operation.code(), attempt.phase.code(), class);
                *self.seen().attempts.entry(key).or_default() += 1;
            }
            Event::Ended { permits_left, .. } => {
                self.seen().resends_permitted = Some(*permits_left);
            }
            _ => {}
        }
    }
}
