//! The attempts of one capture, over all the runs that worked on it.

use crate::attempt::Attempt;

/// The attempts in order, and how many of them earlier runs made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    attempts: Vec<Attempt>,
    earlier: usize,
}

/// A capture that goes on for days keeps this many attempts: the first ones, and the latest. With the
/// limits on the texts of one attempt, this bounds what is held in memory and what is stored.
const MOST_ATTEMPTS: usize = 100;
const FIRST_ATTEMPTS: usize = 16;

impl Record {
    /// What was stored: all attempts, of which the first `earlier` were made by earlier runs.
    pub(crate) fn stored(attempts: Vec<Attempt>, earlier: usize) -> Self {
        let mut record = Self { attempts: Vec::new(), earlier: earlier.min(attempts.len()) };
        attempts.into_iter().for_each(|attempt| record.push(attempt));
        record
    }

    pub(crate) fn push(&mut self, attempt: Attempt) {
        if self.attempts.len() == MOST_ATTEMPTS {
            self.attempts.remove(FIRST_ATTEMPTS);
            self.earlier -= usize::from(self.earlier > FIRST_ATTEMPTS);
        }
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

    /// The record of a new run that continues this one.
    pub(crate) fn resumed(self) -> Self {
        Self { earlier: self.attempts.len(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::attempt::{Finding, Operation, Phase};
    use crate::time::Now;

    #[test]
    fn a_full_record_knows_which_attempts_are_of_this_run() {
        let attempt = || {
            let now = Now::new(Duration::ZERO, SystemTime::UNIX_EPOCH);
            Attempt::new(Operation::Lookup, Phase::MaybeSent, None, (now, now), Finding::Token)
        };
        for (earlier, kept) in [(15, 15), (16, 16), (17, 16), (100, 16)] {
            let mut record = Record::stored(vec![attempt(); earlier], earlier);
            for made in 1..=200 {
                record.push(attempt());
                assert_eq!(record.all().len(), (earlier + made).min(MOST_ATTEMPTS));
                let this_run = made.min(MOST_ATTEMPTS - kept);
                assert_eq!(record.this_run().len(), this_run, "{earlier} and {made}");
            }
            assert_eq!(record.earlier(), kept);
        }
    }
}
