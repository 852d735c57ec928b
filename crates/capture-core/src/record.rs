//! The attempts of one capture, over all the runs that worked on it.

use crate::attempt::Attempt;

/// Every attempt in order, and how many of them earlier runs made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    attempts: Vec<Attempt>,
    earlier: usize,
}

/// How many attempts one run passes on to the next: the first ones, and the latest.
const MOST_ATTEMPTS: usize = 100;
const FIRST_ATTEMPTS: usize = 16;

impl Record {
    /// What was stored: all attempts, of which the first `earlier` were made by earlier runs.
    pub(crate) fn stored(attempts: Vec<Attempt>, earlier: usize) -> Self {
        let earlier = earlier.min(attempts.len());
        Self { attempts, earlier }
    }

    pub(crate) fn push(&mut self, attempt: Attempt) {
        self.attempts.push(attempt);
    }

    pub(crate) fn all(&self) -> &[Attempt] {
        &self.attempts
    }

    pub(crate) fn this_run(&self) -> &[Attempt] {
        &self.attempts[self.earlier..]
    }

    pub(crate) fn earlier(&self) -> usize {
        self.earlier
    }

    /// The record of a new run that continues this one. A capture that is resumed for days keeps its
    /// first and its latest attempts.
    pub(crate) fn resumed(mut self) -> Self {
        if let Some(too_many) = self.attempts.len().checked_sub(MOST_ATTEMPTS) {
            self.attempts.drain(FIRST_ATTEMPTS..FIRST_ATTEMPTS + too_many);
        }
        self.earlier = self.attempts.len();
        self
    }
}
