//! What a caller is told of a capture, by what is remembered of it.

use std::borrow::Cow;
use std::time::SystemTime;

use capture_core::{Outcome, Reason};

use crate::exit::Exit;

/// An outcome, and what is remembered of it.
pub(crate) struct Told<'a> {
    pub(crate) outcome: &'a Outcome,
    /// When an earlier run recorded it.
    pub(crate) recorded_at: Option<SystemTime>,
    /// Why it is not in the journal.
    pub(crate) unrecorded: Option<String>,
    has_journal: bool,
}

impl<'a> Told<'a> {
    /// It was found out now, and is in the journal.
    pub(crate) fn new(outcome: &'a Outcome) -> Self {
        Self { outcome, recorded_at: None, unrecorded: None, has_journal: true }
    }

    /// An earlier run had recorded it.
    pub(crate) fn recorded(outcome: &'a Outcome, at: SystemTime) -> Self {
        Self { recorded_at: Some(at), ..Self::new(outcome) }
    }

    /// The journal failed.
    pub(crate) fn unrecorded(outcome: &'a Outcome, why: String) -> Self {
        Self { unrecorded: Some(why), ..Self::new(outcome) }
    }

    /// Nobody remembers it.
    pub(crate) fn without_journal(outcome: &'a Outcome) -> Self {
        Self { has_journal: false, ..Self::new(outcome) }
    }

    pub(crate) fn exit(&self) -> Exit {
        match (&self.unrecorded, self.has_journal) {
            // To the journal it is in doubt.
            (Some(_), _) => Exit::Unknown,
            (None, true) => Exit::of(self.outcome),
            (None, false) => Exit::without_journal(self.outcome),
        }
    }

    /// The name of the outcome, and what happened.
    pub(crate) fn says(&self) -> (&'static str, String) {
        let outcome = self.outcome;
        let reason = match outcome {
            Outcome::NotCaptured(refusal) if !refusal.reason().is_decided() => refusal.reason(),
            _ => return (outcome.name(), said(outcome)),
        };
        match (self.exit(), reason) {
            (Exit::Nothing, _) => ("nothing_done", reason.to_string()),
            (_, Reason::NeverSent(_) | Reason::NoToken(_)) => {
                ("nothing_sent", format!("nothing was sent by this run: {reason}"))
            }
            // Such a reply comes before the API looks at the order.
            _ => ("nothing_sent", format!("nothing was done by this run: {reason}")),
        }
    }

    pub(crate) fn next_step(&self) -> Cow<'static, str> {
        let next_step = self.outcome.next_step();
        match self.says().0 {
            "nothing_sent" => format!("{next_step} {EARLIER}").into(),
            _ => next_step,
        }
    }
}

/// What a run without a journal cannot know.
const EARLIER: &str = "If an earlier run of this capture ended as unknown, it still is.";

/// The sentence without its first word, which is shown as the name of the outcome.
fn said(outcome: &Outcome) -> String {
    let sentence = outcome.to_string();
    sentence.split_once(": ").map_or_else(String::new, |(_, why)| why.to_owned())
}
