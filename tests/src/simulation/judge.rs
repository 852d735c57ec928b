//! Judging a run: when a client speaks, and once more when the world ends.

use std::time::Duration;

use capture_core::{Operation, OrderStatus};

use super::clause::{Claim, Clause};
use super::process::Job;
use super::run::{Event, Simulation};
use crate::subject::{Said, Wants};

/// As long as the server recognises a key.
const LIFE_OF_A_KEY: Duration = Duration::from_secs(24 * 60 * 60);

impl Simulation {
    /// A client has reported an outcome: is it true?
    pub(crate) fn says(&mut self, job: usize, claim: Claim, overrules: bool) {
        let Claim { said, reason, .. } = claim;
        let status = self.sandbox.order_status(self.jobs[job].order, self.wall(0));
        self.tell(|| format!("job {job} ends: {said:?} ({reason}); the order is {status:?}"));
        self.count(match said {
            Said::Captured => "said captured",
            Said::NotCaptured => "said not captured",
            Said::Unknown => "said unknown",
        });
        if said == Said::Unknown {
            self.jobs[job].round += 1;
            if self.now < self.end {
                let mut pause = self.chance.millis(20_000, 200_000, "again", self.numbers);
                if self.jobs[job].round > PATIENCE {
                    pause *= 20;
                }
                self.at(self.now + pause, Event::Begin(job, self.jobs[job].round));
            }
            return;
        }
        self.jobs[job].claim = Some(claim);
        self.judge(job, claim, (Clause::CapturedIsFalse, Clause::MoneyMoved));
        if self.jobs[job].doubted && overrules {
            let what = format!("job {job} says not captured ({reason}) after doubt");
            self.broken(Clause::DoubtOverruled, what);
        }
        self.reruns(job);
    }

    /// The world ends: is what was said still true, and has every order settled?
    pub(crate) fn closes(&mut self) {
        for job in 0..self.jobs.len() {
            match self.jobs[job].claim {
                Some(claim) => {
                    let clauses = (Clause::CapturedIsFalseAtTheEnd, Clause::MoneyMovedByTheEnd);
                    self.judge(job, claim, clauses);
                }
                None => {
                    let what = format!("order {job} never settled after the faults stopped");
                    self.broken(Clause::NeverSettled, what);
                }
            }
        }
    }

    /// Whether a claim is true now; otherwise it breaks the first clause, or the second.
    fn judge(&mut self, job: usize, claim: Claim, clauses: (Clause, Clause)) {
        let Job { order, shared, .. } = self.jobs[job];
        let Claim { said, reason, .. } = claim;
        let status = self.sandbox.order_status(order, self.wall(0));
        let captured = matches!(status, Some(OrderStatus::Completed | OrderStatus::Returned));
        // If two processes capture one order, each knows only what the API told it. If keys are
        // ignored, it cannot tell the other's capture from a refusal unless the confirming lookup gets
        // through.
        let told = matches!(reason, "declined" | "rejected" | "key_used" | "order_cancelled");
        let tellable = !shared || (self.keys_are_kept && told);
        if said == Said::Captured && !captured {
            let what = format!("job {job} says captured ({reason}), the order is {status:?}");
            self.broken(clauses.0, what);
        }
        if said == Said::NotCaptured && captured && tellable {
            self.broken(clauses.1, format!("job {job} says not captured ({reason}), and it is"));
        }
    }

    /// A client is about to send: may it?
    pub(crate) fn judge_send(&mut self, job: usize) {
        let wall = self.clock(self.jobs[job].process).wall();
        let Job { subject: Some(subject), first, first_sent, .. } = &mut self.jobs[job] else {
            return;
        };
        let Wants::Send(Operation::Capture, request) = subject.wants() else { return };
        let sent = (request.body().to_vec(), request.uri().to_string());
        let differs = *first.get_or_insert_with(|| sent.clone()) != sent;
        let age = wall.duration_since(*first_sent.get_or_insert(wall)).unwrap_or_default();
        let is_old = subject.in_doubt() && age >= LIFE_OF_A_KEY;
        let fences = &self.processes[self.jobs[job].process].fences;
        let is_ours = |claim: &capture_journal::Claim| fences.contains(&claim.fence);
        if !self.story(job).is_some_and(|story| story.claims.iter().any(is_ours)) {
            let what = format!("job {job} sends what its process has not claimed");
            self.broken(Clause::SentUnclaimed, what);
        }
        if differs {
            let what = format!("job {job}: a send differs from the first one");
            self.broken(Clause::UnlikeTheFirst, what);
        }
        if is_old {
            let what = format!("job {job} sends again in doubt, with a key {age:?} old");
            self.broken(Clause::AgainWithOldKey, what);
        }
    }

    /// A client's state has changed: is its doubt still there?
    pub(crate) fn judge_doubt(&mut self, job: usize) {
        let Job { subject: Some(subject), doubted, .. } = &mut self.jobs[job] else { return };
        let (in_doubt, goes_on) = (subject.in_doubt(), subject.progress().is_some());
        let is_forgotten = *doubted && !in_doubt && goes_on;
        *doubted |= in_doubt;
        if is_forgotten {
            let what = format!("job {job}: doubt went away without evidence");
            self.broken(Clause::DoubtForgotten, what);
        }
    }

    /// The server has answered: did it take the money twice?
    pub(crate) fn judge_ledger(&mut self) {
        for job in 0..self.jobs.len() {
            if self.sandbox.ledger().captures(self.jobs[job].order) > 1 {
                let what = format!("the order of job {job} was captured twice");
                self.broken(Clause::CapturedTwice, what);
            }
        }
    }
}

/// An outcome that stays unknown for so many resumptions is resumed less often.
const PATIENCE: u32 = 60;
