//! Every sequence of what two processes can do with one order and one journal, so many steps long.

use std::collections::BTreeSet;

use capture_core::Outcome;
use capture_journal::{Answer, Ask, Disk, How, Journal as _, Memory, Standing, Turn, Want, Work};

use super::store::{at, capture, captured, declined, never_sent, unknown};

/// How long a sequence is.
const STEPS: usize = 8;

/// What a process can do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Opens the journal if need be, and asks for the capture.
    Ask,
    /// Sends it: the request is on its way.
    Send,
    /// Records what it came to.
    Settle(Found),
    /// Ends without a word.
    Die,
    /// Goes on, while others believe that it has ended.
    LoseHold,
    /// A request that is on its way reaches the server, which captures or declines, once.
    Arrive(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Captured,
    Declined,
    NeverSent,
    Unknown,
}

/// A mistake in using the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// A doubt is begun anew.
    StartsAfresh,
    /// What was found is told, whatever the journal says.
    TellsWhatItFound,
}

#[derive(Default)]
struct Process {
    journal: Option<Memory>,
    work: Option<Work>,
    /// Whether it sent its work, and whether that is answered once.
    has_sent: bool,
}

#[derive(Default)]
struct World {
    disk: Disk,
    processes: [Process; 2],
    on_its_way: usize,
    was_ever_sent: bool,
    /// What the server decided under this key.
    verdict: Option<bool>,
    told: Option<&'static str>,
    seconds: u64,
    lost_hold: bool,
}

impl World {
    /// What each process can do. An honest one finds what is true, or nothing.
    fn acts(&self) -> Vec<(usize, Act)> {
        let mut acts = Vec::new();
        if self.on_its_way > 0 {
            match self.verdict {
                Some(known) => acts.push((0, Act::Arrive(known))),
                None => acts.extend([(0, Act::Arrive(true)), (0, Act::Arrive(false))]),
            }
        }
        for (index, process) in self.processes.iter().enumerate() {
            let Some(work) = &process.work else {
                acts.push((index, Act::Ask));
                continue;
            };
            let is_fresh = matches!(work.how, How::Fresh(_));
            acts.extend([(index, Act::Die), (index, Act::Settle(Found::Unknown))]);
            if !self.lost_hold {
                acts.push((index, Act::LoseHold));
            }
            match (process.has_sent, self.verdict) {
                (false, _) if is_fresh => {
                    acts.extend([(index, Act::Send), (index, Act::Settle(Found::NeverSent))]);
                }
                // It looks the order up first.
                (_, Some(true)) => acts.push((index, Act::Settle(Found::Captured))),
                (false, _) => acts.push((index, Act::Send)),
                // A refusal counts only without an earlier doubt.
                (true, Some(false)) if is_fresh => {
                    acts.push((index, Act::Settle(Found::Declined)));
                }
                (true, _) => {}
            }
        }
        acts
    }

    /// Does it, and says what is wrong with what came of it.
    fn act(&mut self, (index, act): (usize, Act), broken: Option<Broken>) -> Result<(), String> {
        self.seconds += 1;
        let now = at(self.seconds);
        let capture = capture("100.00");
        let turn = |asks, settled| Turn { at: now, settled, asks, want: Want::default() };
        let process = &mut self.processes[index];
        match act {
            Act::Arrive(captures) => {
                self.on_its_way -= 1;
                self.verdict.get_or_insert(captures);
            }
            Act::Ask => {
                let journal = process.journal.get_or_insert_with(|| self.disk.open());
                let asks = vec![Ask { capture, now: true }];
                match journal.turn(&turn(asks, Vec::new())).unwrap().answers.remove(0) {
                    Answer::Work(mut work) => {
                        if broken == Some(Broken::StartsAfresh) {
                            work.how = How::Fresh(capture);
                        }
                        let is_fresh = matches!(work.how, How::Fresh(_));
                        (process.work, process.has_sent) = (Some(work), false);
                        if is_fresh && self.was_ever_sent {
                            return Err("a fresh start of what may have been sent".into());
                        }
                    }
                    Answer::Decided(outcome, _) => self.tells(&outcome)?,
                    Answer::Busy(_) => {}
                    other => return Err(format!("{other:?}")),
                }
            }
            Act::Send => {
                process.has_sent = true;
                self.was_ever_sent = true;
                self.on_its_way += 1;
            }
            Act::Settle(found) => {
                let work = process.work.take().unwrap();
                let outcome = match found {
                    Found::Captured => captured(capture),
                    Found::Declined => declined(capture),
                    Found::NeverSent => never_sent(capture),
                    Found::Unknown => unknown(capture, at(1)),
                };
                let settled = vec![(work.held, outcome.clone())];
                let journal = process.journal.as_mut().unwrap();
                let told = journal.turn(&turn(Vec::new(), settled)).unwrap().told.remove(0);
                let told = if broken == Some(Broken::TellsWhatItFound) { outcome } else { told };
                self.tells(&told)?;
            }
            Act::Die => *process = Process::default(),
            Act::LoseHold => {
                process.journal.as_ref().unwrap().lose_hold();
                self.lost_hold = true;
            }
        }
        let story = self.disk.all().pop();
        match story.map(|story| story.standing()) {
            Some(Standing::Ready) | None if self.was_ever_sent => {
                Err("what may have been sent counts as never sent".into())
            }
            Some(Standing::Captured(..)) if self.verdict != Some(true) => {
                Err("it is recorded as captured, and is not".into())
            }
            Some(Standing::NotCaptured(..)) if self.verdict == Some(true) => {
                Err("it is recorded as not captured, and is".into())
            }
            _ => Ok(()),
        }
    }

    fn tells(&mut self, outcome: &Outcome) -> Result<(), String> {
        let (said, code) = (outcome.name(), outcome.code());
        let is_false = match said {
            "captured" => self.verdict != Some(true),
            // Not captured by this run: that of another may be on its way only if it is recorded.
            "not_captured" => {
                self.verdict == Some(true) || (self.was_ever_sent && code == "never_sent")
            }
            _ => false,
        };
        if is_false {
            return Err(format!("{said} ({code}) is told, and is not true"));
        }
        let is_decided = code != "never_sent" && said != "unknown";
        match self.told {
            Some(before) if before != said => Err(format!("{before} was told, and now {said}")),
            _ => {
                self.told = self.told.or(is_decided.then_some(said));
                Ok(())
            }
        }
    }
}

/// A sequence, and what is wrong with its last step.
type Wrong = (Vec<(usize, Act)>, String);

/// The first sequence that goes wrong, and how many there are.
fn search(broken: Option<Broken>) -> (Option<Wrong>, usize) {
    let (mut ways, mut count) = (vec![Vec::new()], 0);
    while let Some(way) = ways.pop() {
        count += 1;
        let mut world = World::default();
        for act in &way {
            if let Err(what) = world.act(*act, broken) {
                return (Some((way, what)), count);
            }
        }
        if way.len() < STEPS {
            for act in world.acts() {
                ways.push([&way[..], &[act]].concat());
            }
        }
    }
    (None, count)
}

#[test]
fn every_sequence_of_two_processes_keeps_what_the_journal_promises() {
    let (wrong, count) = search(None);
    assert_eq!(wrong, None);
    println!("{count} sequences of up to {STEPS} steps");
    assert!(count > 10_000);
}

#[test]
fn every_mistake_is_caught() {
    let caught = [Broken::StartsAfresh, Broken::TellsWhatItFound].map(|broken| {
        search(Some(broken)).0.unwrap_or_else(|| panic!("{broken:?} was not caught")).1
    });
    assert_eq!(BTreeSet::from(caught).len(), 2);
}
